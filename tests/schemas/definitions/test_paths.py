from pathlib import Path
from typing import Any

import pytest

from schemas.definitions.paths import inside, matching, yaml_files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name in (
        "data/a.csv",
        "data/b.csv",
        "data/b.txt",
        "data/deep/er/c.csv",
        "data/.hidden.csv",
        "segments/x.yaml",
        "segments/team/y.yml",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.csv").write_text("x")
    return folder


def names(root: Path, pattern: str, roots: list[Path] | tuple[Any, ...] = ()) -> list[str] | None:
    return [path.name for path in matching(root, pattern, roots)]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("data/a.csv", ["a.csv"]),
        ("data/*.csv", ["a.csv", "b.csv"]),
        ("data/[b-z].*", ["b.csv", "b.txt"]),
        ("data/**/*.csv", ["a.csv", "b.csv", "c.csv"]),
        ("data/*/er/?.csv", ["c.csv"]),
        ("data/*.parquet", []),
        ("nowhere/*.csv", []),
        ("data", []),
    ],
)
def test_a_pattern_matches_files_in_the_order_of_their_names(root: Path, pattern: str, found: list[str]) -> None:
    assert names(root, pattern) == found


@pytest.mark.parametrize(
    "path",
    [
        "../outside/secret.csv",
        "data/../../outside/*.csv",
        "/etc/passwd",
        "..",
        "",
        " ",
        "a\x00b",
        "a\nb",
        "data\\a.csv",
        "x" * 2_000,
    ],
)
def test_a_path_that_leaves_the_project_is_refused(root: Path, path: str) -> None:
    with pytest.raises(ValueError) as refused:
        names(root, path)
    assert refused.value.type == "SEG-0401"


def test_a_declared_root_may_be_read(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    assert names(root, f"{outside}/*.csv", [outside]) == ["secret.csv"]
    with pytest.raises(ValueError, match="leaves"):
        names(root, f"{outside}/../project/data/*.csv", [outside])


@pytest.mark.parametrize("pattern", ["link/secret.csv", "link/*.csv", "l*/secret.csv", "data/linked.csv", "data/*.csv"])
def test_a_symbolic_link_is_not_followed(root: Path, tmp_path: Path, pattern: str) -> None:
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "data" / "linked.csv").symlink_to(tmp_path / "outside" / "secret.csv")
    with pytest.raises(ValueError) as refused:
        names(root, pattern)
    assert refused.value.type == "SEG-0403"


def test_a_linked_folder_is_not_searched(root: Path, tmp_path: Path) -> None:
    (root / "data" / "link").symlink_to(tmp_path / "outside")
    assert "secret.csv" not in names(root, "data/**/*.csv")


def test_the_project_itself_may_lie_behind_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    assert inside(tmp_path / "alias", "data/a.csv").is_file()


def test_yaml_is_found_at_any_depth_below_a_folder(root: Path) -> None:
    assert [path.name for path in yaml_files(root / "segments")] == ["y.yml", "x.yaml"]
