import numpy as np
import pytest

from transforms.algebra.order import FALSE, TRUE, Ints
from transforms.algebra.reduce import Contributions, reaches


def rows(number: int) -> Contributions:
    """So many events of one subject, a microsecond apart, that count for ten."""
    at: Ints = np.arange(number)
    return Contributions(at * 0, at, at + 10)


@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize("threshold", range(1, 9))
def test_a_count_is_reached_at_its_last_event_or_not_at_all(number: int, threshold: int) -> None:
    """However many fewer there are in the whole shard."""
    steps = reaches(rows(number), threshold, 1)
    reached = number >= threshold
    assert steps.at.tolist() == ([threshold - 1, number - threshold + 10] if reached else [])
    assert steps.value.tolist() == ([TRUE, FALSE] if reached else [])
    assert steps.initial.tolist() == [FALSE]
