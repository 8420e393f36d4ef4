"""`share`: which part of the events with any value has a certain one."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from pydantic import Field, PlainValidator

from schemas.definitions.comparison import Comparison, Constant
from schemas.definitions.datatype import DataType
from schemas.definitions.refusal import refuse, show
from schemas.definitions.takes import Takes
from transforms.algebra.exact import Number, doubles, fraction, ratio_sign, signs
from transforms.algebra.measure import Measure, Quotient, Values, ones
from transforms.algebra.order import Ints


def _scalar(value: Any) -> Constant:
    if not isinstance(value, bool | int | Decimal | str):
        raise refuse("SEG-0103", "no value", expected="text, a number or a boolean", found=show(value))
    return value


_VALUE = Takes("a value", {"type": ["string", "number", "boolean"]})


class Share(Measure):
    """Events with the value over events with any, compared as an exact fraction; missing of nothing."""

    op = "share"
    is_summed = is_folded = True
    when = "Which part of it is of one kind: of the orders those of toys, of the visits those by phone."
    example = "{name: toys_share, op: share, of: category, value: toys, windows: [90d]}"
    compare = "> 0.5"
    story = """
    name: all of one, half of two, two thirds of three
    events: [[0d, order, {category: toys}], [1d, order, {category: books}], [2d, order, {category: toys}]]
    expect: [{at: 0d, member: true}, {at: 1d, member: false}, {at: 2d, member: true}]
    """

    wanted: Annotated[Constant, PlainValidator(_scalar), _VALUE, Field(alias="value")]

    def result_type(self, of: DataType | None) -> DataType:
        """Always float."""
        if of is None or of.kind == "list":
            raise refuse("SEG-0208", "`share` takes one value", expected="a property that is no list", found=str(of))
        Comparison.equal(self.wanted).check(of)
        return DataType("float")

    def _hits(self, values: Values) -> Ints:
        of = DataType.of_arrow(values.column.type)
        (constant,) = Comparison.equal(self.wanted).for_type(of, values.zone).constants
        return (signs(values.column, constant) == 0).astype(np.int64)

    def weigh(self, values: Values, constants: Sequence[Constant]) -> list[Number]:
        """One, and one where the value is the wanted one."""
        return [ones(values), self._hits(values)]

    def quotient(self, sums: Sequence[Number], scale: int) -> Quotient:
        """The hits over the count."""
        return Quotient(sums[1], sums[0], 0)

    def sign(self, sums: Sequence[Number], place: int, constant: Constant, scale: int) -> Ints:
        """Of (hits / count - constant), cross-multiplied; a fraction whatever the digits of the column."""
        return ratio_sign(sums[1], sums[0], fraction(constant))

    def told(self, sums: Sequence[Number], scale: int, result: DataType) -> pa.Array:
        """The quotient as a double; null of nothing."""
        return doubles(sums[1], sums[0], 0)


AGGREGATE = Share
