"""Files are read forward, in whole records, whatever their format, and what is broken costs only itself."""

import csv
import gzip
import io
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from runners.sources import reading, streams
from schemas.record import RawChunk
from tests.support.raw_files import chunks_of, input_of, written
from transforms import csv_records
from transforms.csv_records import record_ends


def records(chunks: list[RawChunk]) -> list[bytes]:
    return [one.as_py() for chunk in chunks if chunk.fault is None for one in chunk.records]


def faults(chunks: list[RawChunk]) -> list[str]:
    return [chunk.fault for chunk in chunks if chunk.fault is not None]


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
@pytest.mark.parametrize("block", [7, 64, 1 << 23])
def test_where_blocks_are_cut_changes_no_record_and_no_number(
    ending: str, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BLOCK", block)
    lines = [b'{"a":%d}\n' % number for number in range(40)]
    chunks = chunks_of(written(tmp_path / f"x.ndjson{ending}", b"\n".join(lines)))
    assert records(chunks) == lines
    assert [chunk.first + at for chunk in chunks for at in range(len(chunk))] == list(range(1, 41))
    assert chunks[-1].after.records == 40


def test_reading_on_from_any_record_gives_what_reading_at_once_gives(tmp_path: Path) -> None:
    lines = [b'{"a":%d}\n' % number for number in range(6)] + [b"\n"]
    whole = chunks_of(written(tmp_path / "x.ndjson", b"".join(lines)))
    for cut in range(1, 6):
        first = chunks_of(written(tmp_path / "x.ndjson", b"".join(lines[:cut])))
        then = chunks_of(written(tmp_path / "x.ndjson", b"".join(lines)), first[-1].after)
        assert records(first) + records(then) == records(whole)
        assert replace(then[-1].after, mtime_ns=0, inode=0) == replace(whole[-1].after, mtime_ns=0, inode=0)


def test_a_last_line_without_newline_is_a_record_if_it_can_be_read(tmp_path: Path) -> None:
    chunks = chunks_of(written(tmp_path / "x.ndjson", b'{"a":1}\n{"a":2}'))
    assert records(chunks) == [b'{"a":1}\n', b'{"a":2}']
    assert chunks[-1].after.is_open


def test_a_last_line_that_still_grows_waits(tmp_path: Path) -> None:
    chunks = chunks_of(written(tmp_path / "x.ndjson", b'{"a":1}\n{"a":'))
    assert records(chunks) == [b'{"a":1}\n']
    assert (chunks[-1].after.waiting, chunks[-1].after.bytes, chunks[-1].after.is_open) == (5, 8, False)


def test_a_byte_order_mark_at_the_beginning_is_passed_over(tmp_path: Path) -> None:
    assert records(chunks_of(written(tmp_path / "x.ndjson", b'\xef\xbb\xbf{"a":1}\n'))) == [b'{"a":1}\n']


@pytest.mark.parametrize("block", [16, 1 << 23])
def test_a_record_that_is_too_long_costs_only_itself(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LONGEST_RECORD", 20)
    monkeypatch.setattr(reading, "BLOCK", block)
    long = b'{"a":"' + b"x" * 200 + b'"}\n'
    chunks = chunks_of(written(tmp_path / "x.ndjson", b'{"a":1}\n' + long + b'{"a":2}\n' + long + b'{"a":3}\n'))
    assert records(chunks) == [b'{"a":1}\n', b'{"a":2}\n', b'{"a":3}\n']
    assert faults(chunks) == ["too_large", "too_large"]
    assert chunks[-1].after.records == 5
    assert chunks[-1].after.bytes == 3 * 8 + 2 * len(long)


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_of_a_file_whose_end_is_missing_all_that_is_whole_is_used_and_the_rest_waits(ending: str, tmp_path: Path) -> None:
    lines = b"".join(b'{"a":%d}\n' % (number * 7919 % 100003) for number in range(50_000))
    path = written(tmp_path / f"x.ndjson{ending}", lines)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    chunks = chunks_of(path)
    found, after = records(chunks), chunks[-1].after
    assert faults(chunks) == []
    assert len(found) > 1_000
    assert lines.startswith(b"".join(found))
    assert (after.records, after.bytes, after.is_cut) == (len(found), len(b"".join(found)), True)
    path.write_bytes(whole)
    then = chunks_of(path, after)
    assert b"".join(found + records(then)) == lines
    assert not then[-1].after.is_cut


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_where_the_end_is_missing_a_last_line_is_no_record_though_it_reads_as_one(ending: str, tmp_path: Path) -> None:
    path = written(tmp_path / f"x.csv{ending}", b"a,b\n1,2\n3,4")
    path.write_bytes(path.read_bytes()[:-1])
    first = chunks_of(path)
    written(path, b"a,b\n1,2\n3,45\n")
    assert records(first) + records(chunks_of(path, first[-1].after)) == [b"1,2\n", b"3,45\n"]


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".zst", zstandard.compress)])
def test_a_bomb_is_set_aside_in_bounded_memory(
    ending: str, pack: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "FREE", 1 << 20)
    assert callable(pack)
    path = tmp_path / f"x.ndjson{ending}"
    path.write_bytes(pack(b'{"a":1}\n' + b" " * (1 << 26)))
    chunks = chunks_of(path)
    assert faults(chunks)[-1] == "too_large"
    assert sum(len(chunk.records) for chunk in chunks) <= 3
    assert max(chunk.records.nbytes for chunk in chunks) < 1 << 24


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_what_is_appended_after_the_listing_is_the_next_runs(ending: str, tmp_path: Path) -> None:
    path = written(tmp_path / f"x.ndjson{ending}", b'{"a":1}\n')
    listed = input_of(path)
    path.write_bytes(path.read_bytes() + written(tmp_path / f"more{ending}", b'{"a":2}\n').read_bytes())
    first = list(reading.read(listed))
    assert records(first) == [b'{"a":1}\n']
    assert records(chunks_of(path, first[-1].after)) == [b'{"a":2}\n']


