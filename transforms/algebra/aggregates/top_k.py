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

    k: Annotated[StrictInt, Field(ge=1, le=1_000)]

    def value(self, who: Ints, values: Values, count: int, result: DataType) -> pa.Array:
        """The values of the first `k` places of each `who`."""
        row, place = by_frequency(who, values.column)
        row = row[place < self.k]
        return listed(who[row], plain(values.column.take(pa.array(row))), count, result)


AGGREGATE = TopK
