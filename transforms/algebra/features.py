"""Feature rows: every feature of each subject at one T."""

import numpy as np
import pyarrow as pa

from schemas.definitions.catalog import Project
from schemas.definitions.feature import FeatureColumn
from transforms.algebra.evaluate import Evaluation
from transforms.algebra.order import FOREVER, Ints
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
    result = column.aggregate.value(subject[counting], values.take(counting), count, column.type)
    following = np.full(count, FOREVER)
    for edge in (selected.rows.start, selected.rows.stop):
        later = current & (edge > at)
        np.minimum.at(following, subject[later], edge[later])
    return _only(result, stint >= 0), following


def _only(column: pa.Array, allowed: np.ndarray) -> pa.Array:
    """Nulls where it is not allowed."""
    return column.take(pa.array(np.arange(len(column)), mask=~allowed)) if not allowed.all() else column
