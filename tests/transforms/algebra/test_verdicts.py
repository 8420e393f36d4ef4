from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.support.consent_rows import consents, minutes, profile, profiles, project, row
from tests.support.consent_rows import purpose as registered
from tests.support.judged import verdict
from transforms.algebra.epochs import Grounds
from transforms.algebra.order import BEGINNING
from transforms.algebra.verdicts import allows, reasons
from transforms.algebra.verdicts import judge as judge_all

INTEREST = {"default": "legitimate_interest"}
ALLOW, OUTSIDE = "ALLOW_consent", "EVENT_OUTSIDE_EPOCH"
GRANT, WITHDRAW, AGAIN = row("GRANT", 100), row("WITHDRAW", 200), row("GRANT", 300)
OBJECT = row("OBJECT", 50)
IMPORT = row("GRANT", 60, method="import")
BY_HAND = row("GRANT", 70, method="interactive", actor="subject")
LATE = row("WITHDRAW", 200, 260)


def judge(rows: list[dict[str, Any]], event: float, use: float, known: float = 10_000, **more: Any) -> str:
    purpose = more.pop("of", registered())
    table = profiles(more.pop("profile_rows", []))
    instants = (minutes(event), minutes(use), minutes(known))
    return verdict(project(purpose), purpose.id, consents(rows), table, "ann", *instants, **more)


@pytest.mark.parametrize(
    ("rows", "event", "use", "expected"),
    [
        ([GRANT, WITHDRAW], 120, 150, ALLOW),
        ([GRANT, WITHDRAW], 120, 210, "WITHDRAWN"),
        ([GRANT, WITHDRAW], 90, 150, OUTSIDE),
        ([GRANT, WITHDRAW, AGAIN], 120, 310, OUTSIDE),
        ([GRANT, WITHDRAW, AGAIN], 305, 310, ALLOW),
        ([row("GRANT", 100, 110)], 105, 120, ALLOW),
        ([row("GRANT", 100, 400)], 105, 410, OUTSIDE),
        ([row("GRANT", 100, 400)], 384.99, 410, OUTSIDE),
        ([row("GRANT", 100, 400)], 385, 410, ALLOW),
        ([GRANT, row("WITHDRAW", 100)], 100, 101, "WITHDRAWN"),
        ([row("GRANT", 900, 100)], 901, 905, "NO_RECORD"),
        ([row("GRANT", 50), row("WITHDRAW", 900, 100)], 60, 120, "WITHDRAWN"),
        ([row("GRANT", 50), row("WITHDRAW", 900, 100)], 60, 99, ALLOW),
        ([], 10, 20, "NO_RECORD"),
        ([row("GRANT", 100, expires=150)], 120, 151, "EXPIRED"),
        ([row("GRANT", 100, expires=150)], 120, 149.99, ALLOW),
        ([row("GRANT", 0, 600, claimed_precision="day")], 590, 650, OUTSIDE),
        ([row("GRANT", 0, 600, claimed_precision="day")], 590, 599, "NO_RECORD"),
        ([row("GRANT", 0, 600, claimed_precision="day")], 610, 650, ALLOW),
        ([row("GRANT", 100, purpose="*")], 120, 150, "NO_RECORD"),
        ([GRANT, row("WITHDRAW", 110, purpose="*")], 105, 120, "WITHDRAWN"),
    ],
)
def test_the_worked_verdicts(rows: list[dict[str, Any]], event: float, use: float, expected: str) -> None:
    assert judge(rows, event, use) == expected


def test_a_late_withdrawal_is_an_exposure_until_it_is_known() -> None:
    assert judge([GRANT, LATE], 210, 230, known=230) == ALLOW
    assert judge([GRANT, LATE], 210, 230, known=260) == "WITHDRAWN"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], "ALLOW_legitimate_interest"),
        ([OBJECT], "OBJECTED"),
        ([OBJECT, IMPORT], "OBJECTED"),
        ([OBJECT, IMPORT, BY_HAND], "ALLOW_legitimate_interest"),
        ([row("WITHDRAW", 50), row("UNOBJECT", 60)], "ALLOW_legitimate_interest"),
        ([row("DENY", 50)], "DENIED"),
    ],
)
def test_a_legitimate_interest_is_open_until_it_is_refused(rows: list[dict[str, Any]], expected: str) -> None:
    assert judge(rows, 80, 90, of=registered(basis=INTEREST)) == expected


def test_a_grant_of_an_older_major_is_none() -> None:
    purpose = registered(versions=((1, BEGINNING), (2, minutes(50))))
    assert judge([GRANT], 120, 150, of=purpose) == "STALE_VERSION"
    assert judge([row("GRANT", 100, purpose_major=2)], 120, 150, of=purpose) == ALLOW


