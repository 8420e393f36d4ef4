"""The bytes of a file, decompressed, in bounded memory and with a guard against bombs."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Protocol, Self

import zstandard

from schemas.record import Input

RATIO = 500
"""How many bytes one compressed byte may become; event records seldom reach 100."""
FREE = 1 << 26
"""So many bytes may come of any file, however small."""
_SLICE = 1 << 12
"""Compressed bytes taken at once: a zstd block of 13 bytes can hold 128 KiB."""


class Bomb(Exception):
    """A file that decompresses to far more than its size."""


UNREADABLE = (EOFError, OSError, zlib.error, zstandard.ZstdError)
"""What reading a broken file raises, after everything that could be read of it was given."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class Stream:
    """A file's decoded bytes, from its beginning up to the size that was listed."""

    def __init__(self, blocks: Iterator[bytes], file: IO[bytes], most: int) -> None:
        self._blocks, self._file, self._left = blocks, file, most
        self._ready = bytearray()
        self._failed: BaseException | None = None

    @property
    def passed(self) -> int:
        """How many bytes of the file, packed as they are, have been taken."""
        return self._file.tell()

    def read(self, size: int) -> bytes:
        """The next bytes, `size` of them unless the file ends before; a failure comes after the last good byte."""
        while len(self._ready) < size and self._failed is None:
            self._fill()
        if not self._ready and self._failed is not None and not isinstance(self._failed, StopIteration):
            raise self._failed
        found = bytes(self._ready[:size])
        del self._ready[:size]
        return found

    def _fill(self) -> None:
        try:
            block = next(self._blocks)
            self._left -= len(block)
            if self._left < 0:
                raise Bomb
            self._ready += block
        except (StopIteration, Bomb, *UNREADABLE) as failed:
            self._failed = failed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self._file.close()


def open_decoded(source: Input) -> Stream:
    """The file from its beginning, decompressed. Reading raises one of UNREADABLE, or Bomb."""
    file = Path(source.path).open("rb")  # noqa: SIM115  closed by the stream
    if source.compression == "none":
        return Stream(_blocks(file, source.size, 1 << 20), file, source.size)
    packed = _blocks(file, source.size, _SLICE)
    return Stream(_decompressed(packed, _DECOMPRESSORS[source.compression]), file, FREE + RATIO * source.size)


def open_behind(source: Input, start: int) -> Stream:
    """A file that is not compressed, from a byte on."""
    file = Path(source.path).open("rb")  # noqa: SIM115  closed by the stream
    file.seek(start)
    return Stream(_blocks(file, source.size - start, 1 << 20), file, source.size)


_DECOMPRESSORS: dict[str, Callable[[], _Decompressor]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
}


def _blocks(file: IO[bytes], left: int, most: int) -> Iterator[bytes]:
    """What was there when the file was listed; what is appended since is the next run's."""
    while left and (block := file.read(min(left, most))):
        left -= len(block)
        yield block


def _decompressed(packed: Iterator[bytes], new: Callable[[], _Decompressor]) -> Iterator[bytes]:
    """The members or frames of a file, one behind the other."""
    part: _Decompressor | None = None
    for data in packed:
        while data:
            if part is None and not data.strip(b"\0"):
                break  # padding
            part = part or new()
            yield part.decompress(data)
            data = part.unused_data if part.eof else b""
            part = None if part.eof else part
    if part is not None:
        raise EOFError
