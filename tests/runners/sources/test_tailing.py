"""Files that are followed are read on as they grow, and what was read of them must stay."""

import os
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.sources import reading
from runners.sources.reading import read
from schemas.errors import SourceChanged
from schemas.record import Position, RawChunk
from tests.support.followed import Followed, append, committed, records
from tests.support.raw_files import input_of, written

ONE, TWO, THREE = b'{"a":1}\n', b'{"a":2}\n', b'{"a":3}\n'


def test_lines_that_are_appended_are_read_where_the_last_look_ended(tmp_path: Path) -> None:
    path, followed = written(tmp_path / "x.ndjson", ONE), Followed(tmp_path)
    assert followed.records() == [ONE]
    append(path, TWO + THREE)
    (chunk,) = followed.look()
    assert (records([chunk]), chunk.first) == ([TWO, THREE], 2)
    assert followed.look() == []


@pytest.mark.parametrize("half", [b'{"a"', b'{"a":2}'])
def test_a_last_line_waits_for_its_newline_even_if_it_can_be_read(half: bytes, tmp_path: Path) -> None:
    path, followed = written(tmp_path / "x.ndjson", ONE + half), Followed(tmp_path)
    *_, last = chunks = followed.look()
    assert (records(chunks), last.after.waiting) == ([ONE], len(half))  # type: ignore[union-attr]
    append(path, b" ")
    assert followed.look() == []
    append(path, b"\n")
    assert followed.records() == [half + b" \n"]


def test_at_the_next_run_a_last_line_that_can_be_read_is_a_record(tmp_path: Path) -> None:
    written(tmp_path / "x.ndjson", ONE + b'{"a":2}')
    position = Position.from_json(committed(Followed(tmp_path).look())["events"]["x.ndjson"])
    assert records(list(read(input_of(tmp_path / "x.ndjson", position)))) == [b'{"a":2}']


def test_of_a_new_file_a_position_is_told_even_if_it_holds_no_record(tmp_path: Path) -> None:
    written(tmp_path / "x.ndjson", b"")
    followed = Followed(tmp_path)
    assert committed(followed.look()) == committed(list(read_as_events(tmp_path / "x.ndjson")))
    assert followed.look() == []


def read_as_events(path: Path) -> list[RawChunk]:
    return [RawChunk("events", one.file, one.format, one.first, one.records, after=one.after) for one in read(input_of(path))]


def test_files_and_folders_that_appear_are_read_from_their_beginning(tmp_path: Path) -> None:
    followed = Followed(tmp_path, events="**/*.ndjson")
    assert followed.look() == []
    written(tmp_path / "b.ndjson", ONE)
    assert followed.records() == [ONE]
    (tmp_path / "2025" / "01").mkdir(parents=True)
    written(tmp_path / "2025" / "01" / "a.ndjson", TWO)
    written(tmp_path / "c.ndjson", THREE)
    assert followed.records() == [TWO, THREE]


def test_the_header_of_csv_is_known_of_what_is_appended_and_of_what_was_committed(tmp_path: Path) -> None:
    path, followed = written(tmp_path / "x.csv", b"a,"), Followed(tmp_path)
    assert followed.records() == []
    append(path, b"b\n1,2\n")
    first = followed.look()
    again = Followed(tmp_path, committed(first))
    assert again.look() == []
    append(path, b'3,"x\n')
    assert (followed.look(), again.look()) == ([], [])
    append(path, b'y"\n')
    for (chunk,) in (followed.look(), again.look()):
        assert (records([chunk]), chunk.header, chunk.first) == ([b'3,"x\ny"\n'], ("a", "b"), 2)


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_compressed_file_is_read_when_it_appears_and_as_its_end_comes(ending: str, tmp_path: Path) -> None:
    followed = Followed(tmp_path)
    path = written(tmp_path / f"x.ndjson{ending}", ONE + TWO)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    first = followed.records()
    path.write_bytes(whole)
    assert first + followed.records() == [ONE, TWO]
    append(path, written(tmp_path / f"more{ending}", THREE).read_bytes())
    (tmp_path / f"more{ending}").unlink()
    assert followed.records() == [THREE]


