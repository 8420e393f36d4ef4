"""`distinct`: how many different values of a column."""

import numpy as np
import pyarrow as pa

from schemas.definitions.comparison import Comparison
from schemas.definitions.datatype import DataType
from schemas.definitions.refusal import refuse
from transforms.algebra.aggregates.count import Count
from transforms.algebra.coded import codes_of
from transforms.algebra.handover import Standing, handover
from transforms.algebra.measure import Measure, Values
from transforms.algebra.order import FOREVER, Ints, Steps
from transforms.algebra.reduce import Contributions


class Distinct(Count):
    """The number of different values, exactly; 0 of nothing. A value counts until its own next event takes over."""

    op = "distinct"
    takes_column = True

    def result_type(self, of: DataType | None) -> DataType:
        """Always int."""
        if of is None or of.kind == "list":
            raise refuse("SEG-0208", "`distinct` takes one value", expected="a property that is no list", found=str(of))
        return DataType("int")

    def codes(self, values: Values) -> Ints:
        """Equal numbers for equal values."""
        return codes_of(values.column, 0)

    def arrange(self, rows: Contributions, values: Values) -> Standing:
        """Each value counts once."""
        return handover(rows, self.codes(values))

    def steps(self, rows: Contributions, values: Values, comparison: Comparison, count: int) -> Steps:
        """By sums: after handover the windows are not FIFO."""
        return Measure.steps(self, rows, values, comparison, count)

    def value(self, who: Ints, values: Values, count: int, result: DataType) -> pa.Array:
        """The number of different values of each `who`."""
        code = self.codes(values)
        width = int(np.ptp(code)) + 1 if len(code) else 1
        pairs = np.unique(who * width + (code - code.min(initial=FOREVER)))
        return pa.array(np.bincount(pairs // width, minlength=count))


AGGREGATE = Distinct
