"""What the runner of streams must not do, and does without its options."""

import threading
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.coders import VarIntCoder
from apache_beam.pvalue import PBegin, PCollection
from apache_beam.transforms.userstate import BagRuntimeState, BagStateSpec

from runners.engines import prism
from runners.engines.prism import OPTIONS, running

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("prism_is_there")]
ELEMENTS = 12
SLOW_S = 0.3
"""A bundle of so slow elements is one that a runner would rather split."""


class CountFn(beam.DoFn):  # type: ignore[misc]
    """Counts the elements of a key, and writes down each number."""

    SEEN = BagStateSpec("seen", VarIntCoder())

    def __init__(self, path: Path) -> None:
        self.path = path

    def process(self, element: tuple[str, int], seen: BagRuntimeState = beam.DoFn.StateParam(SEEN)) -> Iterator[int]:  # noqa: B008
        threading.Event().wait(SLOW_S)
        seen.add(element[1])
        with self.path.open("a") as file:
            file.write(f"{len(list(seen.read()))}\n")
        yield element[1]


class Count(beam.PTransform):  # type: ignore[misc]
    """One key, one bundle, slow."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def expand(self, begin: PBegin) -> PCollection[int]:
        keyed = begin | beam.Create([("key", number) for number in range(ELEMENTS)], reshuffle=False)
        return keyed | beam.Map(lambda pair: pair).with_output_types(tuple[str, int]) | beam.ParDo(CountFn(self.path))


def counted(path: Path) -> list[int]:
    with running(Count(path)) as job:
        while not job.is_over:
            threading.Event().wait(0.05)
    return [int(line) for line in path.read_text().splitlines()]


def test_a_slow_bundle_is_not_split_and_the_state_of_its_key_is_whole(tmp_path: Path) -> None:
    assert counted(tmp_path / "counted") == [*range(1, ELEMENTS + 1)]


def test_without_the_option_it_is_split_and_its_state_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where this fails, Prism has learnt better, and the option may go."""
    monkeypatch.setattr(prism, "OPTIONS", {**OPTIONS, "experiments": []})
    assert counted(tmp_path / "counted") != [*range(1, ELEMENTS + 1)]
