"""The lifecycle matrix: how many subjects were in which phase at T, and in which one period before (5.13)."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pyarrow as pa

from schemas.definitions.window import Ago, Between, Last
from transforms.algebra.flows import Flow
from transforms.algebra.in_use import any_at, next_opening, open_at
from transforms.algebra.operators.lifecycle import PHASES, CalendarPeriod, Lifecycle
from transforms.algebra.order import FOREVER, Ints
from transforms.algebra.periods import in_units
from transforms.algebra.program import Program
from transforms.algebra.reduce import Contributions
from transforms.algebra.state import State
from transforms.algebra.study import Study
from transforms.algebra.tally import codes_before
from transforms.algebra.view import View

NAMES = tuple(PHASES)
NOBODY = len(NAMES) ** 2
"""The code of a subject that is not known at T, or whose data may not be used: counted nowhere."""


class Passages:
    """Counts subjects by their two phases: those of subjects that nothing has happened to are remembered by code."""

    def __init__(self, program: Program, state: State, at: int) -> None:
        self.flows, self.at = program.flows, at
        self.codes = [codes_before(state.lifecycles, flow.meaning, state.count, NOBODY) for flow in self.flows]

    def judge(self, study: Study) -> Ints:
        """Look at the studied subjects; gives the next instant at which any of their phases may change."""
        first, root = study.facts.first_fact_at, study.facts.roots_at(self.at)
        is_subject = (first <= self.at) & (root == np.arange(len(root)))
        changes = np.where(first > self.at, first, FOREVER)
        for flow, codes in zip(self.flows, self.codes, strict=True):
            found, following = _passage(study.view(flow.purposes), flow.leaf, len(first), self.at)
            codes[study.who] = np.where(is_subject, found, NOBODY)
            np.minimum(changes, following, out=changes)
        return changes

    @property
    def remembered(self) -> pa.Table:
        """The codes of all subjects, for the state."""
        return pa.table({flow.meaning: pa.array(code.astype(np.int8)) for flow, code in zip(self.flows, self.codes, strict=True)})

    @property
    def counted(self) -> pa.Table:
        """Numbers by lifecycle and pair of phases."""
        return counted(self.flows, self.codes)


def counted(flows: Sequence[Flow], codes: Sequence[Ints]) -> pa.Table:
    """Numbers by lifecycle and pair of phases, of subjects by their codes for each lifecycle."""
    numbers = np.array([np.bincount(code, minlength=NOBODY + 1)[:NOBODY] for code in codes]).reshape(-1, NOBODY)
    flow, code = np.nonzero(numbers)
    then, now = np.divmod(code, len(NAMES))
    names = pa.array(NAMES)
    return pa.table(
        {
            "lifecycle": pa.array([one.said for one in flows], pa.string()).take(pa.array(flow)),
            "purpose": pa.array([one.purpose for one in flows], pa.string()).take(pa.array(flow)),
            "from_state": names.take(pa.array(then)),
            "to_state": names.take(pa.array(now)),
            "subjects": pa.array(numbers[flow, code].astype(np.int64)),
        }
    )


def _passage(view: View, leaf: Lifecycle, count: int, at: int) -> tuple[Ints, Ints]:
    """The code of each subject at T, and an instant before which it does not change."""
    stint, following = open_at(view, count, at), next_opening(view, count, at)
    found = []
    for rows in _spans(view, leaf):
        holds, changes = any_at(view, rows, stint, at)
        np.minimum(following, changes, out=following)
        found.append(holds)
    current, previous, one_more, before_both, before_three = found
    now = _PHASE[current * 4 + previous * 2 + before_both]
    then = _PHASE[previous * 4 + one_more * 2 + before_three]
    return np.where(stint >= 0, then * len(NAMES) + now, NOBODY), following


def _spans(view: View, leaf: Lifecycle) -> list[Contributions]:
    """The events of the period of T, of the two before it, and of all time before the second and before the third of them."""
    if isinstance(leaf.period, CalendarPeriod):
        units = ((0, 0), (1, 1), (2, 2), (2, None), (3, None))
        return [in_units(view, leaf.reference, leaf.period.unit, leaf.period.tz, *span).rows for span in units]
    length = leaf.period
    windows = (
        *(Last(length), Between(2 * length, length), Between(3 * length, 2 * length)),
        *(Ago(2 * length), Ago(3 * length)),
    )
    return [view.evidence(leaf.reference, window).rows for window in windows]


def _phase(found: tuple[bool, ...]) -> int:
    """The place of the phase of a subject with events in this period, in the one before, and before both, or not."""
    fits = (all(want in (None, is_so) for want, is_so in zip(wanted, found, strict=True)) for wanted in PHASES.values())
    return list(fits).index(True)


_PHASE = np.array([_phase(found) for found in product((False, True), repeat=3)])
