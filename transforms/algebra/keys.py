"""Events that belong together by the values of some columns: `bind`."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from transforms.algebra.coded import indices, plain, whole
from transforms.algebra.columns import value_name
from transforms.algebra.order import Ints
from transforms.algebra.timeline import Timeline

UNBOUND = -1


def bound(timeline: Timeline, columns: Sequence[str]) -> Ints:
    """For each row of the timeline a number that is equal where the stint and all values are; UNBOUND where one is null."""
    key = timeline.who
    for column in columns:
        code = _codes(whole(timeline.facts.columns[value_name(column)]))[timeline.row]
        width = int(code.max(initial=0)) + 1
        _, dense = np.unique(key * width + code, return_inverse=True)
        key = np.where((code < 0) | (key < 0), UNBOUND, dense)
    return key


def _codes(column: pa.Array) -> Ints:
    encoded = column if pa.types.is_dictionary(column.type) else plain(column).dictionary_encode()
    return indices(encoded, UNBOUND)