def test_parts_of_a_file_compressed_one_by_one_are_one_file(tmp_path: Path) -> None:
    for ending, pack in ((".gz", gzip.compress), (".zst", zstandard.compress)):
        path = tmp_path / f"x.ndjson{ending}"
        path.write_bytes(pack(b'{"a":1}\n{"a"') + pack(b":2}\n"))
        assert records(chunks_of(path)) == [b'{"a":1}\n', b'{"a":2}\n']


def test_what_is_no_gzip_is_one_malformed_record(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson.gz"
    path.write_bytes(b'{"a":1}\n')
    assert faults(chunks_of(path)) == ["malformed"]


def test_in_csv_a_quoted_newline_ends_no_record_and_the_header_is_none(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", b'a,b\n1,"x\ny"\n2,z\n')
    chunks = chunks_of(path)
    assert records(chunks) == [b'1,"x\ny"\n', b"2,z\n"]
    again = chunks_of(written(path, path.read_bytes() + b"3,w\n"), chunks[-1].after)
    assert (records(again), again[0].header, again[0].first) == ([b"3,w\n"], ("a", "b"), 3)


STRAY = {
    "in a field": b'b,5" pipe\n',
    "never closed": b'b,"bob\n',
    "closed within a field": b'b,"bo"b\n',
    "at the end of a field": b'b,bob"\n',
    "alone": b'b,"\n',
    "never closed, at the beginning of a line": b'"b,bob\n',
}


@pytest.mark.parametrize("block", [3, 16, 1 << 23])
@pytest.mark.parametrize("behind", [[b"2,z\n"] * 100, [b'2,"z"\n', b'3,"x\n"\n'], [b'2,"a ""b"""\n', b'"3",4\r\n']])
@pytest.mark.parametrize("name", STRAY)
def test_a_stray_quote_costs_its_own_record_and_no_other(
    name: str, behind: list[bytes], block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BLOCK", block)
    lines = [b'1,"x\ny"\n', STRAY[name], *behind]
    chunks = chunks_of(written(tmp_path / "x.csv", b"a,b\n" + b"".join(lines)))
    assert records(chunks) == lines
    assert (chunks[-1].after.waiting, chunks[-1].after.records) == (0, len(lines))


@pytest.mark.parametrize(
    ("begun", "rest"),
    [
        (b'1,"x\n', b'y"\n'),
        (b'1,"dear\nsir, hello\n', b'bye"\n'),  # its second line looks like a record
    ],
)
def test_a_quote_that_is_open_at_the_end_waits_for_its_other_lines(begun: bytes, rest: bytes, tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", b"a,b\n" + begun)
    first = chunks_of(path)
    assert (records(first), first[-1].after.waiting) == ([], len(begun))
    again = chunks_of(written(path, path.read_bytes() + rest), first[-1].after)
    assert records(again) == [begun + rest]


@given(
    st.lists(st.sampled_from([b"a", b",", b'"', b"\n", b"\r\n", b'"\n', b',"', b"a,a\n", b'""']), max_size=25).map(b"".join),
    st.sets(st.integers(0, 60), max_size=6),
)
@settings(deadline=None, max_examples=400)
def test_csv_that_grows_is_cut_as_all_of_it_at_once(content: bytes, cuts: set[int]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(csv_records, "_ENOUGH", 2)
        done, found = 0, list[int]()
        for end in [*sorted(cut for cut in cuts if cut < len(content)), len(content)]:
            found += (record_ends(content[done:end], columns=2) + done).tolist()
            done = found[-1] if found else 0
        assert found == record_ends(content, columns=2).tolist()


def test_a_quote_that_is_open_for_longer_than_a_record_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST_RECORD", 64)
    monkeypatch.setattr(reading, "BLOCK", 16)
    lines = [b'1,"x\n', *(b"words and words\n" for _ in range(20)), b"2,z\n"]
    assert records(chunks_of(written(tmp_path / "x.csv", b"a,b\n" + b"".join(lines)))) == lines


@given(
    st.lists(st.tuples(*[st.text(st.sampled_from('a,"\n\r ü'), max_size=6)] * 2), min_size=1, max_size=30),
    st.integers(1, 40),
)
@settings(deadline=None)
def test_what_a_writer_of_csv_wrote_is_cut_into_its_rows(rows: list[tuple[str, str]], block: int) -> None:
    lines = []
    for row in rows:
        line = io.StringIO(newline="")
        csv.writer(line).writerow(row)
        lines.append(line.getvalue().encode())
    content, done, found = b"".join(lines), 0, list[int]()
    for end in [*range(block, len(content), block), len(content)]:
        found += (record_ends(content[done:end], columns=2) + done).tolist()
        done = found[-1] if found else 0
    assert [content[begin:end] for begin, end in pairwise([0, *found])] == lines


def test_rows_of_parquet_are_records(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2, 3]}), tmp_path / "x.parquet")
    chunks = chunks_of(tmp_path / "x.parquet")
    assert sum(map(len, chunks)) == chunks[-1].after.records == 3


def test_a_truncated_parquet_file_is_one_malformed_record(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2, 3]}), tmp_path / "x.parquet")
    (tmp_path / "x.parquet").write_bytes((tmp_path / "x.parquet").read_bytes()[:50])
    assert faults(chunks_of(tmp_path / "x.parquet")) == ["malformed"]


