"""A sample is the same for one seed, and its bounds hold the truth as often as they say."""

import numpy as np
import pyarrow as pa
import pytest

from runners.plans.sampling import Estimate, changed, estimated, sampled

SUBJECTS = pa.array([f"u{number}" for number in range(4_000)])
SEEDS = range(400)


def test_one_seed_gives_one_sample_and_another_seed_another() -> None:
    one, again, other = (sampled(SUBJECTS, 0.1, seed) for seed in (1, 1, 2))
    assert (one == again).all() and (one != other).any()


def test_a_smaller_sample_is_within_a_larger_one() -> None:
    assert (sampled(SUBJECTS, 0.1, 1) <= sampled(SUBJECTS, 0.3, 1)).all()


@pytest.mark.parametrize(("part", "wanted"), [(0.0, 0), (1.0, 4_000)])
def test_of_nothing_and_of_all_a_sample_is_that(part: float, wanted: int) -> None:
    assert sampled(SUBJECTS, part, 0).sum() == wanted


def test_every_subject_is_taken_as_often_as_any_other() -> None:
    taken = np.sum([sampled(SUBJECTS, 0.25, seed) for seed in SEEDS], axis=0)
    assert abs(taken.mean() - 100) < 1
    assert abs(taken.var() - 75) < 10, "as if each were drawn by itself"


def test_a_sample_of_all_is_exact() -> None:
    assert estimated(7, 100, 100) == Estimate(7, 7, 7)
    assert estimated(0, 0, 0) == Estimate(0, 0, 0)


def test_without_a_sample_nothing_is_known() -> None:
    assert estimated(0, 0, 100) == Estimate(0, 0, 100)


def test_what_was_seen_bounds_what_there_is() -> None:
    for hits, looked_at in ((0, 99), (99, 99), (3, 50)):
        found = estimated(hits, looked_at, 100)
        assert hits <= found.low <= found.number <= found.high <= 100 - (looked_at - hits)


@pytest.mark.parametrize("members", [12, 200, 2_000, 3_990])
@pytest.mark.parametrize("part", [0.05, 0.5])
def test_the_bounds_hold_the_number_in_95_of_100_samples(members: int, part: float) -> None:
    held = 0
    for seed in SEEDS:
        taken = sampled(SUBJECTS, part, seed)
        found = estimated(int(taken[:members].sum()), int(taken.sum()), len(taken))
        held += found.low <= members <= found.high
    assert 0.93 * len(SEEDS) <= held


def test_the_bounds_of_a_changed_number_hold_it_too() -> None:
    """500 were members; 40 of them leave, and 90 of the others enter."""
    held = 0
    for seed in SEEDS:
        taken = sampled(SUBJECTS, 0.1, seed)
        leave = estimated(int(taken[:40].sum()), int(taken[:500].sum()), 500)
        enter = estimated(int(taken[500:590].sum()), int(taken[500:].sum()), 3_500)
        found = changed(500, enter, leave)
        held += found.low <= 550 <= found.high
    assert 0.93 * len(SEEDS) <= held


def test_a_number_that_does_not_change_is_exact() -> None:
    assert changed(5, Estimate(0, 0, 0), Estimate(0, 0, 0)) == Estimate(5, 5, 5)
