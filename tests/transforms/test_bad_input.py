"""Records that are no records: each is set aside whole, with its reason, and the counts reconcile."""

from pathlib import Path

import pytest

from tests.support.raw_files import accepted, chunks_of, decoded, rejected, source_of, written

GOOD = b'{"id":"a1","who":"ann","at":"2025-01-01T00:00:00Z","amount":1.5}'


def record(**values: str) -> bytes:
    fields = {"id": '"b1"', "who": '"bob"', "at": '"2025-01-01T00:00:00Z"', **values}
    return ("{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}").encode()


BAD: dict[str, tuple[bytes, str]] = {
    "not json": (b"hello", "malformed"),
    "cut short": (b'{"id":"b1","who":"bo', "malformed"),
    "an array": (b"[1,2]", "malformed"),
    "a number": (b"17", "malformed"),
    "null": (b"null", "malformed"),
    "two objects on a line": (b"{}{}", "malformed"),
    "a comma at the end": (record()[:-1] + b",}", "malformed"),
    "a comma at the end, spaces behind": (record()[:-1] + b",  \t}", "malformed"),
    "a comma at the end of a list": (record(x="[1,]"), "malformed"),
    "single quotes": (b"{'id':1}", "malformed"),
    "a comment": (record()[:-1] + b"/*c*/}", "malformed"),
    "a control character in a string": (record(x='"a\tb"'), "malformed"),
    "a raw NUL": (record(x='"a\0b"'), "malformed"),
    "an escaped NUL": (record(x='"a\\u0000b"'), "malformed"),
    "a lone surrogate": (record(x='"\\ud800"'), "malformed"),
    "a lone surrogate beside a NaN": (record(x='"\\ud800"', y='" NaN"'), "malformed"),
    "Latin-1": (record(x='"é"').decode().encode("latin-1"), "malformed"),
    "UTF-16": (record().decode().encode("utf-16-be"), "malformed"),
    "an overlong encoding": (record().replace(b"bob", b"\xc0\xaf"), "malformed"),
    "a byte order mark within": (b"\xef\xbb\xbf" + record(), "malformed"),
    "a byte order mark within, beside a text that looks like a number": (
        b"\xef\xbb\xbf" + record(x='" NaN"'),
        "malformed",
    ),
    "broken, of wide characters": (('{"a":"' + "é" * 99).encode(), "malformed"),
    "broken, of wide characters one further": (('{"ab":"' + "é" * 99).encode(), "malformed"),
    "NaN": (record(x="NaN"), "malformed"),
    "nan": (record(x=" nan"), "malformed"),
    "Infinity": (record(x="[Infinity]"), "malformed"),
    "minus infinity": (record(x="-inf"), "malformed"),
    "a number beyond double": (record(x="1e999"), "malformed"),
    "a key twice": (record(amount="1")[:-1] + b',"amount":2}', "malformed"),
    "a key twice, once escaped": (record(amount="1")[:-1] + b',"\\u0061mount":2}', "malformed"),
    "a key twice that nothing reads": (b'{"z":1,"z":2,' + record()[1:], "malformed"),
    "a key twice in an object within": (record(x='{"z":1,"z":2}'), "malformed"),
    "a key twice, once escaped, in an object of a list": (record(x='[0,{"y":{"z":1,"\\u007a":2}}]'), "malformed"),
    "too deep": (record(x="[" * 40 + "]" * 40), "too_large"),
    "far too deep": (record(x="[" * 100_000 + "]" * 100_000), "too_large"),
    "no subject": (record(who="null"), "missing_id"),
    "an empty subject": (record(who='""'), "missing_id"),
    "an empty event id": (record(id='""'), "missing_id"),
    "no event id": (record(id="null"), "missing_id"),
    "no instant": (record(at="null"), "bad_type"),
    "a bare number as instant": (record(at="1735689600"), "bad_type"),
    "a day that is not": (record(at='"2025-02-30T00:00:00Z"'), "bad_type"),
    "the year 0": (record(at='"0000-01-01T00:00:00Z"'), "bad_type"),
    "a word as decimal": (record(amount='"much"'), "bad_type"),
    "a decimal too wide": (record(amount="12345678901"), "bad_type"),
    "5000 digits": (record(amount="9" * 5000), "bad_type"),
    "3.0 as int": (record(items="3.0"), "bad_type"),
    "1e3 as int": (record(items="1e3"), "bad_type"),
    "an int beyond 64 bits": (record(items="9223372036854775808"), "bad_type"),
    "a word as float": (record(rate='"inf"'), "bad_type"),
    "1 as bool": (record(gift="1"), "bad_type"),
    "an instant as date": (record(day='"2025-01-01T00:00:00Z"'), "bad_type"),
    "a list with a word": (record(tags='[1,"x"]'), "bad_type"),
    "an object as list": (record(tags='{"a":1}'), "bad_type"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_set_aside_whole_and_its_neighbours_are_not(name: str, tmp_path: Path) -> None:
    bad, reason = BAD[name]
    chunks = chunks_of(written(tmp_path / "x.ndjson", GOOD + b"\n" + bad + b"\n" + GOOD + b"\n"))
    results = decoded(chunks, source_of())
    out = rejected(results)
    assert accepted(results)["event_id"].to_pylist() == ["a1", "a1"]
    assert out["reason"].to_pylist() == [reason]
    assert out["raw"].to_pylist() == [bad + b"\n"]
    assert out["position"].to_pylist() == ["x.ndjson\0" + "0" * 19 + "2"]
    assert sum(map(len, chunks)) == 3


def test_all_bad_lines_together_reconcile(tmp_path: Path) -> None:
    content = b"".join(bad + b"\n" for bad, _ in BAD.values())
    results = decoded(chunks_of(written(tmp_path / "x.ndjson", content)), source_of())
    assert rejected(results)["reason"].to_pylist() == [reason for _, reason in BAD.values()]
    assert not len(accepted(results))


FINE: dict[str, bytes] = {
    "escapes": record(x='"a\\nb \\ud83d\\ude00"'),
    "an address": record(x='"http://x/?a=,}"'),
    "words in a text": record(x='"he said: Infinity, nan, 1e999 ,}"'),
    "spaces": b'  { "id" : "b1" , "who":"bob", "at":"2025-01-01T00:00:00Z" }  \r',
    "the same key in two objects": record(x='{"id":1}', y='{"id":2}'),
    "the same key in two objects of a list": record(x='[{"id":1},{"id":2}]'),
    "brackets in a text": record(x='"' + "[" * 100 + '"'),
    "as deep as allowed": record(x="[" * 31 + "]" * 31),
}


@pytest.mark.parametrize("name", FINE)
def test_what_only_looks_bad_is_accepted(name: str, tmp_path: Path) -> None:
    results = decoded(chunks_of(written(tmp_path / "x.ndjson", FINE[name] + b"\n")), source_of())
    assert rejected(results)["reason"].to_pylist() == []
    assert accepted(results)["subject"].to_pylist() == ["bob"]


CSV_BAD: dict[str, tuple[bytes, str]] = {
    "too few fields": (b"b1,bob\n", "malformed"),
    "too many fields": (b"b1,bob,2025-01-01T00:00:00Z,1,9\n", "malformed"),
    "a stray quote": (b'b1,b"o"b,2025-01-01T00:00:00Z,1,"x"y\n', "malformed"),
    "Latin-1": (b"b1,\xe9,2025-01-01T00:00:00Z,1\n", "malformed"),
    "NUL": (b"b1,b\0b,2025-01-01T00:00:00Z,1\n", "malformed"),
    "a carriage return within": (b"b1,b\rb,2025-01-01T00:00:00Z,1\n", "malformed"),
    "a word as int": (b"b1,bob,2025-01-01T00:00:00Z,x\n", "bad_type"),
    "no subject": (b"b1,,2025-01-01T00:00:00Z,1\n", "missing_id"),
}


@pytest.mark.parametrize("name", CSV_BAD)
def test_a_bad_row_of_csv_is_set_aside_whole(name: str, tmp_path: Path) -> None:
    bad, reason = CSV_BAD[name]
    row = b'a1,"ann, ""x""\n",2025-01-01T00:00:00Z,\n'
    chunks = chunks_of(written(tmp_path / "x.csv", b"id,who,at,items\n" + row + bad + row))
    results = decoded(chunks, source_of())
    assert accepted(results)["subject"].to_pylist() == ['ann, "x"\n'] * 2
    assert accepted(results)["items"].to_pylist() == [None, None]
    assert rejected(results)["reason"].to_pylist() == [reason]
    assert rejected(results)["raw"].to_pylist() == [bad]


def test_a_column_that_the_header_names_twice_is_none(tmp_path: Path) -> None:
    content = b"id,who,at,who\na,b,2025-01-01T00:00:00Z,c\n"
    results = decoded(chunks_of(written(tmp_path / "x.csv", content)), source_of())
    assert rejected(results)["reason"].to_pylist() == ["malformed"]


def test_rows_with_stray_quotes_are_told_from_their_neighbours(tmp_path: Path) -> None:
    at = b"2025-01-01T00:00:00Z"
    rows = [
        b'a,"ann\n",%s',
        b'b,5" pipe,%s',
        b'c,"cid,%s',
        b'd,"do"t,%s',
        b'"e","e ""x""",%s',
        b'f,f",%s',
        b'g,"g\nh",%s',
    ]
    chunks = chunks_of(written(tmp_path / "x.csv", b"id,who,at\n" + b"".join(row % at + b"\n" for row in rows)))
    results = decoded(chunks, source_of(properties={}))
    assert accepted(results)["subject"].to_pylist() == ["ann\n", '5" pipe', 'e "x"', 'f"', "g\nh"]
    assert rejected(results)["raw"].to_pylist() == [rows[2] % at + b"\n", rows[3] % at + b"\n"]
    assert sum(map(len, chunks)) == len(rows)


@pytest.mark.parametrize("neighbour", [b'b,5" pipe,%s', b"b,a\rc,%s", b'"b","x",%s', b"b,too,many,%s"])
def test_a_long_record_is_read_alike_whatever_stands_beside_it(tmp_path: Path, neighbour: bytes) -> None:
    at = b"2025-01-01T00:00:00Z"
    rows = [b"a," + b"x" * 200_000 + b",%s", neighbour]
    content = b"id,who,at\n" + b"".join(row % at + b"\n" for row in rows)
    found = accepted(decoded(chunks_of(written(tmp_path / "x.csv", content)), source_of(properties={})))
    assert found["event_id"].to_pylist()[0] == "a"
