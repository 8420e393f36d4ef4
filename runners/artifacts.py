"""What commands leave in `target/` for programs: whole files, never a part of one."""

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from schemas.errors import JobFailed

FOLDER = Path("target")


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
        aside.write_text(text, encoding="utf-8")
        aside.rename(path)
    except OSError as error:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        said = os.strerror(error.errno) if error.errno else type(error).__name__
        raise JobFailed("SEG-0608", f"{named} could not be written", said) from error


def written(value: Any) -> str:
    """A value as the text of an artifact."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