def test_a_new_major_closes_the_epochs_of_the_old_one() -> None:
    purpose = registered(versions=((1, minutes(10)), (2, minutes(200))))
    assert judge([row("GRANT", 5)], 7, 199, of=purpose) == ALLOW
    assert judge([row("GRANT", 5)], 7, 200, of=purpose) == "STALE_VERSION"
    assert judge([row("GRANT", 5), row("GRANT", 200, purpose_major=2)], 200, 201, of=purpose) == ALLOW
    assert judge([row("GRANT", 200, purpose_major=1)], 200, 201, of=purpose) == "STALE_VERSION"


def test_a_grant_lives_as_long_as_the_purpose_lets_it() -> None:
    purpose = registered(max_grant_age=minutes(50))
    assert judge([GRANT], 120, 149, of=purpose) == ALLOW
    assert judge([GRANT], 120, 150, of=purpose) == "EXPIRED"
    assert judge([GRANT, row("GRANT", 140)], 120, 189, of=purpose) == ALLOW
    assert judge([GRANT, row("GRANT", 150)], 120, 151, of=purpose) == OUTSIDE


@pytest.mark.parametrize(("channel", "expected"), [("*", ALLOW), ("email", "CHANNEL_OPT_OUT"), ("push", ALLOW)])
def test_a_channel_is_closed_by_its_own_rows(channel: str, expected: str) -> None:
    rows = [row("GRANT", 0), row("DENY", 5, channel="email")]
    assert judge(rows, 10, 20, channel=channel) == expected


def test_the_purpose_closed_closes_every_channel() -> None:
    assert judge([row("GRANT", 0, channel="email")], 10, 20, channel="email") == "NO_RECORD"


def test_a_channel_opens_again_for_whom_it_was_closed() -> None:
    rows = [row("GRANT", 0), row("DENY", 5, channel="email"), row("GRANT", 7, channel="email")]
    assert judge(rows, 10, 20, channel="email") == ALLOW


MAIL: Any = {"channel": "email", "method": "interactive", "actor": "subject"}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row("GRANT", 5, expires=8, **MAIL)], ALLOW),
        ([row("DENY", 5, **MAIL), row("UNOBJECT", 6, **MAIL)], "CHANNEL_OPT_OUT"),
        ([row("DENY", 5, **MAIL), row("GRANT", 6, expires=8, **MAIL)], "CHANNEL_OPT_OUT"),
        ([row("OBJECT", 5, **MAIL)], "CHANNEL_OPT_OUT"),
        ([row("OBJECT", 5, **MAIL), row("UNOBJECT", 6, **MAIL)], ALLOW),
        ([row("OBJECT", 5, **MAIL), row("DENY", 6, **MAIL), row("UNOBJECT", 7, **MAIL)], "CHANNEL_OPT_OUT"),
        ([row("WITHDRAW", 5, purpose="*", **MAIL)], "CHANNEL_OPT_OUT"),
        ([row("RESTRICT", 5, **MAIL)], "RESTRICTED"),
        ([row("INVALIDATE", 5, retroactive=True, **MAIL)], "CHANNEL_OPT_OUT"),
        ([row("ERASE", 5, **MAIL), row("GRANT", 6, **MAIL)], "CHANNEL_OPT_OUT"),
    ],
)
def test_a_channel_that_says_nothing_follows_the_purpose(rows: list[dict[str, Any]], expected: str) -> None:
    assert judge([row("GRANT", 0), *rows], 10, 20, channel="email") == expected


def test_a_channel_of_an_interest_is_lifted_like_an_interest() -> None:
    rows = [row("WITHDRAW", 5, channel="email"), row("UNOBJECT", 6, channel="email")]
    interest = registered(basis="legitimate_interest")
    assert judge(rows[:1], 10, 20, of=interest, channel="email") == "CHANNEL_OPT_OUT"
    assert judge(rows, 10, 20, of=interest, channel="email") == "ALLOW_legitimate_interest"


def test_a_restriction_denies_use_and_gives_the_events_back() -> None:
    rows = [GRANT, row("RESTRICT", 120), row("UNRESTRICT", 140)]
    assert judge(rows, 110, 130) == "RESTRICTED"
    assert judge(rows, 130, 150) == ALLOW


def test_a_restriction_on_an_interest_closes_nothing() -> None:
    rows = [row("RESTRICT", 120), row("UNRESTRICT", 140)]
    assert judge(rows, 110, 130, of=registered(basis=INTEREST)) == "RESTRICTED"
    assert judge(rows, 110, 150, of=registered(basis=INTEREST)) == "ALLOW_legitimate_interest"


