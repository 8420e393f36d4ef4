"""`distinct`: how many different values of a column."""

from typing import Annotated

from pydantic import Field, StrictInt

from schemas.definitions.datatype import DataType
from schemas.definitions.refusal import refuse
from transforms.algebra.coded import codes_of
from transforms.algebra.counting import Different
from transforms.algebra.measure import Values
from transforms.algebra.order import Ints


class Distinct(Different):
    """The number of different values; 0 of nothing. Up to `k` it must be exact; it is beyond, too."""

    op = "distinct"
    takes_column = True
    when = "How varied: categories, shops, devices."
    example = "{name: categories, op: distinct, of: category, windows: [90d]}"
    compare = ">= 2"
    story = """
    name: toys and toys are one category, and books another
    events: [[0d, order, {category: toys}], [1d, order, {category: toys}], [2d, order, {category: books}]]
    expect: [{at: 1d, member: false}, {at: 2d, member: true}, {at: 90d, member: true}, {at: 91d, member: false}]
    """

    k: Annotated[StrictInt, Field(ge=1)] = 10_000

    def result_type(self, of: DataType | None) -> DataType:
        """Always int."""
        if of is None or of.kind == "list":
            raise refuse("SEG-0208", "`distinct` takes one value", expected="a property that is no list", found=str(of))
        return DataType("int")

    def codes(self, values: Values) -> Ints:
        """Equal numbers for equal values."""
        return codes_of(values.column, 0)


AGGREGATE = Distinct