def test_a_parquet_file_is_read_once_all_of_it_is_there(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    followed = Followed(tmp_path, events="*.parquet")
    (tmp_path / "x.parquet").write_bytes(whole[:-9])
    assert followed.look() == []
    (tmp_path / "x.parquet").write_bytes(whole)
    assert sum(map(len, followed.look())) == 2
    assert followed.look() == []


def test_a_file_that_vanishes_disturbs_no_other(tmp_path: Path) -> None:
    path, other = written(tmp_path / "x.ndjson", ONE), written(tmp_path / "y.ndjson", ONE)
    followed = Followed(tmp_path)
    followed.look()
    path.unlink()
    append(other, TWO)
    assert followed.records() == [TWO]


def test_a_file_that_vanishes_before_it_is_read_disturbs_no_other(tmp_path: Path) -> None:
    for name in "xyz":
        written(tmp_path / f"{name}.ndjson", ONE)
    followed = Followed(tmp_path)
    first = followed.poll()
    (tmp_path / "y.ndjson").unlink()
    assert first is not None
    assert [chunk.file for chunk in (first, *followed.look())] == ["x.ndjson", "z.ndjson"]


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("content", [b"", ONE, TWO + ONE, TWO + ONE + THREE])
def test_a_file_that_shrank_or_holds_something_else_stops_the_stream(content: bytes, ending: str, tmp_path: Path) -> None:
    path, followed = written(tmp_path / f"x.ndjson{ending}", ONE + TWO), Followed(tmp_path)
    chunks = followed.look()
    fresh = written(tmp_path / f"fresh{ending}", content)
    os.utime(fresh, ns=(0, 0))
    fresh.replace(path)
    for one in (followed, Followed(tmp_path, committed(chunks))):
        with pytest.raises(SourceChanged, match=r"are others now; a file changes only by growing"):
            one.look()


def test_a_file_that_is_cut_off_where_it_lies_stops_the_stream(tmp_path: Path) -> None:
    path, followed = written(tmp_path / "x.ndjson", ONE + TWO), Followed(tmp_path)
    followed.look()
    path.write_bytes(ONE)
    with pytest.raises(SourceChanged, match="are others now"):
        followed.look()


def test_a_file_that_holds_something_else_of_the_same_length_stops_the_stream(tmp_path: Path) -> None:
    path, followed = written(tmp_path / "x.ndjson", ONE), Followed(tmp_path)
    followed.look()
    path.write_bytes(TWO)
    os.utime(path, ns=(0, 0))
    with pytest.raises(SourceChanged, match="are others now"):
        followed.look()


def test_a_record_that_is_too_long_costs_only_itself_however_late_its_end_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LONGEST_RECORD", 20)
    path, followed = written(tmp_path / "x.ndjson", b'{"a":"' + b"x" * 30), Followed(tmp_path)
    assert [chunk.fault for chunk in followed.look() if len(chunk)] == ["too_large"]
    append(path, b"x" * 30)
    assert followed.records() == []
    append(path, b'"}\n' + ONE)
    (chunk,) = followed.look()
    assert (records([chunk]), chunk.first) == ([ONE], 2)


def test_a_file_that_was_written_again_as_it_was_and_more_is_read_on(tmp_path: Path) -> None:
    path, followed = written(tmp_path / "x.ndjson", ONE), Followed(tmp_path)
    followed.look()
    written(tmp_path / "fresh", ONE + TWO).replace(path)
    assert followed.records() == [TWO]
    os.utime(path, ns=(0, 0))
    assert followed.look() == []
    append(path, THREE)
    assert followed.records() == [THREE]


def test_a_last_line_that_a_run_took_may_get_its_newline_but_no_more(tmp_path: Path) -> None:
    path = written(tmp_path / "x.ndjson", ONE + b'{"a":2}')
    positions = committed(list(read_as_events(path)))
    followed = Followed(tmp_path, positions)
    assert followed.look() == []
    append(path, b"\n")
    assert followed.records() == []
    append(path, THREE)
    assert followed.records() == [THREE]
    path.write_bytes(ONE + b'{"a":2}' + THREE)
    with pytest.raises(SourceChanged, match="was read as it was and goes on now"):
        Followed(tmp_path, positions).look()


def test_what_was_read_in_this_process_is_not_read_again_while_the_file_only_grows(tmp_path: Path) -> None:
    path, followed = written(tmp_path / "x.ndjson", ONE), Followed(tmp_path)
    followed.look()
    path.write_bytes(b" " * len(ONE) + TWO)
    assert followed.records() == [TWO]


LINES = {
    "ndjson": [ONE, b'{"b":"\xc3\xa9"}\r\n', b"\n", b"no json\n", b'{"long":"' + b"x" * 90 + b'"}\n'],
    "csv": [b"1,2\n", b'1,"x\ny"\n', b'"a ""b""",2\r\n', b"\n", b"1,2,3\n", b'1,"' + b"x\n" * 40 + b'"\n'],
}
BEGINNINGS = {"ndjson": [b"", b"\xef\xbb\xbf", b"\n"], "csv": [b"a,b\n", b"\xef\xbb\xbfa,b\r\n", b'\n"a","b"\n']}


@st.composite
def growing(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """The name of a file, and the parts in which it is written."""
    form = draw(st.sampled_from(sorted(LINES)))
    content = draw(st.sampled_from(BEGINNINGS[form])) + b"".join(draw(st.lists(st.sampled_from(LINES[form]), max_size=9)))
    cuts = sorted({0, len(content), *draw(st.lists(st.integers(0, len(content)), max_size=6))})
    return f"x.{form}", [content[one:other] for one, other in pairwise(cuts)]


@given(growing())
def test_however_a_file_grows_its_records_and_its_position_are_those_of_one_reading(
    tmp_path_factory: pytest.TempPathFactory, grown: tuple[str, list[bytes]]
) -> None:
    (name, parts), root = grown, tmp_path_factory.mktemp("grown")
    path, followed = written(root / name, b""), Followed(root)
    chunks = followed.look()
    for part in parts:
        append(path, part)
        chunks += followed.look()
    once = read_as_events(path)
    assert numbered(chunks) == numbered(once)
    assert chunks[-1].after == once[-1].after
    assert Followed(root, committed(chunks)).look() == []


def numbered(chunks: list[RawChunk]) -> list[tuple[int, bytes]]:
    return [(chunk.first + place, one.as_py()) for chunk in chunks for place, one in enumerate(chunk.records)]