def test_erasure_closes_for_good() -> None:
    assert judge([GRANT, row("ERASE", 120), row("GRANT", 130)], 140, 150) == "SUPPRESSED"


def test_an_objection_survives_a_withdrawal_and_a_nightly_import() -> None:
    rows = [GRANT, row("OBJECT", 120), row("WITHDRAW", 130), row("GRANT", 140, method="import", actor="subject")]
    assert judge(rows, 145, 150) == "OBJECTED"


def test_only_the_subject_or_a_guardian_lifts_an_objection() -> None:
    lift = row("GRANT", 140, method="interactive", actor="controller")
    assert judge([row("OBJECT", 120), lift], 145, 150) == "OBJECTED"
    assert judge([row("OBJECT", 120), lift | {"actor": "guardian", "method": "parental"}], 145, 150) == ALLOW


def test_on_consent_lifting_an_objection_grants_nothing() -> None:
    lift = row("UNOBJECT", 140, method="interactive", actor="subject")
    assert judge([GRANT, row("OBJECT", 120), lift], 145, 150) == "NO_RECORD"
    assert judge([GRANT, row("OBJECT", 120), lift, row("GRANT", 145)], 145, 150) == ALLOW


def test_a_grant_that_opens_nothing_clears_nothing() -> None:
    vain = row("GRANT", 140, method="interactive", actor="subject", expires=130)
    assert judge([row("OBJECT", 120), vain, row("GRANT", 145)], 145, 150) == "OBJECTED"


def test_a_retroactive_invalidation_voids_what_began_before_it() -> None:
    rows = [GRANT, row("INVALIDATE", 200, retroactive=True), row("GRANT", 210)]
    assert judge(rows, 110, 150, known=199) == ALLOW
    assert judge(rows, 110, 150) == "WITHDRAWN"
    assert judge(rows, 215, 220) == ALLOW


def test_an_invalidation_closes_and_leaves_the_past() -> None:
    rows = [GRANT, row("INVALIDATE", 200)]
    assert judge(rows, 110, 150) == ALLOW
    assert judge(rows, 110, 210) == "WITHDRAWN"


def test_a_refusal_from_a_slow_clock_closes_again_when_it_is_received() -> None:
    rows = [row("GRANT", 100), row("WITHDRAW", 50, 120)]
    assert judge(rows, 105, 110) == ALLOW
    assert judge(rows, 105, 125) == "WITHDRAWN"
    assert judge([*rows, row("GRANT", 130)], 105, 140) == OUTSIDE


def test_a_trusted_clock_closes_once() -> None:
    trusted = project(clock="trusted")
    rows = consents([row("GRANT", 100), row("WITHDRAW", 50, 120)])
    assert verdict(trusted, "ads", rows, profiles([]), "ann", minutes(105), minutes(125), minutes(999)) == ALLOW


def test_a_refusal_of_the_same_day_closes_at_the_day_s_end() -> None:
    rows = [row("GRANT", 100), row("WITHDRAW", 0, 2000, claimed_precision="day")]
    assert judge(rows, 105, 1439) == ALLOW
    assert judge(rows, 105, 1440) == "WITHDRAWN"


def test_the_country_at_the_use_decides_on_the_basis() -> None:
    purpose = registered(basis={"default": "consent", "US": "legitimate_interest"})
    american = [profile(100, country="US")]
    assert judge([], 110, 120, of=purpose, profile_rows=american) == "ALLOW_legitimate_interest"
    assert judge([], 90, 120, of=purpose, profile_rows=american) == OUTSIDE
    assert judge([], 80, 90, of=purpose, profile_rows=american) == "JURISDICTION_UNKNOWN"
    assert judge([row("GRANT", 50)], 80, 90, of=purpose, profile_rows=american) == ALLOW
    assert judge([], 110, 120, of=purpose, profile_rows=[profile(100, country="DE")]) == "NO_RECORD"


def test_a_country_without_a_name_is_unknown() -> None:
    purpose = registered(basis={"default": "legitimate_interest", "DE": "consent"})
    assert judge([], 10, 20, of=purpose, profile_rows=[profile(0, country="")]) == "JURISDICTION_UNKNOWN"
    assert judge([], 10, 20, of=purpose, profile_rows=[profile(0, country="US")]) == "ALLOW_legitimate_interest"


def test_without_a_column_for_it_every_country_is_unknown() -> None:
    purpose = registered(basis={"default": "legitimate_interest", "DE": "consent"}, min_age=16)
    nothing = profiles([]).drop_columns(["country", "timezone", "birth_date", "tags"])
    for age, expected in ((16, "AGE_UNKNOWN"), (None, "JURISDICTION_UNKNOWN")):
        world = project(purpose.model_copy(update={"min_age": age}))
        assert verdict(world, "ads", consents([]), nothing, "ann", 1, 2, 3) == expected


