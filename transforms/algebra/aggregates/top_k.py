"""`top_k`: the most frequent values of a column."""

from typing import Annotated

import pyarrow as pa
from pydantic import Field, StrictInt

from schemas.definitions.datatype import DataType
from transforms.algebra.coded import plain
from transforms.algebra.frequency import by_frequency
from transforms.algebra.listing import Listing, listed
from transforms.algebra.measure import Values
from transforms.algebra.order import Ints


class TopK(Listing):
    """The `k` most frequent values, by count descending, then by value; an empty list of nothing."""

    op = "top_k"
    when = "What somebody likes best, and next best. In a segment it is never null, only empty."
    example = "{name: favourites, op: top_k, of: category, k: 3, windows: [365d]}"
    compare = "is not null"
    story = """
    name: a list is there from the beginning, empty until there is something to hold
    events: [[0d, visit], [1d, order, {category: toys}]]
    expect: [{at: 0d, member: true}, {at: 1d, member: true}]
    """

    k: Annotated[StrictInt, Field(ge=1, le=1_000)]

    @property
    def most_values(self) -> int:
        """`k`."""
        return self.k

    def value(self, who: Ints, values: Values, count: int, result: DataType) -> pa.Array:
        """The values of the first `k` places of each `who`."""
        row, place = by_frequency(who, values.column)
        row = row[place < self.k]
        return listed(who[row], plain(values.column.take(pa.array(row))), count, result)


AGGREGATE = TopK
