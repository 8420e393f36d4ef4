"""`min`: the smallest value of a column."""

from typing import ClassVar

from transforms.algebra.aggregates.max import Max


class Min(Max):
    """The smallest value; missing of nothing. `max`, mirrored."""

    op = "min"
    beyond: ClassVar[int] = -1


AGGREGATE = Min
