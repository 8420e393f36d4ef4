"""What becomes of the members of segments that are not published yet, at the last T and K, by a sample of subjects."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runners.answers.recalling import recall
from runners.plans.previewing import ENOUGH
from runners.plans.sampling import Estimate, estimated, sampled
from runners.warehouses.lake import Lake, quoted
from runners.warehouses.published import LastRun
from runners.warehouses.read import subjects_at
from schemas.definitions.lineage import narrow
from schemas.definitions.project import Project
from transforms.algebra.evaluate import evaluate_unrefused
from transforms.algebra.order import TRUE, Flags, Ints, Steps, value_at
from transforms.algebra.study import Study
from transforms.algebra.verdicts import REASONS, allows, judge

_SEED = 0
OUTSIDE = "EVENT_OUTSIDE_EPOCH"
"""What keeps a subject out whose purposes are open at T: its events do not count."""


@dataclass
class Seen:
    """What the subjects looked at say of one segment.

    Attributes:
      before: whom its record has as members at the last T, of all subjects; `was` how many of them are looked at.
      stay, enter: how many of those looked at would be members, of the members and of the others.
      satisfy: how many satisfy the condition, whatever the purposes say.
      kept_out: of these, how many are no members, by purpose and the first reason.
    """

    before: pa.Array
    was: int = 0
    stay: int = 0
    enter: int = 0
    satisfy: int = 0
    kept_out: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True)
class Sample:
    """Some subjects, looked at for several segments at once.

    Attributes:
      subjects: how many there are.
      looked_at: how many of them are in the sample.
      part: the part of all that was to be in it.
    """

    subjects: int
    looked_at: int
    part: float
    seen: dict[str, Seen]

    def document(self) -> dict[str, Any]:
        """What there is to know of the sample, JSON-able."""
        return {"subjects": self.subjects, "looked_at": self.looked_at, "part": self.part}

    def members(self, name: str) -> dict[str, Any]:
        """Who would enter and leave, and whom consent keeps out, each number with its bounds. JSON-able."""
        seen = self.seen[name]
        others = self.subjects - len(seen.before)
        enter = estimated(seen.enter, self.looked_at - seen.was, others)
        leave = estimated(seen.was - seen.stay, seen.was, len(seen.before))
        kept_out = [
            {"purpose": purpose, "reason": reason, **self._of_all(count)._asdict()}
            for (purpose, reason), count in sorted(seen.kept_out.items(), key=lambda one: (-one[1], one[0]))
        ]
        told = {"enter": enter, "leave": leave, "satisfy": self._of_all(seen.satisfy)}
        return {
            "before": len(seen.before),
            **{key: one._asdict() for key, one in told.items()},
            "kept_out": kept_out,
        }

    def _of_all(self, count: int) -> Estimate:
        return estimated(count, self.looked_at, self.subjects)


def foresee(lake: Lake, project: Project, last: LastRun, records: Mapping[str, str]) -> Sample:
    """Look at ENOUGH subjects, or at all where there are no more, for some segments; each with whose record it is held to."""
    asked = narrow(project, "segments", *records)
    seen = {name: Seen(_members(lake, record)) for name, record in records.items()}
    known = subjects_at(lake, asked, last.t_at, last.known_at)
    everyone = pc.unique(pa.concat_arrays([known, *(one.before for one in seen.values())]))
    part = min(1.0, ENOUGH / max(1, len(everyone)))
    chosen = everyone.filter(pa.array(sampled(everyone, part, _SEED)))
    for one in seen.values():
        one.was = int(_among(chosen, one.before).sum())
    for ids, study in recall(lake, asked, chosen, last.known_at, answered=True):
        _look(asked, ids, _among(ids, chosen), study, last.t_at, seen)
    return Sample(len(everyone), len(chosen), part, seen)


def _members(lake: Lake, name: str) -> pa.Array:
    found = lake.arrow(f"SELECT subject FROM segment_membership WHERE segment = {quoted(name)}")
    return found["subject"].combine_chunks()


def _among(subjects: pa.Array, others: pa.Array) -> Flags:
    return np.asarray(pc.is_in(subjects, others)).astype(np.bool_)


def _look(project: Project, ids: pa.Array, asked: Flags, study: Study, at: int, seen: dict[str, Seen]) -> None:
    """Count what the subjects asked for say of each segment at T."""
    unrefused = evaluate_unrefused(project, study.facts, project.order)
    number = study.facts.numbered_at(at)
    verdicts = {name: judge(study.facts.judged, one, at).code[number] for name, one in project.purposes.items()}
    for name, one in seen.items():
        is_member, satisfies = asked & _at(study.evaluation.answers[name], at), asked & _at(unrefused[name], at)
        was = _among(ids, one.before)
        one.stay += int((is_member & was).sum())
        one.enter += int((is_member & ~was).sum())
        one.satisfy += int(satisfies.sum())
        _refuse(one, project.segments[name].purposes, verdicts, satisfies & ~is_member)


def _at(steps: Steps, at: int) -> Flags:
    who = np.arange(len(steps.initial))
    holds: Flags = value_at(steps, who, np.full(len(who), at)) == TRUE
    return holds


def _refuse(seen: Seen, purposes: Sequence[str], verdicts: dict[str, Ints], out: Flags) -> None:
    """Count those kept out by the first purpose that refuses them; where none does, events are not theirs to use."""
    for purpose in purposes:
        code = verdicts[purpose]
        refused = out & ~allows(code)
        for reason, count in enumerate(np.bincount(code[refused], minlength=len(REASONS))):
            if count:
                seen.kept_out[purpose, REASONS[reason]] += int(count)
        out = out & ~refused
    if out.any():
        seen.kept_out["+".join(purposes), OUTSIDE] += int(out.sum())
