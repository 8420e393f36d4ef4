"""The bytes of a file, decompressed, with a guard against bombs."""

import gzip
from typing import IO, Any, cast

import pyarrow as pa

from schemas.record import Input

RATIO = 2_000
"""How many bytes one compressed byte may become; a file over it is no honest one."""
FREE = 1 << 26
"""So many bytes may come of any file, however small."""


class Bomb(Exception):
    """A file that decompresses to far more than its size."""


class _Guarded:
    """A stream that counts what it gives."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self.stream, self.left = stream, most

    def read(self, size: int) -> bytes:
        block = self.stream.read(size)
        self.left -= len(block)
        if self.left < 0:
            raise Bomb
        return block

    def __enter__(self) -> "_Guarded":
        return self

    def __exit__(self, *_: Any) -> None:
        self.stream.close()


def open_decoded(source: Input) -> _Guarded:
    """The file from its beginning, decompressed."""
    if source.compression == "gzip":
        stream = cast(IO[bytes], gzip.open(source.path, "rb"))
    elif source.compression == "zstd":
        stream = cast(IO[bytes], pa.CompressedInputStream(pa.OSFile(source.path), "zstd"))
    else:
        stream = open(source.path, "rb")  # noqa: SIM115, PTH123  closed by the guard
    most = FREE + RATIO * source.size if source.compression != "none" else source.size
    return _Guarded(stream, most)
