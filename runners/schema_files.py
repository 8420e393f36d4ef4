"""The schemas that editors read, as files, and the line by which a definition names its own."""

import json
from pathlib import Path, PurePath

from schemas.definitions.json_schema import KINDS, json_schema
from schemas.definitions.language import Language

FOLDER = Path(".segue/schemas")
"""Where a project keeps them: beside the definitions, so that an editor needs no network."""
_BY_FOLDER = {"sources": "source", "features": "features", "segments": "segment"}
_BY_FILE = {"segue.yaml": "segue", "purposes.yaml": "purposes"}


def schema_files(language: Language) -> dict[str, str]:
    """The schema of every kind of file by the name of its own file."""
    return {name_of(kind): f"{json.dumps(json_schema(kind, language), indent=2, ensure_ascii=False)}\n" for kind in KINDS}


def name_of(kind: str) -> str:
    """The name of a schema's file."""
    return f"{kind}.schema.json"


def kind_of(path: PurePath) -> str | None:
    """What a file of a project describes, by where it lies; None where it is no definition."""
    if path.suffix != ".yaml":
        return None
    return _BY_FILE.get(path.name) if len(path.parts) == 1 else _BY_FOLDER.get(path.parts[0])


def with_schema_line(path: PurePath, content: bytes) -> bytes:
    """A file of a project, headed by the line that tells an editor its schema, if it has one."""
    kind = kind_of(path)
    if kind is None or content.startswith(b"# yaml-language-server:"):
        return content
    address = PurePath(*[".."] * (len(path.parts) - 1), FOLDER, name_of(kind)).as_posix()
    return f"# yaml-language-server: $schema={address}\n".encode() + content
