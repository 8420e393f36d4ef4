"""Which places of the kernel are broken, and which are not since no input could tell."""

from pathlib import Path

import pytest

from benchmarks.mutants import mutant, places


@pytest.mark.parametrize(
    ("said", "broken"),
    [
        ("at < until", ["at < until -> at <= until"]),
        ("at < _MANY", []),
        ("zip(who, at, strict=True)", []),
        ("ints(at, 0)", []),
        ("ints(at, -1)", ["1 -> 2"]),
        ("summable(weights, 2)", []),
        ("np.append(column, 0)[index]", []),
        ("np.append(begins, True)", ["True -> False"]),
        ("at == BEGINNING + 1", ["at == BEGINNING + 1 -> at != BEGINNING + 1", "BEGINNING + 1 -> BEGINNING - 1"]),
        ("looked_at(reference, first_few(1))", []),
        ("looked_at(reference, last_few(n + 1))", ["n + 1 -> n - 1", "1 -> 2"]),
    ],
)
def test_a_place_is_broken_where_an_input_could_tell(tmp_path: Path, said: str, broken: list[str]) -> None:
    file = tmp_path / "kernel.py"
    file.write_text(f"def answer():\n    return {said}\n")
    assert [mutant(file, place).what for place in range(places(file))] == broken
