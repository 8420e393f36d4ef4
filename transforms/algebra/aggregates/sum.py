"""`sum`: the total of a column."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from schemas.definitions.comparison import Constant
from schemas.definitions.datatype import DataType
from schemas.definitions.refusal import refuse
from transforms.algebra.exact import Number, decimals, fits, fraction, scaled, sign, summable
from transforms.algebra.measure import Measure, Quotient, Values
from transforms.algebra.order import Ints


class Sum(Measure):
    """The exact total; 0 of nothing."""

    op = "sum"
    never_missing = True
    is_summed = is_folded = True
    when = "How much altogether: spend, pieces, minutes."
    example = "{name: spend, op: sum, of: amount, windows: [30d]}"
    compare = ">= 100"
    story = """
    name: 60 and 40 are 100 for as long as both count
    events: [[0d, order, {amount: 60}], [5d, order, {amount: 40}]]
    expect: [{at: 0d, member: false}, {at: 5d, member: true}, {at: 30d, member: false}]
    """

    def result_type(self, of: DataType | None) -> DataType:
        """decimal(38,s) of a decimal(p,s) with p <= 18, int of an int."""
        return (
            DataType.decimal(38, of.scale or 0)
            if of and exact_number(of, self.op).kind == "decimal"
            else DataType("int")
        )

    def weigh(self, values: Values, constants: Sequence[Constant]) -> list[Number]:
        """The values themselves."""
        return [summable(scaled(values.column), 2)]

    def quotient(self, sums: Sequence[Number], scale: int) -> Quotient:
        """The sum itself."""
        return Quotient(sums[0], np.ones(len(sums[0]), np.int64), scale)

    def sign(self, sums: Sequence[Number], place: int, constant: Constant, scale: int) -> Ints:
        """Of (sum - constant)."""
        return sign(sums[0], fraction(constant, scale))

    def told(self, sums: Sequence[Number], scale: int, result: DataType) -> pa.Array:
        """The totals, exactly; null where an int has no room for one. Comparisons know it in any case."""
        (totals,) = sums
        if result.kind == "decimal":
            return decimals(totals, 38, scale)
        return pa.array(np.where(fits(totals), totals, 0).astype(np.int64), mask=~fits(totals))


def exact_number(of: DataType | None, op: str) -> DataType:
    """The type, if sums of it are exact. Raises ValueError."""
    if of is None or not of.is_number:
        raise refuse("SEG-0208", f"`{op}` adds numbers", expected="int or decimal(p,s)", found=str(of))
    if of.kind == "float":
        raise refuse(
            "SEG-0208", f"`{op}` of a float is not exact", expected="decimal(p,s), as in decimal(12,2)", found="float"
        )
    if of.kind == "decimal" and (of.precision or 0) > 18:
        raise refuse("SEG-0208", f"`{op}` takes decimals of up to 18 digits", expected="decimal(18,s)", found=str(of))
    return of


AGGREGATE = Sum
