"""The ledger of one subject, read naively (consent.md): which rows count, when they act, which epochs they make.

`accepted` answers which rows of the ledger count at K. `gate_of` replays those rows for one purpose and one channel
and gives the epochs and, for every instant, the state. Nothing here knows T: a step holds from its instant on.
"""



from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from tests.support.oracle_model import BEGINNING, DAY, FOREVER, MINUTE, SECOND, Consent, record_hash

BACK_DATE = 15 * MINUTE
FUTURE_SKEW = 5 * MINUTE
PERMISSIVE = frozenset({"GRANT", "UNOBJECT", "UNRESTRICT"})
RESTRICTIVE = frozenset({"DENY", "WITHDRAW", "OBJECT", "RESTRICT", "INVALIDATE", "ERASE"})
CHANNELS = frozenset({"*", "email", "sms", "push", "phone", "post", "onsite", "ads"})
PRECISION = {"us": 0, "s": SECOND, "day": DAY}
# "Ties at one instant are applied in this order, so the most restrictive wins".
RANK = {
    "UNOBJECT": 0,
    "GRANT": 1,
    "UNRESTRICT": 2,
    "INVALIDATE": 3,
    "DENY": 4,
    "WITHDRAW": 5,
    "RESTRICT": 5,
    "OBJECT": 6,
    "ERASE": 7,
}


# --- When a row acts --------------------------------------------------------------------------------------------------


def quarantined(row: Consent, registered: frozenset[str]) -> bool:
    """Malformed rows, unknown purposes, and permissive rows claimed beyond the future skew, for good."""
    if row.action not in RANK or row.channel not in CHANNELS or row.claimed_precision not in PRECISION:
        return True
    if row.purpose == "*":
        return row.action in PERMISSIVE  # `*` only on what restricts
    if row.purpose not in registered:
        return True
    return row.action in PERMISSIVE and row.claimed_at > row.received_at + FUTURE_SKEW


def permits_at(row: Consent) -> int:
    """Permissive: max(min(c+p, r), r - B)."""
    c, p, r = row.claimed_at, PRECISION[row.claimed_precision], row.received_at
    return max(min(c + p, r), r - BACK_DATE)


def restricts_at(row: Consent, trusted: bool) -> list[int]:
    """Restrictive: min(c, r), again at max(min(c, r), min(c+p, r)), and at r when the clock is slow and not trusted."""
    c, p, r = row.claimed_at, PRECISION[row.claimed_precision], row.received_at
    acts = [min(c, r), max(min(c, r), min(c + p, r))]
    if r - c > FUTURE_SKEW and not trusted:
        acts.append(r)
    return sorted(set(acts))


# --- Which rows count -------------------------------------------------------------------------------------------------


def _key(row: Consent) -> tuple[str, str, str, str, str]:
    return (row.source, row.subject, row.purpose, row.channel, row.event_id)


@lru_cache(maxsize=10_000)
def body_hash(row: Consent) -> str:
    """The content of a row: everything but when it was received."""
    content = dict(vars(row))
    del content["received_at"]
    return record_hash(content)


def _first_receipts(rows: Iterable[Consent]) -> list[Consent]:
    """Duplicates, same body: the smallest `received_at`."""
    first: dict[Consent, Consent] = {}
    for row in rows:
        body = replace(row, received_at=0)
        if body not in first or row.received_at < first[body].received_at:
            first[body] = row
    return list(first.values())


def _snapshot_withdrawals(
    rows: list[Consent], facts: list[Consent], registered: frozenset[str]
) -> list[Consent]:
    """Snapshots: each registered purpose without a row of channel `*` in it gets a WITHDRAW of the snapshot's instants.

    Where the rows of one snapshot differ in their instants, it withdraws at those of each. A row that lost to another
    body is no fact, so it names no purpose; but its instants stand, or a twin that restricts would permit (principle 5).
    """
    snapshots: dict[tuple[str, str, str], list[Consent]] = {}
    for row in rows:
        if row.payload_kind == "snapshot":
            snapshots.setdefault((row.source, row.subject, row.event_id), []).append(row)
    withdrawals = []
    for (source, subject, event_id), members in sorted(snapshots.items()):
        named = {row.purpose for row in members if row.channel == "*" and row in facts}
        instants = sorted({(row.claimed_at, row.received_at, row.claimed_precision) for row in members})
        withdrawals += [
            Consent(
                source=source,
                subject=subject,
                event_id=event_id,
                purpose=purpose,
                action="WITHDRAW",
                claimed_at=claimed_at,
                received_at=received_at,
                claimed_precision=precision,
                payload_kind="snapshot",
            )
            for purpose in sorted(registered - named)
            for claimed_at, received_at, precision in instants
        ]
    return withdrawals


