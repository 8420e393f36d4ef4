"""Feature rows for a file of subjects and instants: each as of its own instant, from what the warehouse holds."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runners.answers.pairs import Pairs
from runners.answers.recalling import as_written, recall
from runners.warehouses.lake import Lake
from schemas.definitions.project import Project
from transforms.algebra.claims import codes
from transforms.algebra.order import Ints
from transforms.algebra.point_in_time import features_at

INSTANT = pa.timestamp("us", tz="UTC")


def rows_at(lake: Lake, project: Project, groups: Sequence[str], pairs: Pairs, known_at: int) -> pa.Table:
    """A row a pair, in their order: `subject` and `at` as they are asked, then the columns of the groups as known at K.

    They are null where the subject was not known at that instant, or the purposes of a group are not open for it.
    """
    asked = replace(project, features={name: project.features[name] for name in groups}, segments={}, order=())
    distinct = pc.unique(pairs.subject)
    subject = as_written(lake, asked, distinct, known_at).take(pc.index_in(pairs.subject, value_set=distinct))
    rows = pa.table({"subject": pairs.subject, "at": pa.array(pairs.at).cast(INSTANT)})
    values = _values(lake, asked, subject, pairs.at, known_at)
    for name in values.column_names:
        rows = rows.append_column(name, values[name])
    return rows


def _values(lake: Lake, project: Project, subject: pa.Array, at: Ints, known_at: int) -> pa.Table:
    """The features of each subject at each instant, null for a null."""
    columns = [column for group in project.features.values() for column in group.columns]
    parts = [pa.table({column.name: pa.array([], column.type.arrow) for column in columns})]
    place, count = np.full(len(at), -1), 0
    for ids, study in recall(lake, project, pc.unique(subject.drop_null()), known_at, answered=False):
        who = codes(subject, ids)
        mine = np.flatnonzero(who >= 0)
        parts.append(features_at(study, who[mine], at[mine]))
        place[mine] = np.arange(count, count + len(mine))
        count += len(mine)
    return pa.concat_tables(parts).take(pa.array(place, mask=place < 0)) if columns else parts[0]
