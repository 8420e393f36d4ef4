"""What there is to read: new files and what files have grown by; what was read must still be there."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runners.sources.files import Listing, list_files
from runners.sources.reading import read
from schemas.definitions.project import Project
from schemas.errors import CallError, SourceChanged
from tests.support.raw_files import source_of, written


def listing(root: Path, positions: dict[str, Any], pattern: str = "*.ndjson*") -> Listing:
    source = source_of(**{"from": {"files": pattern}})
    return list_files(cast(Project, SimpleNamespace(root=root, roots=(), sources={"orders": source})), {"orders": positions})


def positions_after(found: Listing) -> dict[str, Any]:
    return {one.file: list(read(one))[-1].after.to_json() for one in found.inputs}


def test_files_are_named_from_the_project_on_and_sorted(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name in ("b", "a"):
        written(tmp_path / "d" / f"{name}.ndjson", b"{}\n")
    assert [one.file for one in listing(tmp_path, {}, "d/*").inputs] == ["d/a.ndjson", "d/b.ndjson"]


def test_a_pattern_without_files_is_told(tmp_path: Path) -> None:
    assert listing(tmp_path, {}).empty == ("*.ndjson*",)


@pytest.mark.parametrize("name", ["d/z.ndjson", "e"])
def test_a_link_among_the_files_is_refused_wherever_it_stands(tmp_path: Path, name: str) -> None:
    for folder in ("d", "elsewhere"):
        (tmp_path / folder).mkdir()
        written(tmp_path / folder / "a.ndjson", b"{}\n")
    target = tmp_path / "elsewhere"
    (tmp_path / name).symlink_to(target / "a.ndjson" if name.endswith("n") else target)
    with pytest.raises(CallError, match="symbolic link"):
        listing(tmp_path, {}, "[de]/*.ndjson")


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/x\xff.ndjson")).write_bytes(b"{}\n")
    with pytest.raises(CallError, match=r"x.xff\.ndjson` is not UTF-8"):
        listing(tmp_path, {})


def test_hidden_files_do_not_match(tmp_path: Path) -> None:
    written(tmp_path / ".a.ndjson", b"{}\n")
    assert listing(tmp_path, {}).empty == ("*.ndjson*",)


@pytest.mark.parametrize("content", [b"", b'{"a":1}\n', b'{"a":1}', b'{"a":1}\n{"a"', b"\n"])
@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_a_file_that_was_read_is_not_listed_again(content: bytes, ending: str, tmp_path: Path) -> None:
    path = written(tmp_path / f"x.ndjson{ending}", content)
    known = positions_after(listing(tmp_path, {}))
    assert listing(tmp_path, known).inputs == ()
    written(path, content)
    assert listing(tmp_path, known).inputs == ()


def test_a_file_that_grew_is_read_on(tmp_path: Path) -> None:
    path = written(tmp_path / "x.ndjson", b'{"a":1}\n')
    known = positions_after(listing(tmp_path, {}))
    written(path, b'{"a":1}\n{"a":2}\n')
    (grown,) = listing(tmp_path, known).inputs
    assert grown.start.records == 1


@pytest.mark.parametrize("content", [b'{"a":2}\n', b"", b'{"a":2}\n{"a":3}\n'])
@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_a_prefix_that_changed_or_shrank_stops_the_run(content: bytes, ending: str, tmp_path: Path) -> None:
    path = written(tmp_path / f"x.ndjson{ending}", b'{"a":1}\n')
    known = positions_after(listing(tmp_path, {}))
    written(path, content)
    with pytest.raises(SourceChanged, match="its first 8 bytes, 1 records, are others now"):
        listing(tmp_path, known)


def test_a_last_line_that_was_taken_may_get_its_newline_but_no_more(tmp_path: Path) -> None:
    path = written(tmp_path / "x.ndjson", b'{"a":1}')
    known = positions_after(listing(tmp_path, {}))
    (grown,) = listing(tmp_path, known).inputs or (None,)
    assert grown is None
    written(path, b'{"a":1}\n{"a":2}\n')
    assert len(listing(tmp_path, known).inputs) == 1
    written(path, b'{"a":1} \n')
    with pytest.raises(SourceChanged):
        listing(tmp_path, known)


def test_a_file_that_vanished_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "x.ndjson", b'{"a":1}\n')
    known = positions_after(listing(tmp_path, {}))
    path.unlink()
    assert listing(tmp_path, known).vanished == ("x.ndjson",)


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
@pytest.mark.parametrize("before", [b"", b'{"a":1}\n', b'{"a":1}\n{"a'])
def test_a_half_written_line_is_told_as_long_as_it_waits_alone(before: bytes, ending: str, tmp_path: Path) -> None:
    path = written(tmp_path / f"x.ndjson{ending}", before)
    known = positions_after(listing(tmp_path, {}))
    written(path, before.removesuffix(b'{"a') + b'{"a":')
    for _ in range(2):
        assert (listing(tmp_path, known).inputs, listing(tmp_path, known).waiting) == ((), {path.name: 5})
    written(path, before.removesuffix(b'{"a') + b'{"a":2}\n')
    assert len(listing(tmp_path, known).inputs) == 1


@pytest.mark.parametrize(("name", "content", "waiting"), [("x.ndjson", b'{"a":1}\n{"', 2), ("x.csv.gz", b"a,b\n1,2\n3", 1)])
def test_what_still_waits_is_told_though_the_file_did_not_change(
    name: str, content: bytes, waiting: int, tmp_path: Path
) -> None:
    path = written(tmp_path / name, content)
    os.utime(path, (1, 1))
    known = positions_after(listing(tmp_path, {}, "x.*"))
    assert (listing(tmp_path, known, "x.*").inputs, listing(tmp_path, known, "x.*").waiting) == ((), {name: waiting})


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_file_whose_end_is_missing_is_read_on_when_it_is_there(ending: str, tmp_path: Path) -> None:
    lines = b"".join(b'{"a":%d}\n' % (number * 7919 % 100003) for number in range(50_000))
    path = written(tmp_path / f"x.ndjson{ending}", lines)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    known = positions_after(listing(tmp_path, {}))
    assert listing(tmp_path, known).inputs == ()
    path.write_bytes(whole)
    (grown,) = listing(tmp_path, known).inputs
    assert 0 < grown.start.records < 50_000
    known = positions_after(listing(tmp_path, known))
    assert (known[path.name]["records"], known[path.name]["is_cut"]) == (50_000, False)


def test_a_file_of_which_less_is_there_than_was_read_stops_the_run(tmp_path: Path) -> None:
    lines = b"".join(b'{"a":%d}\n' % (number * 7919 % 100003) for number in range(50_000))
    path = written(tmp_path / "x.ndjson.gz", lines)
    known = positions_after(listing(tmp_path, {}))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(SourceChanged, match="are others now"):
        listing(tmp_path, known)
