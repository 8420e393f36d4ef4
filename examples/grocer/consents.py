"""A SYNTHETIC consent ledger for the grocer. The Complete Journey study holds no consent at all.

Everything in here is made up by a generator with a fixed seed; it says nothing about the households of the study. It is
here so that the example has every kind of row that a shop meets: all nine actions, an opt-out of one channel, snapshots
of a preference page, grants that expire, rows that come late, contradict each other or may not enter the ledger. Most
households join in late 2016 and consent to something, so that segments have sensible sizes.

`ledger` gives the rows in the order in which they were received. One seed gives the same rows on every machine.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

Row = dict[str, Any]
Course = Callable[[Random, str, datetime], list[Row]]

ANALYTICS, EMAIL, OFFERS = "analytics", "marketing_email", "personal_offers"
SECOND_VERSION = datetime(2017, 6, 1, 4, tzinfo=UTC)
"""When the second version of marketing_email was introduced: midnight in New York."""
OUTAGE = datetime(2017, 8, 10, 13, tzinfo=UTC), datetime(2017, 8, 18, 9, tzinfo=UTC)
"""While the preference page kept its rows and sent none."""
SUBJECT_ONLINE: Row = {"method": "interactive", "actor": "subject"}
DOUBLE_OPT_IN: Row = {"method": "double_opt_in", "actor": "subject"}
ON_PAPER: Row = {"method": "import", "actor": "controller", "claimed_precision": "day"}


def ledger(households: Sequence[str], seed: int = 2017) -> list[Row]:
    """All rows about the households, by receipt. Instants are ISO 8601 UTC; columns are those of the consent ledger."""
    told = _told(households, seed)
    rows = [row for household in households for row in _numbered(household, seed, told.get(household, ()))]
    return sorted(rows, key=lambda row: (row["received_at"], row["event_id"], row["purpose"]))


def _told(households: Sequence[str], seed: int) -> dict[str, tuple[Course, ...]]:
    """Which household goes which of the rarer courses, so many for each; the others only join."""
    left = Random(seed).sample(list(households), len(households))
    courses: dict[str, tuple[Course, ...]] = {}
    for course, count in RARER:
        chosen, left = left[:count], left[count:]
        courses |= dict.fromkeys(chosen, (course,))
    return courses


def _numbered(household: str, seed: int, courses: Sequence[Course]) -> Iterator[Row]:
    """The rows of one household, each with an id of its own unless it has one already."""
    chance = Random(f"{seed}/{household}")
    joined_at = _joins(chance)
    rows = _join(chance, household, joined_at)
    for course in courses:
        rows += course(chance, household, joined_at)
    for number, row in enumerate(rows, 1):
        yield {"event_id": f"c{household}-{number}", **row}


def _row(household: str, purpose: str, action: str, claimed_at: datetime, seconds: int = 2, **said: Any) -> Row:
    """One row, received so many seconds after it was claimed. Of a day-precise row the day is all that is claimed."""
    received_at = claimed_at + timedelta(seconds=seconds)
    if said.get("claimed_precision") == "day":
        claimed_at = claimed_at.replace(hour=0, minute=0, second=0, microsecond=0)
    instants = {"claimed_at": _written(claimed_at), "received_at": _written(received_at)}
    return {"subject": household, "purpose": purpose, "action": action, **instants, "jurisdiction": "US", **said}


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _between(chance: Random, start: datetime, end: datetime) -> datetime:
    return start + timedelta(seconds=chance.randrange(int((end - start).total_seconds())))


def _at(year: int, month: int, day: int, hour: int = 12) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


# --- What every household goes through --------------------------------------------------------------------------------


def _joins(chance: Random) -> datetime:
    """When a household gets its card: nearly all before the receipts of 2017 begin."""
    if chance.random() < 0.93:
        return _between(chance, _at(2016, 10, 15), _at(2016, 12, 31))
    return _between(chance, _at(2017, 1, 5), _at(2017, 9, 30))


def _join(chance: Random, household: str, at: datetime) -> list[Row]:
    """The form at the counter or on the web, and what follows from it in the year."""
    on_paper = chance.random() < 0.25
    how = dict(ON_PAPER if on_paper else SUBJECT_ONLINE, notice_version="2016-09")
    seconds = chance.randrange(86_400, 4 * 86_400) if on_paper else 2
    rows = []
    for purpose, granted, denied in ((OFFERS, 0.86, 0.93), (EMAIL, 0.78, 0.90)):
        answer = chance.random()
        if answer < denied:
            action = "GRANT" if answer < granted else "DENY"
            rows.append(_row(household, purpose, action, at, seconds, **how))
    said_yes = any(row["purpose"] == EMAIL and row["action"] == "GRANT" for row in rows)
    return rows + (_asked_again(chance, household, at) if said_yes else []) + _raffle(chance, household)


def _asked_again(chance: Random, household: str, joined_at: datetime) -> list[Row]:
    """The second version of the letters: most say yes again within six weeks, some unsubscribe later."""
    if chance.random() > 0.82:
        return []
    begin = max(joined_at + timedelta(days=1), SECOND_VERSION)
    again = _between(chance, begin, begin + timedelta(days=42))
    said: Row = {"purpose_major": 2, "notice_version": "2017-06", **DOUBLE_OPT_IN}
    rows = [_row(household, EMAIL, "GRANT", again, 40, **said)]
    if chance.random() < 0.08:
        left_at = _between(chance, again + timedelta(days=3), _at(2017, 12, 20))
        rows.append(_row(household, EMAIL, "WITHDRAW", left_at, 1, purpose_major=2, **SUBJECT_ONLINE))
        if chance.random() < 0.3:
            rows.append(_row(household, EMAIL, "GRANT", left_at + timedelta(days=9), 30, **said))
    return rows


def _raffle(chance: Random, household: str) -> list[Row]:
    """A summer raffle: consent to offers that ends by itself after half a year."""
    if chance.random() > 0.05:
        return []
    at = _between(chance, _at(2017, 5, 20), _at(2017, 8, 20))
    ends = _written(at + timedelta(days=182))
    return [_row(household, OFFERS, "GRANT", at, 3, expires_at=ends, notice_version="raffle-2017", **SUBJECT_ONLINE)]


# --- The rarer courses ------------------------------------------------------------------------------------------------


def _preference_page(chance: Random, household: str, joined_at: datetime) -> list[Row]:
    """A page saved as a whole: what is not in the snapshot is withdrawn. Everyone leaves analytics on."""
    at = _between(chance, _at(2017, 9, 1), _at(2017, 12, 1))
    said: Row = {"event_id": f"page-{household}", "payload_kind": "snapshot", **SUBJECT_ONLINE}
    rows = [_row(household, ANALYTICS, "GRANT", at, **said)]
    if chance.random() < 0.7:
        rows.append(_row(household, OFFERS, "GRANT", at, **said))
    if chance.random() < 0.5:
        rows.append(_row(household, EMAIL, "GRANT", at, purpose_major=2, **said))
    return rows


def _objects(chance: Random, household: str, joined_at: datetime) -> list[Row]:
    """An objection to analytics. A third takes it back; a nightly import tries to, which changes nothing."""
    at = _between(chance, _at(2017, 2, 1), _at(2017, 11, 1))
    rows = [_row(household, ANALYTICS, "OBJECT", at, **SUBJECT_ONLINE)]
    if chance.random() < 0.33:
        rows.append(_row(household, ANALYTICS, "UNOBJECT", at + timedelta(days=20), **SUBJECT_ONLINE))
    elif chance.random() < 0.5:
        rows.append(_row(household, ANALYTICS, "GRANT", at + timedelta(days=1), method="import", actor="system"))
    return rows


def _browser_signal(chance: Random, household: str, joined_at: datetime) -> list[Row]:
    """The browser says no on behalf of its user."""
    at = _between(chance, _at(2017, 3, 1), _at(2017, 12, 1))
    return [_row(household, OFFERS, "OBJECT", at, method="signal", actor="subject", scope="device")]


def _dispute(chance: Random, household: str, joined_at: datetime) -> list[Row]:
    """Nothing is used while the household and the shop disagree; half of the cases are settled."""
    at = _between(chance, _at(2017, 4, 1), _at(2017, 10, 1))
    rows = [_row(household, "*", "RESTRICT", at, 3600, method="import", actor="controller")]
    if chance.random() < 0.5:
        settled = at + timedelta(days=30)
        for purpose in (ANALYTICS, EMAIL, OFFERS):
            major = 2 if purpose == EMAIL and settled >= SECOND_VERSION else 1
            rows.append(_row(household, purpose, "UNRESTRICT", settled, 60, purpose_major=major, **SUBJECT_ONLINE))
    return rows


def _agency(chance: Random, household: str, joined_at: datetime) -> list[Row]:
    """An agency sold consents that it never had: they are void from their beginning."""
    at = _between(chance, SECOND_VERSION, _at(2017, 7, 10))
    said: Row = {"purpose_major": 2, "notice_version": "agency-7", "method": "agent", "actor": "controller"}
    void: Row = {"method": "import", "actor": "controller", "retroactive": True}
    granted = _row(household, EMAIL, "GRANT", at, 900, **said)
    return [granted, _row(household, EMAIL, "INVALIDATE", _at(2017, 11, 6), 60, **void)]


def _unclear_form(chance: Random, household: str, joined_at: datetime) -> list[Row]:
    """A form found to be unclear: its consents end, and what was done before stands."""
    said: Row = {"method": "import", "actor": "controller", "retroactive": False}
    return [_row(household, OFFERS, "INVALIDATE", _at(2017, 10, 2), 60, **said)]


def _erased(chance: Random, household: str, joined_at: datetime) -> list[Row]:
    """A request for erasure."""
    at = _between(chance, _at(2017, 8, 1), _at(2017, 12, 10))
    return [_row(household, "*", "ERASE", at, 5, **SUBJECT_ONLINE)]


def _one_channel(chance: Random, household: str, joined_at: datetime) -> list[Row]:
    """Offers yes, but not on the telephone, or not in the letter box. Membership does not change; exports do."""
    at = _between(chance, _at(2017, 1, 20), _at(2017, 12, 20))
    channel = chance.choice(("push", "push", "post"))
    rows = [_row(household, OFFERS, "WITHDRAW", at, channel=channel, **SUBJECT_ONLINE)]
    if chance.random() < 0.2:
        rows.append(_row(household, OFFERS, "GRANT", at + timedelta(days=5), channel=channel, **SUBJECT_ONLINE))
    return rows


def _in_the_outage(chance: Random, household: str, joined_at: datetime) -> list[Row]:
    """An unsubscription that the shop learns of a week later: what it sent meanwhile was wrong."""
    at = _between(chance, OUTAGE[0], OUTAGE[1] - timedelta(hours=1))
    seconds = int((OUTAGE[1] - at).total_seconds())
    return [_row(household, EMAIL, "WITHDRAW", at, seconds, purpose_major=2, **SUBJECT_ONLINE)]


def _contradiction(chance: Random, household: str, joined_at: datetime) -> list[Row]:
    """Yes on the telephone and no on the web in one instant, half of them under one id: no is what counts."""
    at = _between(chance, _at(2017, 3, 1), _at(2017, 11, 1))
    one_id: Row = {"event_id": f"both-{household}"} if chance.random() < 0.5 else {}
    rows = [_row(household, OFFERS, "GRANT", at, **one_id, **SUBJECT_ONLINE)]
    return [*rows, _row(household, OFFERS, "WITHDRAW", at, 5, **one_id, **SUBJECT_ONLINE)]


def _repeat(chance: Random, household: str, joined_at: datetime) -> list[Row]:
    """One row that is delivered again a day later, and one back-dated by a month: a quarter of an hour of it holds."""
    at = _between(chance, _at(2017, 2, 1), _at(2017, 11, 1))
    said: Row = {"event_id": f"again-{household}", **DOUBLE_OPT_IN}
    twice = [_row(household, OFFERS, "GRANT", at, seconds, **said) for seconds in (10, 86_410)]
    late: Row = {"method": "import", "actor": "controller"}
    return [*twice, _row(household, OFFERS, "GRANT", at + timedelta(days=3), 30 * 86_400, **late)]


def _guardian(chance: Random, household: str, joined_at: datetime) -> list[Row]:
    """A guardian signs."""
    at = _between(chance, _at(2017, 1, 10), _at(2017, 3, 1))
    return [_row(household, OFFERS, "GRANT", at, 120, method="parental", actor="guardian")]


def _refused(chance: Random, household: str, joined_at: datetime) -> list[Row]:
    """One row that may not enter the ledger: a purpose in the wrong case, no instant, for all purposes, of tomorrow."""
    at = _between(chance, _at(2017, 2, 1), _at(2017, 11, 1))
    row = _row(household, OFFERS, "GRANT", at, **SUBJECT_ONLINE)
    tomorrow = _written(at + timedelta(days=1))
    faults: tuple[Row, ...] = (
        {"purpose": "Personal_Offers"},
        {"claimed_at": None},
        {"purpose": "*"},
        {"claimed_at": tomorrow},
    )
    return [row | chance.choice(faults)]


RARER: tuple[tuple[Course, int], ...] = (
    (_preference_page, 60),
    (_one_channel, 50),
    (_objects, 40),
    (_in_the_outage, 24),
    (_browser_signal, 20),
    (_repeat, 16),
    (_agency, 14),
    (_contradiction, 12),
    (_dispute, 12),
    (_refused, 12),
    (_erased, 6),
    (_unclear_form, 5),
    (_guardian, 4),
)
"""How many households go each of the rarer courses."""
