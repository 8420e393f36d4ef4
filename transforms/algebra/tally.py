"""What became of the records a run has read, and what consent said, in numbers."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.kinds import EVENTS, IDENTITIES, KINDS
from transforms.algebra.absorb import News
from transforms.algebra.claims import ints
from transforms.algebra.order import FOREVER, Flags, Ints
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State
from transforms.algebra.study import Study
from transforms.algebra.verdicts import REASONS, allows, judge, next_turns, reasons

UNKNOWN = len(REASONS)
"""The code of a subject that is not known at T, and counted nowhere."""


class Tally:
    """Counts verdicts: those of subjects that nothing has happened to are remembered by code."""

    def __init__(self, program: Program, state: State, news: News, refused: pa.Table, moment: Moment) -> None:
        self.program, self.state, self.news, self.refused, self.moment = program, state, news, refused, moment
        events = news.facts["events"]
        self.due = _dated(events, EVENTS.at, moment)
        self.who, self.at = news.who["events"][self.due], ints(events[EVENTS.at], 0)[self.due]
        self.allowed = np.zeros(len(self.who), np.bool_)
        self.codes = {name: codes_before(state.verdicts, name, state.count, UNKNOWN) for name in program.project.purposes}
        self.events = {name: np.zeros(len(REASONS), np.int64) for name in program.project.purposes}

    def judge(self, study: Study) -> Ints:
        """Judge the studied subjects and their new events; gives the next instant at which a verdict may change."""
        facts, used_at = study.facts, self.moment.at
        first, number, root = facts.first_fact_at, facts.numbered_at(used_at), facts.roots_at(used_at)
        is_subject = (first <= used_at) & (root == np.arange(len(root)))
        following = np.where(first > used_at, first, FOREVER)
        local = np.full(self.state.count, -1)
        local[study.who] = np.arange(len(study.who))
        place = local[self.who]
        mine = np.flatnonzero(place >= 0)
        for name, purpose in self.program.project.purposes.items():
            judgement = judge(facts.judged, purpose, used_at)
            self.codes[name][study.who] = np.where(is_subject, judgement.code[number], UNKNOWN)
            found = reasons(judgement, number[place[mine]], self.at[mine])
            refused = allows(found) & ~allows(judgement.code[number[root[place[mine]]]])
            found[refused] = judgement.code[number[root[place[mine][refused]]]]
            self.events[name] += np.bincount(found, minlength=len(REASONS))
            self.allowed[mine] |= allows(found)
            np.minimum.at(following, facts.ids_judged, next_turns(facts.judged, purpose, used_at))
        return np.minimum(following, facts.next_kin(used_at))

    @property
    def remembered(self) -> pa.Table:
        """The verdicts of all subjects, for the state."""
        return pa.table({name: pa.array(code.astype(np.int8)) for name, code in self.codes.items()})

    @property
    def verdicts(self) -> pa.Table:
        """Numbers by purpose and reason."""
        return verdicts(self.codes, self.events)

    @property
    def fates(self) -> pa.Table:
        """One row with the number of records of each fate."""
        news, needed = self.news, _needed(self.news.projected)[self.due]
        others = (kind for kind in KINDS.values() if kind is not EVENTS)
        links, refused_links = news.facts["identities"], _among(news.facts["identities"], self.refused)
        quarantined = int(refused_links.sum())
        used = sum(int(_dated(news.facts[kind.name], kind.at, self.moment).sum()) for kind in others)
        used -= int((_dated(links, IDENTITIES.at, self.moment) & refused_links).sum())
        used += int((self.allowed & needed).sum())
        accepted = sum(map(len, news.facts.values()))
        refused, unneeded = int((~self.allowed).sum()), int((self.allowed & ~needed).sum())
        fates = {
            "read": accepted + news.repeated,
            "duplicate": news.repeated,
            "quarantined": quarantined,
            "kept": accepted - used - refused - unneeded - quarantined,
            "refused": refused,
            "unneeded": unneeded,
            "used": used,
            "conflicts": news.conflicts,
        }
        return pa.table({name: [number] for name, number in fates.items()})


def verdicts(codes: Mapping[str, Ints], events: Mapping[str, Ints]) -> pa.Table:
    """Numbers by purpose and reason, of subjects by their codes, and of events by purpose and code where there are any."""
    rows, none = [], np.zeros(len(REASONS), np.int64)
    for name, code in codes.items():
        told, subjects = events.get(name, none), np.bincount(code, minlength=UNKNOWN + 1)[:UNKNOWN]
        rows += [(name, REASONS[at], told[at], subjects[at]) for at in np.flatnonzero(told + subjects)]
    columns = list(zip(*rows, strict=True)) or [()] * 4
    types = (pa.string(), pa.string(), pa.int64(), pa.int64())
    names = ("purpose", "reason", "events", "subjects")
    return pa.table({name: pa.array(column, kind) for name, column, kind in zip(names, columns, types, strict=True)})


def codes_before(known: pa.Table, name: str, count: int, absent: int) -> Ints:
    """The codes that a state remembers of its subjects, `absent` for those who are new."""
    old = ints(known[name], 0) if name in known.column_names else np.empty(0, np.int64)
    return np.append(old, np.full(count - len(old), absent))


def _needed(projected: pa.Table) -> Flags:
    """The events that any definition names."""
    needed = np.zeros(len(projected), np.bool_)
    for name in projected.column_names:
        if name.startswith("p_"):
            needed |= projected[name].to_numpy()
    return needed


def _dated(rows: pa.Table, column: str, moment: Moment) -> Flags:
    """The rows dated up to T and received by K; the others are kept."""
    return (ints(rows[column], FOREVER) <= moment.at) & (ints(rows["received_at"], 0) <= moment.known_at)


def _among(links: pa.Table, refused: pa.Table) -> Flags:
    """Which of the links are refused."""
    keys, others = (pc.binary_join_element_wise(rows["source"], rows["position"], "\n") for rows in (links, refused))
    return np.asarray(pc.is_in(keys, value_set=others.combine_chunks())).astype(np.bool_)
