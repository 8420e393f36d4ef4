"""Columns as a state keeps them: texts hold each distinct value once, with the narrowest index that will do."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.algebra.order import Flags, Ints

_WIDTHS = ((1 << 7, pa.int8()), (1 << 15, pa.int16()))


def whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The column in one piece."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def coded(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column of text as codes, decimals of up to 18 digits in 64 bits; any other column as it is."""
    if pa.types.is_string(column.type):
        return _narrow(whole(column.dictionary_encode()))
    if pa.types.is_decimal128(column.type) and column.type.precision <= 18:
        return whole(column).cast(pa.decimal64(column.type.precision, column.type.scale))
    return whole(column)


def plain(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column as it was before it was coded."""
    column = whole(column)
    if pa.types.is_decimal64(column.type):
        return column.cast(pa.decimal128(column.type.precision, column.type.scale))
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def indices(column: pa.Array, absent: int) -> Ints:
    """The codes of a coded column, `absent` for null."""
    if column.indices.null_count:
        return np.asarray(pc.fill_null(column.indices.cast(pa.int64()), absent))
    return column.indices.to_numpy().astype(np.int64)


def codes_of(column: pa.Array, absent: int) -> Ints:
    """Numbers that are equal where values are, `absent` for null."""
    if pa.types.is_floating(column.type):
        column = pc.add(column, 0.0)  # there are two zeros, and they are equal
    return indices(column if pa.types.is_dictionary(column.type) else plain(column).dictionary_encode(), absent)


def joined(one: pa.Table, other: pa.Table) -> pa.Table:
    """The rows of both, one behind the other; the columns are those of `one`, coded alike."""
    if not len(one):
        return other.select(one.column_names)
    return pa.table({name: _joined(whole(one[name]), whole(other[name])) for name in one.column_names})


def aligned(one: pa.Table, other: pa.Table) -> tuple[pa.Table, pa.Table, dict[str, pa.Array]]:
    """Both with numbers instead of texts, and the texts of each column: those of `one`, what is new in `other` behind them."""
    columns: tuple[dict[str, pa.Array], dict[str, pa.Array]] = ({}, {})
    texts = {}
    for name in one.column_names:
        mine, theirs = whole(one[name]), whole(other[name])
        if pa.types.is_dictionary(mine.type):
            texts[name], mine, theirs = _numbered(mine, theirs)
        columns[0][name], columns[1][name] = mine, theirs.cast(mine.type)
    return pa.table(columns[0]), pa.table(columns[1]), texts


def told(rows: pa.Table, texts: Mapping[str, pa.Array]) -> pa.Table:
    """Rows with the texts that their numbers stand for."""
    columns = {name: whole(rows[name]) for name in rows.column_names}
    return pa.table({**columns, **{name: pa.DictionaryArray.from_arrays(columns[name], of) for name, of in texts.items()}})


def listed(number: Ints | Flags, texts: pa.Array) -> pa.DictionaryArray:
    """A column of texts by their place in a list."""
    return pa.DictionaryArray.from_arrays(pa.array(number.astype(np.int32)), texts)


def referred(rows: pa.Table) -> pa.Table:
    """Rows without the texts that none of them has any more: a state forgets what was replaced."""
    return pa.table({name: _only_referred(whole(rows[name])) for name in rows.column_names})


def digests(hashes: pa.ChunkedArray, size: int) -> pa.Array:
    """The first bytes of content hashes: they order and tell apart as the whole does, but for prefixes that are equal."""
    column = whole(hashes)
    words = column.type.byte_width // 8
    raw = np.frombuffer(column.buffers()[1], np.int64, len(column) * words, column.offset * words * 8)
    kept = np.ascontiguousarray(raw.reshape(-1, words)[:, : size // 8])
    return pa.Array.from_buffers(pa.binary(size), len(column), [None, pa.py_buffer(kept)])


def _joined(one: pa.Array, other: pa.Array) -> pa.Array:
    if not pa.types.is_dictionary(one.type):
        return pa.concat_arrays([one, other.cast(one.type)])
    dictionary, mine, theirs = _numbered(one, other)
    return _narrow(_referred(pa.concat_arrays([mine, theirs]).cast(pa.int32()), dictionary))


def _numbered(one: pa.DictionaryArray, other: pa.DictionaryArray) -> tuple[pa.Array, pa.Array, pa.Array]:
    """The texts of both, those of the first before the others, and the numbers of each column by them."""
    place = pc.index_in(other.dictionary, value_set=one.dictionary)
    texts = pa.concat_arrays([one.dictionary, other.dictionary.filter(place.is_null())]) if place.null_count else one.dictionary
    place = pc.index_in(other.dictionary, value_set=texts) if place.null_count else place
    return texts, one.indices.cast(_width(texts)), place.cast(_width(texts)).take(other.indices)


def _only_referred(column: pa.Array) -> pa.Array:
    if not pa.types.is_dictionary(column.type):
        return column
    return _narrow(_referred(column.indices.cast(pa.int32()), column.dictionary))


def _referred(codes: pa.Int32Array, dictionary: pa.StringArray) -> pa.DictionaryArray:
    """The column without the texts that no row refers to."""
    used = np.zeros(len(dictionary), np.bool_)
    used[codes.drop_null().to_numpy()] = True
    if not used.all():
        codes = pa.array(np.cumsum(used) - 1, pa.int32()).take(codes)
        dictionary = dictionary.filter(pa.array(used))
    return pa.DictionaryArray.from_arrays(codes, dictionary)


def _narrow(column: pa.DictionaryArray) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(column.indices.cast(_width(column.dictionary)), column.dictionary)


def _width(texts: pa.Array) -> pa.DataType:
    return next((kind for size, kind in _WIDTHS if len(texts) < size), pa.int32())
