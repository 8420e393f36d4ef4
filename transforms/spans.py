"""Spans of a buffer of bytes: hashed, compared and gathered as text, all at once."""

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

PADDING = 16
"""Bytes behind the content, so that words can be read beyond its end."""
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # SplitMix64, Steele and others 2014
_LOW = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)


def laid_out(records: pa.BinaryArray) -> tuple[Bytes, Places]:
    """A copy of the bytes of all records, padded, and their offsets in it: one more than records."""
    offsets = np.frombuffer(records.buffers()[1], np.int32)[records.offset : records.offset + len(records) + 1]
    size = int(offsets[-1] - offsets[0])
    content = np.zeros(size + PADDING, np.uint8)
    if size:
        content[:size] = np.frombuffer(records.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
    return content, offsets - offsets[0]


def words(content: Bytes) -> Hashes:
    """The eight bytes from each place on as one number, the first the lowest; no copy."""
    return np.ndarray((len(content) - 7,), "<u8", content, 0, (1,))


def hashed(content: Bytes, starts: Places, sizes: Places) -> Hashes:
    """A 64-bit hash of each span: eight bytes at a time, mixed as in SplitMix64. `content` is padded."""
    view = words(content)
    hashes = (view[starts] & _LOW[np.minimum(sizes, 8)]) ^ (sizes.astype(np.uint64) * _ODD)
    longest = int(sizes.max(initial=0))
    for done in range(8, longest, 8):
        rows = np.flatnonzero(sizes > done)
        word = view[starts[rows] + done] & _LOW[np.minimum(sizes[rows] - done, 8)]
        hashes[rows] = mixed(hashes[rows]) ^ word
    return mixed(hashes)


def hashed_texts(texts: pa.Array) -> Hashes:
    """The hash of each text, as `hashed` gives it of a span. No nulls."""
    content, offsets = laid_out(texts.cast(pa.binary()))
    return hashed(content, offsets[:-1], np.diff(offsets))


def mixed(hashes: Hashes) -> Hashes:
    """Every bit of the result depends on every bit given."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * _MIX[0]
    hashes = (hashes ^ (hashes >> np.uint64(27))) * _MIX[1]
    return hashes ^ (hashes >> np.uint64(31))


def gathered(content: Bytes, starts: Places, ends: Places) -> pa.Array:
    """The text of each span, one after the other in a buffer of their own. The bytes are UTF-8."""
    count = len(starts)
    offsets = np.zeros(2 * count + 1, np.int32)
    offsets[0:-1:2], offsets[1::2] = starts, ends
    offsets[-1] = ends[-1] if count else 0
    spans = pa.Array.from_buffers(pa.string(), 2 * count, [None, pa.py_buffer(offsets), pa.py_buffer(content)])
    return spans.take(numbers(np.arange(0, 2 * count, 2, dtype=np.int32)))


def numbers(values: npt.NDArray[np.int32] | npt.NDArray[np.int64]) -> pa.Array:
    """An Arrow array over the memory of a numpy array (`pa.array` would import pandas)."""
    kind = pa.int32() if values.dtype == np.int32 else pa.int64()
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def flags(values: Flags) -> pa.Array:
    """An Arrow array of the flags."""
    packed = np.packbits(values, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(packed)])


def placed(values: pa.Array, rows: npt.NDArray[np.int64], count: int) -> pa.Array:
    """`values` at `rows` of a column of `count`, null elsewhere."""
    if len(rows) == count:
        return values
    index = np.full(count, -1, np.int64)
    index[rows] = np.arange(len(rows))
    present = np.packbits(index >= 0, bitorder="little")
    places = pa.Array.from_buffers(pa.int64(), count, [pa.py_buffer(present), pa.py_buffer(index)])
    return values.take(places)


def replaced(texts: pa.Array, rows: npt.NDArray[np.int64], others: pa.Array) -> pa.Array:
    """`texts` with `others` at `rows`."""
    mask = np.zeros(len(texts), np.bool_)
    mask[rows] = True
    return pc.replace_with_mask(texts, flags(mask), others)


def unescaped(texts: pa.Array, con: duckdb.DuckDBPyConnection) -> pa.Array:
    """What stands between the quotes of JSON strings, with its escapes resolved."""
    con.register("escaped", pa.table({"t": texts}))
    column = con.execute("SELECT CAST('\"' || t || '\"' AS JSON) ->> '$' AS t FROM escaped").to_arrow_table()["t"]
    con.unregister("escaped")
    return column.combine_chunks().cast(pa.string())