def test_an_empty_file_is_read_and_holds_nothing(tmp_path: Path) -> None:
    (only,) = chunks_of(written(tmp_path / "x.ndjson", b""))
    assert (len(only), only.after.bytes, only.after.records) == (0, 0, 0)


def test_blank_lines_are_no_records_wherever_chunks_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b'\n\r\n{"a":1}\n \n\n{"a":2}\r\n\n\t\n{"a":3}\n'
    for most in (1, 2, 100):
        monkeypatch.setattr(reading, "_MOST", most)
        chunks = chunks_of(written(tmp_path / "x.ndjson", content))
        assert records(chunks) == [b'{"a":1}\n', b'{"a":2}\r\n', b'{"a":3}\n']
        assert [chunk.first + at for chunk in chunks for at in range(len(chunk))] == [1, 2, 3]
        assert chunks[-1].after.bytes == len(content)


def test_the_header_of_a_csv_file_is_its_first_line_that_is_not_blank(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", b"\n \r\na,b\n1,2\n")
    (first, last) = chunks_of(path)
    assert (records([first]), first.header) == ([b"1,2\n"], ("a", "b"))
    again = chunks_of(written(path, path.read_bytes() + b"3,4\n"), last.after)
    assert (records(again), again[0].header) == ([b"3,4\n"], ("a", "b"))


def test_a_parquet_file_of_a_few_bytes_that_stand_for_very_many_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FREE", 1 << 20)
    monkeypatch.setattr(reading, "BLOCK", 1 << 18)
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 40_000, pa.int32()), pa.array(["y" * 4000]))
    pq.write_table(pa.table({"a": text}), tmp_path / "x.parquet")
    chunks = chunks_of(tmp_path / "x.parquet")
    assert faults(chunks) == ["too_large"]
    assert sum(map(len, chunks)) == chunks[-1].after.records < 40_000


def test_bytes_that_are_no_record_yet_are_told(tmp_path: Path) -> None:
    assert chunks_of(written(tmp_path / "x.ndjson", b'{"a":1}\n{"a"'))[-1].after.waiting == 4
    assert chunks_of(written(tmp_path / "x.csv", b"a,b\n1"))[-1].after.waiting == 1
