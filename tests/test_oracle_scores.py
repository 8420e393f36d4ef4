"""The oracle on published scores (5.14): states like a profile's rows, by model."""

from dataclasses import replace
from itertools import permutations

from tests.support.merged import LATER, START, Fact, Hours, during, event, instant, link, lives, row, score, world
from tests.support.oracle import member, node_truth
from tests.support.oracle_model import Json, Truth

RISKY = {"score": {"model": "churn", "compare": ">= 0.5"}}
LOYAL = {"rfm": {"model": "rfm", "in": ["loyal", "champions"]}}


def risky(*facts: Fact, when: Json = RISKY, who: str = "a") -> Hours:
    return during(world(event(0, who, "look"), *facts, when=when), who)


def value(node: Json, *facts: Fact, at: float = 9) -> Truth:
    return node_truth(world(event(0, "a", "look"), *facts), node, ("free",), "a", instant(at), LATER)


def test_a_score_holds_from_its_instant_until_the_next_of_its_model() -> None:
    assert risky(score(1, "a", value=0.5), score(4, "a", value=0.25)) == [(1, 4)]
    assert risky(score(1, "a", value=0.5), score(4, "a", value=0.25, model="other")) == [(1, None)]


def test_a_later_version_is_only_a_column() -> None:
    facts = (score(1, "a", value=0.5, version="2"), score(4, "a", value=0.25, version="1"))
    assert risky(*facts) == [(1, 4)]


def test_rfm_and_persona_compare_the_label() -> None:
    facts = (score(1, "a", model="rfm", label="loyal"), score(4, "a", model="rfm", label="lost"))
    assert risky(*facts, when=LOYAL) == [(1, 4)]
    assert risky(*facts, when={"persona": {"model": "rfm", "in": ["lost"]}}) == [(4, None)]
    assert risky(*facts, when={"not": LOYAL}) == [(4, None)]


def test_labels_compare_by_every_letter() -> None:
    assert value(LOYAL, score(1, "a", model="rfm", label="Loyal")) is False


def test_unknown_where_there_is_none() -> None:
    label = score(1, "a", label="loyal")
    assert value(RISKY) is value(LOYAL) is value({"not": RISKY}) is None
    assert value(RISKY, label) is None
    assert value({"rfm": {"model": "churn", "in": ["loyal"]}}, score(1, "a", value=1.0)) is None
    assert value({"score": {"model": "churn", "compare": "is null"}}) is True
    assert value({"score": {"model": "churn", "compare": "is not null"}}, label) is False
    assert value(RISKY, score(10, "a", value=1.0)) is None


def test_missing_says_what_none_is() -> None:
    assert value({"score": {"model": "churn", "compare": "> 0", "missing": True}}) is True
    assert value({"not": {"rfm": {"model": "rfm", "in": ["loyal"], "missing": False}}}) is True
    assert value({"persona": {"model": "rfm", "in": ["loyal"], "missing": "unknown"}}) is None


def test_at_one_instant_the_last_received_wins() -> None:
    for facts in permutations((score(1, "a", 3, value=0.25), score(1, "a", 2, value=0.75), score(1, "a", value=0.9))):
        told = world(event(0, "a", "look"), *facts, when=RISKY)
        assert [member(told, "it", "a", instant(1), instant(known)) for known in (0, 1, 2, 3)] == [False, True, True, False]


def test_received_at_once_the_content_decides_and_not_the_order() -> None:
    facts = (score(1, "a", value=0.25), score(1, "a", value=0.75), score(1, "a", value=0.75, version="2"))
    assert len({str(risky(*order)) for order in permutations(facts)}) == 1


def test_scores_make_nobody_known() -> None:
    told = world(score(1, "a", value=1.0), when=RISKY)
    assert during(told, "a") == []
    assert during(world(score(1, "a", value=1.0), lives(3, "a"), when=RISKY), "a") == [(3, None)]


def test_a_score_is_used_at_t_if_the_purpose_is_open_at_t_whenever_it_was_made() -> None:
    facts = (score(1, "a", value=1.0), row(3, "a"), row(6, "a", "WITHDRAW"), row(8, "a"))
    assert during(world(*facts, when=RISKY, purpose="asked"), "a") == [(3, 6), (8, None)]
    lent = {"any": [{"score": {"model": "churn", "compare": "< 0", "missing": True}}]}
    told = world(event(0, "a"), *facts, when=lent)
    assert [node_truth(told, lent, ("asked",), "a", instant(at), LATER) for at in (2, 4, 7)] == [True, False, True]


def test_a_score_dated_ahead_is_used_from_its_instant() -> None:
    ahead = score(50, "a", received=1, value=1.0)
    assert risky(ahead) == [(50, None)]


def test_a_score_known_late_corrects_the_past() -> None:
    told = world(event(0, "a"), score(1, "a", received=6, value=1.0), when=RISKY)
    assert [during(told, "a", known=known) for known in (5, 6)] == [[], [(1, None)]]


def test_the_scores_of_a_subject_are_the_survivors() -> None:
    facts = (score(0, "a", value=1.0), score(0, "b", value=0.25), event(0, "a"), link(5, "a", "b"))
    told = world(*facts, score(7, "b", value=0.75), score(8, "a", value=0.25), when=RISKY)
    assert (during(told, "a"), during(told, "b")) == ([(0, 5)], [(7, None)])


def test_a_score_is_of_one_subject() -> None:
    assert risky(replace(score(0, "b", value=1.0), valid_from=START)) == []
