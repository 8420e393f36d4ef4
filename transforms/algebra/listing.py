"""Aggregates that are lists: never missing, and compared with nothing but null."""

import numpy as np
import pyarrow as pa

from schemas.definitions.comparison import Comparison
from schemas.definitions.datatype import DataType
from schemas.definitions.refusal import refuse
from transforms.algebra.measure import Measure, Values
from transforms.algebra.order import Ints
from transforms.algebra.pending import Truth, cover
from transforms.algebra.reduce import Contributions
from transforms.algebra.truth import judge

_ONE = np.zeros(1, np.bool_)


class Listing(Measure):
    """Some values of a column; an empty list of nothing."""

    never_missing = True

    def result_type(self, of: DataType | None) -> DataType:
        """A list of the column's own type. Raises ValueError."""
        if of is None or of.kind == "list":
            raise refuse("SEG-0208", f"`{self.op}` takes one value", expected="a property that is no list", found=str(of))
        return DataType("list", item=of)

    def steps(self, rows: Contributions, values: Values, comparison: Comparison) -> Truth:
        """What a comparison with null says of what is never null."""
        truth = judge(comparison.tree, lambda _: np.zeros(1, np.int64), _ONE)
        return cover(rows.take(slice(0, 0)), [np.empty(0, np.int64)], lambda sums: np.full(len(sums[0]), truth[0], np.int8))


def listed(who: Ints, items: pa.Array, count: int, result: DataType) -> pa.Array:
    """A list for each of `count` subjects, of the items of each; `who` is sorted."""
    offsets = np.searchsorted(who, np.arange(count + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), items).cast(result.arrow)
