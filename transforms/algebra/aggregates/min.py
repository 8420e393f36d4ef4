"""`min`: the smallest value of a column."""

from typing import ClassVar

from transforms.algebra.aggregates.max import Max


class Min(Max):
    """The smallest value; missing of nothing. `max`, mirrored."""

    op = "min"
    beyond: ClassVar[int] = -1
    when = "The least of it: the cheapest basket, the earliest date."
    example = "{name: smallest, op: min, of: amount, windows: [90d]}"
    compare = ">= 20"
    story = """
    name: the small order counts for 90 days, the large one for five more
    events: [[0d, order, {amount: 10}], [5d, order, {amount: 25}]]
    expect: [{at: 5d, member: false}, {at: 90d, member: true}, {at: 95d, member: false}]
    """


AGGREGATE = Min
