"""An error of ours that a graph raises arrives as what it is, whatever engine hands it on."""

import apache_beam as beam
import pytest

from runners.engines.local import run_locally
from runners.engines.raised import raised
from schemas.errors import SegueError, SourceChanged, TryAgain


def fail(kind: type[Exception], words: tuple[str, ...]) -> None:
    raise kind(*words)


def run(kind: type[Exception], *words: str) -> None:
    run_locally("Numbers" >> beam.Create([1]) | beam.Map(lambda _: fail(kind, words)), lambda: None)


@pytest.mark.parametrize(
    ("kind", "words"),
    [(TryAgain, ("SEG-0703", "they do not answer", "later")), (SourceChanged, ("SEG-0702", "records are gone", ""))],
)
def test_an_error_of_ours_keeps_its_kind_and_its_words(kind: type[SegueError], words: tuple[str, ...]) -> None:
    with pytest.raises(kind) as told:
        run(kind, *words)
    assert (told.value.code, told.value.message, told.value.hint) == words


def test_any_other_error_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="a mistake"):
        run(ValueError, "a mistake")
    mistake = ValueError("SEG-0703 in a text")
    assert raised(mistake) is mistake