def test_a_grant_dead_on_arrival_lifts_no_refusal_for_the_country_to_come() -> None:
    purpose = registered(basis={"default": "consent", "US": "legitimate_interest"})
    rows = [row("WITHDRAW", 50), row("GRANT", 60, expires=55)]
    assert judge(rows, 110, 120, of=purpose, profile_rows=[profile(100, country="US")]) == "WITHDRAWN"
    rows[1] = row("GRANT", 60, expires=65)
    assert judge(rows, 110, 120, of=purpose, profile_rows=[profile(100, country="US")]) == "ALLOW_legitimate_interest"


def test_a_grant_dead_on_arrival_allows_nothing_once_the_country_rests_on_consent() -> None:
    purpose = registered(basis={"default": "consent", "US": "legitimate_interest"})
    moves = [profile(20, country="US"), profile(70, country="DE")]
    dead = row("GRANT", 35, expires=10)
    assert judge([dead], 80, 90, of=purpose, profile_rows=moves) == "EXPIRED"
    stranger = row("GRANT", 75, subject="bob")
    assert judge([dead, stranger], 80, 90, of=purpose, profile_rows=moves) == "EXPIRED"


def test_the_epoch_of_one_subject_is_never_lent_to_another() -> None:
    world = project(registered(basis={"default": "consent", "US": "legitimate_interest"}))
    people = ["ann", "bob"]
    moves = [profile(at, name, country=country) for name in people for at, country in ((20, "US"), (70, "DE"))]
    rows = [row("GRANT", 35, expires=10), row("GRANT", 75, subject="bob")]
    grounds = Grounds(world, consents(rows), profiles(moves), pa.array(people))
    judged = judge_all(grounds, world.purposes["ads"], minutes(90))
    assert allows(reasons(judged, np.array([0, 1]), np.full(2, minutes(80)))).tolist() == [False, True]


def test_moving_to_a_country_on_another_basis_closes_the_epoch() -> None:
    purpose = registered(basis={"default": "consent", "US": "legitimate_interest"})
    moving = [profile(0, country="US"), profile(100, country="FR"), profile(200, country="DE")]
    rows = [row("GRANT", 50), row("GRANT", 150)]
    assert judge(rows[:1], 60, 120, of=purpose, profile_rows=moving) == "NO_RECORD"
    assert judge(rows, 120, 160, of=purpose, profile_rows=moving) == OUTSIDE
    assert judge(rows, 160, 250, of=purpose, profile_rows=moving) == ALLOW


def test_an_unknown_age_is_no_age() -> None:
    assert judge([row("GRANT", 0)], 10, 20, of=registered(min_age=16)) == "AGE_UNKNOWN"


def test_a_minor_comes_of_age() -> None:
    born = [profile(0, birth_date=date(1954, 1, 2))]  # sixteen at minute 1440
    purpose = registered(min_age=16)
    assert judge([row("GRANT", 0)], 1300, 1439, of=purpose, profile_rows=born) == "MINOR"
    assert judge([row("GRANT", 0)], 1300, 1441, of=purpose, profile_rows=born) == "MINOR"
    assert judge([row("GRANT", 0)], 1440, 1441, of=purpose, profile_rows=born) == ALLOW


def test_a_purpose_in_the_wrong_case_is_another_purpose() -> None:
    assert judge([row("GRANT", 0, purpose="Ads")], 10, 20) == "NO_RECORD"


def test_a_snapshot_withdraws_what_it_leaves_out() -> None:
    both = project(registered(), registered("mail"))
    for kind, expected in (("snapshot", "WITHDRAWN"), ("delta", ALLOW)):
        rows = [row("GRANT", 100), row("GRANT", 200, purpose="mail", payload_kind=kind)]
        instants = (minutes(110), minutes(210), minutes(999))
        assert verdict(both, "ads", consents(rows), profiles([]), "ann", *instants) == expected
        assert verdict(both, "mail", consents(rows), profiles([]), "ann", minutes(205), *instants[1:]) == ALLOW


def test_a_twin_that_restricts_takes_no_snapshot_back() -> None:
    both = project(registered(), registered("mail"))
    snapshot = row("GRANT", 200, purpose="mail", payload_kind="snapshot", event_id="s")
    twin = row("DENY", 200, purpose="mail", event_id="s")
    for rows in ([GRANT, snapshot], [GRANT, snapshot, twin]):
        instants = (minutes(110), minutes(210), minutes(999))
        assert verdict(both, "ads", consents(rows), profiles([]), "ann", *instants) == "WITHDRAWN"
