"""Feature rows: every feature of each subject at one T, written where they differ from the last ones."""

from dataclasses import replace
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.definitions.catalog import Project
from schemas.definitions.feature import FeatureColumn
from transforms.algebra.by_subject import replaced
from transforms.algebra.claims import WHO, ints
from transforms.algebra.coded import aligned, coded, joined, plain, referred, told, whole
from transforms.algebra.evaluate import Evaluation
from transforms.algebra.in_use import next_opening, open_at
from transforms.algebra.measure import Measure
from transforms.algebra.order import FOREVER, Flags, Ints
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import STALE, UNSURE, State
from transforms.algebra.study import Study
from transforms.algebra.view import View


def feature_rows(project: Project, evaluation: Evaluation, count: int, at: int) -> tuple[pa.Table, Ints]:
    """The values at T = `at` for each of `count` subjects, and the next instant at which any of them may change.

    Columns of a group whose purpose is not open are null (4.5).
    """
    columns, changes = {}, np.full(count, FOREVER)
    for group in project.features.values():
        view = evaluation.views[group.purposes]
        stint = open_at(view, count, at)
        np.minimum(changes, next_opening(view, count, at), out=changes)
        for column in group.columns:
            columns[column.name], following = _value(view, column, stint, at)
            np.minimum(changes, following, out=changes)
    return pa.table(columns), changes


def write_features(program: Program, state: State, study: Study, moment: Moment) -> tuple[State, pa.Table]:
    """The rows of the studied subjects whose values at T differ from what was last written (4.5), noted in the state.

    Where it is not known what was written, as of all in a state that was made anew, the row is there and `unsure`: publishing
    compares it. Where none is to be written now, the state notes of whom one may be.
    """
    features_at = ints(state.subjects["features_at"], FOREVER).copy()
    if not program.feature_schema.names:  # a table without columns would have no rows, however many subjects there are
        return state, _named(state, study.who[:0], pa.table({}), np.empty(0, np.bool_))
    if not moment.writes_features:
        features_at[study.who] = np.minimum(features_at[study.who], STALE)
        none = program.feature_schema.empty_table()
        return state.with_instants(features_at=features_at), _named(state, study.who[:0], none, np.empty(0, np.bool_))
    values, following = feature_rows(program.project, study.evaluation, len(study.who), moment.at)
    values = values.select(program.feature_schema.names).cast(program.feature_schema)
    unsure = (features_at[study.who] == UNSURE) | moment.everyone
    changed = unsure | _differs(values, _last_rows(state.features, study.who))
    changed &= study.facts.first_fact_at <= moment.at
    rows, written = values.filter(pa.array(changed)), study.who[changed]
    features_at[study.who] = following
    features = _replaced(state.features, _numbered(written, rows))
    return replace(state, features=features).with_instants(features_at=features_at), _named(state, written, rows, unsure[changed])


def _named(state: State, who: Ints, rows: pa.Table, unsure: Flags) -> pa.Table:
    """Rows as they are published, with the ids of their subjects."""
    return rows.add_column(0, "subject", state.ids.take(pa.array(who))).append_column("unsure", pa.array(unsure))


def _last_rows(features: pa.Table, who: Ints) -> pa.Table:
    """The row last written of each subject, nulls where there is none."""
    known = ints(features[WHO], 0)
    index = np.searchsorted(known, who)
    found = index < len(known)
    found[found] = known[index[found]] == who[found]
    rows = features.drop_columns(WHO).take(pa.array(index, mask=~found))
    return pa.table({name: plain(rows[name]) for name in rows.column_names})


def _numbered(who: Ints, rows: pa.Table) -> pa.Table:
    """Rows as the state keeps them."""
    columns = {name: coded(rows[name]) for name in rows.column_names}
    return pa.table({WHO: pa.array(who.astype(np.int32)), **columns})


def _replaced(features: pa.Table, written: pa.Table) -> pa.Table:
    """The rows with those written instead of the subjects' former ones; both are by `who`."""
    if not len(features) or not len(written):
        return joined(features, written)
    mine, theirs, texts = aligned(features, written)
    return referred(told(replaced(mine, theirs[WHO].to_numpy(), theirs), texts))


def _differs(one: pa.Table, other: pa.Table) -> Flags:
    """Where two rows are not the same, nulls being equal to nulls."""
    differs = np.zeros(len(one), np.bool_)
    for name in one.column_names:
        mine, theirs = whole(one[name]), whole(other[name])
        same = _equal_lists(mine, theirs) if pa.types.is_list(mine.type) else _equal(mine, theirs)
        both_null = pc.and_(mine.is_null(), theirs.is_null())
        differs |= ~(same | np.asarray(both_null).astype(np.bool_))
    return differs


def _equal(one: pa.Array, other: pa.Array) -> Flags:
    return np.asarray(pc.fill_null(pc.equal(one, other), False)).astype(np.bool_)


def _equal_lists(one: pa.ListArray, other: pa.ListArray) -> Flags:
    """Lists of equal length, of which no item differs; items are never null."""
    equal = _equal(pc.list_value_length(one), pc.list_value_length(other))
    rows = np.flatnonzero(equal)
    mine, theirs = one.take(pa.array(rows)), other.take(pa.array(rows))
    same = _equal(pc.list_flatten(mine), pc.list_flatten(theirs))
    equal[rows[np.asarray(pc.list_parent_indices(mine))[~same]]] = False
    return equal


def _value(view: View, column: FeatureColumn, stint: Ints, at: int) -> tuple[pa.Array, Ints]:
    count = len(stint)
    measure = cast(Measure, column.aggregate)
    selected, values = view.summed(measure, column.source, column.window, measure.of)
    start, stop = selected.rows.start, selected.rows.stop
    open_now = np.zeros(view.size, np.bool_)
    open_now[stint[stint >= 0]] = True
    alive = np.flatnonzero((stop > at) & open_now[selected.rows.who])
    subject, begun = view.timeline.stints.subject[selected.rows.who[alive]], start[alive] <= at
    counting = alive[begun]
    result = measure.value(subject[begun], values.take(counting), count, column.type)
    following = np.full(count, FOREVER)
    np.minimum.at(following, subject, np.where(begun, stop[alive], start[alive]))
    return _only(result, stint >= 0), following


def _only(column: pa.Array, allowed: np.ndarray) -> pa.Array:
    """Nulls where it is not allowed."""
    return column.take(pa.array(np.arange(len(column)), mask=~allowed)) if not allowed.all() else column
