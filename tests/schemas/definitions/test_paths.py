import pytest

from schemas.definitions.paths import inside, matching, yaml_files


@pytest.fixture
def root(tmp_path):
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


def names(root, pattern, roots=()):
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
def test_a_pattern_matches_files_in_the_order_of_their_names(root, pattern, found):
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
def test_a_path_that_leaves_the_project_is_refused(root, path):
    with pytest.raises(ValueError) as refused:
        names(root, path)
    assert refused.value.type == "SEG-0401"


def test_a_declared_root_may_be_read(root, tmp_path):
    outside = tmp_path / "outside"
    assert names(root, f"{outside}/*.csv", [outside]) == ["secret.csv"]
    with pytest.raises(ValueError, match="leaves"):
        names(root, f"{outside}/../project/data/*.csv", [outside])


@pytest.mark.parametrize("pattern", ["link/secret.csv", "link/*.csv", "l*/secret.csv", "data/linked.csv", "data/*.csv"])
def test_a_symbolic_link_is_not_followed(root, tmp_path, pattern):
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "data" / "linked.csv").symlink_to(tmp_path / "outside" / "secret.csv")
    with pytest.raises(ValueError) as refused:
        names(root, pattern)
    assert refused.value.type == "SEG-0403"


def test_a_linked_folder_is_not_searched(root, tmp_path):
    (root / "data" / "link").symlink_to(tmp_path / "outside")
    assert "secret.csv" not in names(root, "data/**/*.csv")


def test_the_project_itself_may_lie_behind_a_link(root, tmp_path):
    (tmp_path / "alias").symlink_to(root)
    assert inside(tmp_path / "alias", "data/a.csv").is_file()


def test_yaml_is_found_at_any_depth_below_a_folder(root):
    assert [path.name for path in yaml_files(root / "segments")] == ["y.yml", "x.yaml"]
