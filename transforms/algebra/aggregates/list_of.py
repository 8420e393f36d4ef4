"""`list`: the latest values of a column."""

from typing import Annotated

import numpy as np
import pyarrow as pa
from pydantic import Field, StrictInt

from schemas.definitions.datatype import DataType
from transforms.algebra.coded import plain
from transforms.algebra.listing import Listing, listed
from transforms.algebra.measure import Values
from transforms.algebra.order import Flags, Ints, lasts_of
from transforms.algebra.reduce import Contributions


class ListOf(Listing):
    """The last `n` values, the oldest of them first, with repeats; an empty list of nothing."""

    op = "list"
    when = "What came lately, in order, as input for a recommendation. In a segment it is never null, only empty."
    example = "{name: latest_categories, op: list, of: category, n: 5, windows: [90d]}"
    compare = "is not null"
    story = """
    name: a list is there from the beginning, empty until there is something to hold
    events: [[0d, visit], [1d, order, {category: toys}]]
    expect: [{at: 0d, member: true}, {at: 1d, member: true}]
    """

    n: Annotated[StrictInt, Field(ge=1, le=1_000)]

    @property
    def most_values(self) -> int:
        """`n`."""
        return self.n

    def stays(self, rows: Contributions, values: Values) -> Flags:
        """The last `n` events."""
        return lasts_of(rows.who, self.n)

    def value(self, who: Ints, values: Values, count: int, result: DataType) -> pa.Array:
        """The last `n` rows of each `who`."""
        last = np.flatnonzero(lasts_of(who, self.n))
        return listed(who[last], plain(values.column.take(pa.array(last))), count, result)


AGGREGATE = ListOf