def _one_body(rows: list[Consent]) -> list[Consent]:
    """Duplicates, two bodies: all restrictive ones apply; a permissive one with a restrictive twin does not.

    Of two permissive ones: the later `effective_at`, then the (smaller) content hash.
    """
    restrictive = [row for row in rows if row.action in RESTRICTIVE]
    if restrictive:
        return restrictive
    latest = max(permits_at(row) for row in rows)
    return [min((row for row in rows if permits_at(row) == latest), key=body_hash)]


def accepted(rows: Iterable[Consent], registered: frozenset[str], K: int) -> list[Consent]:
    """The rows of one subject that count at K, snapshots completed, chosen among the rows seen at K (2.4)."""
    seen = [row for row in rows if row.received_at <= K and not quarantined(row, registered)]
    firsts = _first_receipts(seen)
    by_key: dict[tuple[str, str, str, str, str], list[Consent]] = {}
    for row in firsts:
        by_key.setdefault(_key(row), []).append(row)
    facts = [row for group in by_key.values() for row in _one_body(group)]
    return facts + _snapshot_withdrawals(firsts, facts, registered)


# --- A purpose of the registry ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Purpose:
    """What purposes.yaml says of one purpose, durations and instants read."""

    name: str
    bases: Mapping[str, str]
    versions: tuple[tuple[int, int], ...] = ((BEGINNING, 1),)
    """(introduced_at, major), oldest first."""
    max_grant_age: int | None = None
    max_lookback: int | None = None
    min_age: int | None = None

    @property
    def strictest(self) -> str:
        """Consent is the stricter of the two bases."""
        return "consent" if "consent" in self.bases.values() else "legitimate_interest"

    def basis(self, country: object) -> str:
        """By jurisdiction: the profile's `country`, else the strictest of the purpose's bases."""
        if not country:
            return self.strictest
        return self.bases.get(str(country), self.bases.get("default", self.strictest))

    def needs_country(self) -> bool:
        """Whether the answer depends on where the subject is."""
        return len(set(self.bases.values())) > 1

    def major_at(self, instant: int) -> int:
        """The major in force; before the first `introduced_at` the first version is in force."""
        in_force = [major for introduced, major in self.versions if introduced <= instant]
        return in_force[-1] if in_force else self.versions[0][1]


# --- The replay -------------------------------------------------------------------------------------------------------


@dataclass
class Epoch:
    """[start, end); void when an INVALIDATE with `retroactive` took it back."""

    start: int
    end: int
    basis: str
    void: bool = False

    def holds(self, instant: int) -> bool:
        """Half-open."""
        return not self.void and self.start <= instant < self.end


@dataclass(frozen=True)
class Step:
    """What is true from `at` until the next step."""

    at: int
    state: str
    restricted: bool
    basis: str


@dataclass
class Gate:
    """The replay of one purpose and one channel for one subject."""

    basis: str
    state: str = "UNKNOWN"
    objected: bool = False
    erased: bool = False
    restricted: bool = False
    refused: bool = False  # the last word was a restrictive row
    current: Epoch | None = None
    epochs: list[Epoch] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def open_epoch(self, start: int, end: int) -> None:
        """A new epoch; it revives nothing."""
        self.current = Epoch(start, end, self.basis)
        self.epochs.append(self.current)
        self.state, self.objected, self.refused = "GRANTED", False, False

    def close_epoch(self, at: int) -> bool:
        """End the current epoch, if there is one."""
        if self.current is None:
            return False
        self.current.end = at
        self.current = None
        return True

    def expire(self, until: int) -> None:
        """A grant ends at its end, whether or not anything happens then."""
        if self.current is not None and self.current.end <= until:
            at = self.current.end
            self.close_epoch(at)
            self.state = "EXPIRED"
            self.note(at)

    def note(self, at: int) -> None:
        """Record what is true from `at` on."""
        self.steps.append(Step(at, self.state, self.restricted, self.basis))

    def step_at(self, instant: int) -> Step:
        """The last step at or before the instant."""
        found = self.steps[0]
        for step in self.steps:
            if step.at > instant:
                break
            found = step
        return found

    def epoch_at(self, instant: int) -> Epoch | None:
        """The epoch that holds the instant."""
        return next((epoch for epoch in self.epochs if epoch.holds(instant)), None)

    def open_at(self, instant: int) -> bool:
        """An epoch holds the instant and no restriction lies over it."""
        return self.epoch_at(instant) is not None and not self.step_at(instant).restricted

    def both(self, event_time: int, use_time: int) -> bool:
        """Two gates, one epoch: it contains both instants (6.1); under a restriction nothing is used."""
        epoch = self.epoch_at(use_time)
        return epoch is not None and epoch.holds(event_time) and not self.step_at(use_time).restricted


def _by_the_person(row: Consent) -> bool:
    """Objection: only interactive, double_opt_in or parental, by the subject or a guardian, clears it."""
    return row.method in ("interactive", "double_opt_in", "parental") and row.actor in ("subject", "guardian")


