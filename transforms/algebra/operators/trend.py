"""`trend`: a feature has grown or fallen against the time before (5.7)."""

from fractions import Fraction
from typing import Annotated, Any, cast

import numpy as np
from pydantic import field_validator

from schemas.definitions.aggregate import Aggregate
from schemas.definitions.catalog import Project
from schemas.definitions.comparison import Comparison, Constant, PercentComparison
from schemas.definitions.datatype import DataType
from schemas.definitions.duration import UNITS, Duration
from schemas.definitions.node import Node
from schemas.definitions.reference import References
from schemas.definitions.refusal import refuse
from schemas.definitions.takes import takes_text
from schemas.definitions.window import Between, Last, Window
from transforms.algebra.amounts import Amounts, amounts
from transforms.algebra.exact import Number, fraction, ratio_sign
from transforms.algebra.measure import Measure, Quotient
from transforms.algebra.needs import Need, within
from transforms.algebra.order import FOREVER, UNKNOWN, Ints, Steps, Truths, firsts, order, turning
from transforms.algebra.truth import judge
from transforms.algebra.view import Evidence, View

_PER_DAY = ("count", "sum")
"""The operations of which lengths of time that differ can be compared: by 24 hours."""


class Trend(Node):
    """True at T when the feature of the last `this`, against that of the `vs` before, has changed so.

    The change is their difference, or in percent of the earlier one; unknown where either is missing, and in percent of 0.
    """

    name = "trend"
    when = "Who buys less than before, or much more: the direction matters, and not the level."
    example = 'trend: {feature: orders.number, this: 7d, vs: 7d, change: "<= -50%"}'
    story = """
    name: one order after two is half as many; after a week without any there is nothing to compare with
    events: [[1d, order], [2d, order], [8d, order]]
    expect: [{at: 8d, member: false}, {at: 9d, member: true}, {at: 15d, member: true}, {at: 22d, member: false}]
    """

    feature: Annotated[str, takes_text("a feature as `group.name`")]
    this: Duration
    vs: Duration
    change: PercentComparison

    @field_validator("change")
    @classmethod
    def _is_of_numbers(cls, change: Comparison) -> Comparison:
        change.check(DataType("float"))
        return change

    def references(self) -> References:
        """The feature, whatever its own windows."""
        return References(features=(self.feature,))

    def check_feature(self, aggregate: Aggregate, of: DataType | None) -> None:
        """See that the feature is a number whose differences are exact. Raises ValueError."""
        result = aggregate.result_type(of)
        is_rough = result.kind == "float" and cast(Measure, aggregate).keeps_type
        if not result.is_number or is_rough:
            expected = "a feature that is an int or a decimal, or a mean, variance or share of one"
            raise refuse("SEG-0208", f"a trend of {result} is not exact", expected=expected, found=f"`{aggregate.op}`")
        if self.this != self.vs and aggregate.op not in _PER_DAY:
            expected = "`this` and `vs` of one length"
            raise refuse("SEG-0103", f"`{aggregate.op}` can not be told by the day", expected=expected)

    def of_nothing(self) -> frozenset[bool | None]:
        """Nothing against nothing: no change, or an unknown one."""
        return frozenset((True, False, None))

    def needs(self, project: Project) -> tuple[Need, ...]:
        """The events of both times."""
        return (within(self.this + self.vs),)

    def steps(self, view: View) -> Steps:
        """The sign of the change against each constant, wherever either operand changes."""
        now, before = self._operands(view)
        who, at = _instants(now, before)
        none = np.full(1, -1), np.zeros(1, np.int64)
        initial = self._truth(now.at_instants(*none), before.at_instants(*none))
        truth = self._truth(now.at_instants(who, at), before.at_instants(who, at))
        return turning(who, at, truth, np.full(view.size, initial[0], np.int8))

    def evidence(self, view: View) -> Evidence:
        """The events of both times."""
        return view.evidence(view.aggregate(self.feature)[0], Last(self.this + self.vs))

    def numbers(self, view: View, stint: int, at: int) -> dict[str, Any]:
        """The feature now and before, and the change."""
        place = np.array([stint]), np.array([at])
        now, before = (one.at_instants(*place) for one in self._operands(view))
        told = {name: _float(one.numerator[0], one.denominator[0], one.digits) for name, one in (("this", now), ("vs", before))}
        change, base, digits = self._change(now, before)
        return {"value": _float(change[0], base[0], digits), "compared": self.change.text, **told}

    def _operands(self, view: View) -> tuple[Amounts, Amounts]:
        return self._amounts(view, Last(self.this)), self._amounts(view, Between(self.this + self.vs, self.this))

    def _amounts(self, view: View, window: Window) -> Amounts:
        source, aggregate = view.aggregate(self.feature)
        selected, values = view.select(source, window, aggregate.of)
        of = view.project.event_columns[aggregate.of] if aggregate.of else None
        return amounts(cast(Measure, aggregate), selected.rows, values, of)

    def _change(self, now: Quotient, before: Quotient) -> Quotient:
        """The difference, per 24 hours where the lengths differ; of the earlier operand where it is asked for in percent."""
        (a, b), (c, d) = now[:2], before[:2]
        if self.this != self.vs:
            a, b, c, d = a * UNITS["d"], b * self.this, c * UNITS["d"], d * self.vs
        base = b * (abs(c) if self.change.percent else d)
        # of what is missing nothing is known, in percent not even where the other operand is nothing
        return Quotient(a * d - c * b, np.where((b == 0) | (d == 0), 0, base), 0 if self.change.percent else now.digits)

    def _truth(self, now: Quotient, before: Quotient) -> Truths:
        change, base, digits = self._change(now, before)
        missing = np.asarray(base == 0, np.bool_)
        base = np.where(missing, 1, base)
        known = judge(self.change.tree, lambda constant: _sign(change, base, constant, digits), np.zeros_like(missing))
        return np.where(missing, np.int8(UNKNOWN), known)


def _float(numerator: int, denominator: int, digits: int) -> float | None:
    return None if denominator == 0 else float(Fraction(numerator, denominator * 10**digits))


def _sign(change: Number, base: Number, constant: Constant, digits: int) -> Ints:
    return ratio_sign(change, base, fraction(constant, digits))


def _instants(one: Amounts, other: Amounts) -> tuple[Ints, Ints]:
    """The instants at which either changes."""
    who, at = np.concatenate((one.who, other.who)), np.concatenate((one.at, other.at))
    index = order(who, at)
    who, at = who[index], at[index]
    kept = firsts(who, at) & (at != FOREVER)
    return who[kept], at[kept]


OPERATOR = Trend
