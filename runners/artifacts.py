"""What commands leave in `target/` for programs: whole files, never a part of one."""

import fcntl
import json
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from schemas.errors import JobFailed
from transforms.faults import reach

FOLDER = Path("target")
_ASIDE = re.compile(r"\..+\.[0-9a-f]{8}")
"""The name of a file that is not whole yet: whoever writes it holds its lock."""


def write_artifact(root: Path, name: str | Path, text: str) -> Path:
    """Write a file below the `target/` of a project. Errors: JobFailed where it can not be; what stood there stands."""
    path = root / FOLDER / name
    write_whole(path, text, str(FOLDER / name))
    return path


def write_whole(path: Path, text: str, named: str) -> None:
    """Write a file beside its place, then rename it: who reads sees the old or the new. Errors: JobFailed, which names it."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("x", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(text)
            file.flush()
            reach("aside_written")
            aside.rename(path)
    except OSError as error:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        said = os.strerror(error.errno) if error.errno else type(error).__name__
        raise JobFailed("SEG-0608", f"{named} could not be written", said) from error


def drop_asides(*folders: Path) -> None:
    """Remove what calls that were killed have left in these folders while they wrote."""
    for path in (path for folder in folders for path in folder.glob(".*") if _ASIDE.fullmatch(path.name)):
        with suppress(OSError), path.open() as file:  # it is held, or is whole by now
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            path.unlink()


def written(value: Any) -> str:
    """A value as the text of an artifact."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