def _end_of_grant(row: Consent, purpose: Purpose) -> int:
    """min(`expires_at`, min(`claimed_at`, `effective_at`) + `max_grant_age`)."""
    ends = [FOREVER]
    if row.expires_at is not None:
        ends.append(row.expires_at)
    if purpose.max_grant_age is not None:
        ends.append(min(row.claimed_at, permits_at(row)) + purpose.max_grant_age)
    return min(ends)


def _grant(gate: Gate, row: Consent, at: int, purpose: Purpose) -> None:
    if gate.erased or (gate.objected and not _by_the_person(row)):
        return
    # Legitimate interest: GRANT reopens it; lifetimes do not apply.
    end = FOREVER if gate.basis == "legitimate_interest" else _end_of_grant(row, purpose)
    if gate.current is not None:
        gate.current.end = max(gate.current.end, end)
    elif end > at:  # a grant that opens nothing clears nothing
        gate.open_epoch(at, end)


def _unobject(gate: Gate, row: Consent, at: int) -> None:
    if gate.erased or (gate.objected and not _by_the_person(row)):
        return
    if gate.basis == "legitimate_interest":
        if gate.current is None:
            gate.open_epoch(at, FOREVER)
        return
    gate.refused = False  # should the basis change to legitimate interest, UNOBJECT has reopened it
    if gate.objected:  # on a consent basis UNOBJECT alone leads to UNKNOWN
        gate.objected, gate.state = False, "UNKNOWN"


_STATE = {
    "DENY": "DENIED",
    "WITHDRAW": "WITHDRAWN",
    "INVALIDATE": "INVALID",
    "OBJECT": "OBJECTED",
    "ERASE": "ERASED",
}


def _refuse(gate: Gate, row: Consent, at: int) -> None:
    """Every restrictive row but RESTRICT closes the epoch. An objection outlasts lesser rows, an erasure all."""
    gate.close_epoch(at)
    gate.refused = True
    gate.objected |= row.action == "OBJECT"
    gate.erased |= row.action == "ERASE"
    gate.state = "ERASED" if gate.erased else "OBJECTED" if gate.objected else _STATE[row.action]
    if row.action == "INVALIDATE" and row.retroactive:
        for epoch in gate.epochs:
            epoch.void |= epoch.start < at


def _apply(gate: Gate, row: Consent, at: int, purpose: Purpose) -> None:
    if row.action in PERMISSIVE and row.purpose_major != purpose.major_at(at):
        return  # a permissive row counts iff its major is in force at its `effective_at`
    if row.action == "GRANT":
        _grant(gate, row, at, purpose)
    elif row.action == "UNOBJECT":
        _unobject(gate, row, at)
    elif row.action in ("RESTRICT", "UNRESTRICT"):
        gate.restricted = row.action == "RESTRICT"  # an overlay: no epoch opens or closes
    else:
        _refuse(gate, row, at)


def _change_basis(gate: Gate, basis: str, at: int) -> None:
    """A change of basis closes the epoch; a legitimate interest is then open unless a restrictive row closed it."""
    if gate.close_epoch(at):
        gate.state = "UNKNOWN"
    gate.basis = basis
    if basis == "legitimate_interest" and not gate.refused:
        gate.open_epoch(at, FOREVER)


def gate_of(
    purpose: Purpose,
    rows: Iterable[Consent],
    channel: str,
    bases: list[tuple[int, str]],
    trusted: frozenset[str],
    flowing: Iterable[Consent] = (),
) -> Gate:
    """Replay an id's accepted rows for one purpose and channel. `bases`: the basis from each instant on.

    `flowing`: rows of ids that it is one subject with (6.3).
    """
    acts: list[tuple[int, int, bytes, Consent]] = []
    for row in [*rows, *flowing]:
        if row.channel == channel and row.purpose in (purpose.name, "*"):
            instants = [permits_at(row)] if row.action in PERMISSIVE else restricts_at(row, row.source in trusted)
            acts += [(at, RANK[row.action], row.event_id.encode(), row) for at in set(instants)]
    acts.sort(key=lambda act: (*act[:3], act[3].source, act[3].purpose, body_hash(act[3])))

    gate = Gate(basis=bases[0][1])
    if gate.basis == "legitimate_interest":  # open from the beginning
        gate.open_epoch(BEGINNING, FOREVER)
    gate.note(BEGINNING)
    new_majors = {at for (_, old), (at, new) in zip(purpose.versions, purpose.versions[1:], strict=False) if old != new}
    changes = dict(bases[1:])
    for at in sorted({act[0] for act in acts} | new_majors | set(changes)):
        gate.expire(at)
        if at in changes:
            _change_basis(gate, changes[at], at)
        if at in new_majors and gate.basis == "consent" and gate.close_epoch(at):
            gate.state = "STALE"  # a new major version closes older epochs on a consent basis
        for act in acts:
            if act[0] == at:
                _apply(gate, act[3], at, purpose)
        gate.note(at)
    if gate.current is not None and gate.current.end < FOREVER:
        gate.expire(gate.current.end)
    return gate
