"""Feature rows: every feature of each subject at one T, written where they differ from the last ones."""

from dataclasses import replace
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.definitions.catalog import Project
from schemas.definitions.feature import FeatureColumn
from transforms.algebra.claims import ints
from transforms.algebra.evaluate import Evaluation, evaluate
from transforms.algebra.measure import Measure
from transforms.algebra.order import FOREVER, Flags, Ints
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State, facts_of
from transforms.algebra.view import View


def feature_rows(project: Project, evaluation: Evaluation, count: int, at: int) -> tuple[pa.Table, Ints]:
    """The values at T = `at` for each of `count` subjects, and the next instant at which any of them may change.

    Columns of a group whose purpose is not open are null (4.5).
    """
    columns, changes = {}, np.full(count, FOREVER)
    for group in project.features.values():
        view = evaluation.views[group.purposes]
        stint = _open_at(view, count, at)
        np.minimum(changes, _next_opening(view, count, at), out=changes)
        for column in group.columns:
            columns[column.name], following = _value(view, column, stint, at)
            np.minimum(changes, following, out=changes)
    return pa.table(columns), changes


def write_features(program: Program, state: State, touched: Flags, moment: Moment) -> tuple[State, pa.Table]:
    """The rows of the subjects whose values at T differ from what was last written (4.5), noted in the state.

    A state that was made anew does not know what was written: the rows of all, which publishing compares.
    """
    if not len(program.feature_schema):  # a table without columns would have no rows, however many subjects there are
        return state, pa.table({"subject": state.ids.slice(0, 0)})
    due = touched | (ints(state.subjects["feature_next_at"], FOREVER) <= moment.at)
    who, project = np.flatnonzero(due), program.project
    facts = facts_of(state, who, moment.known_at, project)
    values, following = feature_rows(project, evaluate(project, facts, ()), len(who), moment.at)
    columns = state.features.schema.names[1:]
    values = values.select(columns).cast(pa.schema([state.features.field(name) for name in columns]))
    changed = _differs(values, _last_rows(state.features, who)) | moment.everyone
    changed &= facts.first_fact_at <= moment.at
    rows, written = values.filter(pa.array(changed)), pa.array(who[changed])
    next_at = ints(state.subjects["feature_next_at"], FOREVER).copy()
    next_at[who] = following
    subjects = state.subjects.set_column(1, "feature_next_at", pa.array(next_at))
    features = _replaced(state.features, rows.add_column(0, "who", written))
    return replace(state, subjects=subjects, features=features), rows.add_column(0, "subject", state.ids.take(written))


def _last_rows(features: pa.Table, who: Ints) -> pa.Table:
    """The row last written of each subject, nulls where there is none."""
    known = ints(features["who"], 0)
    index = np.searchsorted(known, who)
    found = index < len(known)
    found[found] = known[index[found]] == who[found]
    return features.drop_columns("who").take(pa.array(index, mask=~found))


def _replaced(features: pa.Table, written: pa.Table) -> pa.Table:
    kept = features.filter(pa.array(~np.isin(ints(features["who"], 0), ints(written["who"], 0))))
    return pa.concat_tables([kept, written]).sort_by("who").combine_chunks()


def _differs(one: pa.Table, other: pa.Table) -> Flags:
    """Where two rows are not the same, nulls being equal to nulls."""
    differs = np.zeros(len(one), np.bool_)
    for name in one.column_names:
        mine, theirs = one[name], other[name]
        same = pc.fill_null(pc.equal(mine, theirs), False)
        both_null = pc.and_(mine.is_null(), theirs.is_null())
        differs |= ~np.asarray(pc.or_(same, both_null)).astype(np.bool_)
    return differs


def _open_at(view: View, count: int, at: int) -> Ints:
    """The stint of each subject that is in use at `at`, or -1."""
    stints = view.timeline.stints
    using = np.flatnonzero((stints.use_from <= at) & (at < stints.use_to))
    stint = np.full(count, -1, np.int64)
    stint[stints.subject[using]] = using
    return stint


def _next_opening(view: View, count: int, at: int) -> Ints:
    """The next instant at which the use of each subject's data begins or ends."""
    stints = view.timeline.stints
    following = np.full(count, FOREVER)
    for edge in (stints.use_from, stints.use_to):
        later = edge > at
        np.minimum.at(following, stints.subject[later], edge[later])
    return following


def _value(view: View, column: FeatureColumn, stint: Ints, at: int) -> tuple[pa.Array, Ints]:
    count = len(stint)
    selected, values = view.select(column.source, column.window, column.aggregate.of)
    subject = view.timeline.stints.subject[selected.rows.who]
    current = stint[subject] == selected.rows.who
    counting = current & (selected.rows.start <= at) & (at < selected.rows.stop)
    measure = cast(Measure, column.aggregate)
    result = measure.value(subject[counting], values.take(counting), count, column.type)
    following = np.full(count, FOREVER)
    for edge in (selected.rows.start, selected.rows.stop):
        later = current & (edge > at)
        np.minimum.at(following, subject[later], edge[later])
    return _only(result, stint >= 0), following


def _only(column: pa.Array, allowed: np.ndarray) -> pa.Array:
    """Nulls where it is not allowed."""
    return column.take(pa.array(np.arange(len(column)), mask=~allowed)) if not allowed.all() else column
