"""A project as its user drives it: files of definitions, the commands, and SQL over what they published."""

import io
import json
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import yaml

from runners.main import call

Json = dict[str, Any]
SETTINGS: Json = {"default_target": "dev", "targets": {"dev": {"warehouse": "ducklake:warehouse"}}}
COUNTED: Json = {"purposes": [{"id": "counting", "basis": "legitimate_interest"}]}
"""One purpose that nobody objected to: for data that come without consents."""


def write_definitions(
    root: Path, settings: Json, sources: Iterable[Json], segments: Iterable[Json], features: Iterable[Json] = ()
) -> Path:
    """Write a project that counts: one purpose, one target, one file a definition. Gives its folder."""
    _write(root / "segue.yaml", {**SETTINGS, **settings})
    _write(root / "purposes.yaml", COUNTED)
    for kind, definitions in {"source": sources, "segment": segments, "features": features}.items():
        for one in definitions:
            _write(root / f"{kind.removesuffix('s')}s" / f"{one[kind]}.yaml", one)
    return root


def _write(path: Path, said: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(dict(said), sort_keys=False))


def segue(root: Path, *arguments: str) -> str:
    """What a command prints; it must end well."""
    with redirect_stdout(io.StringIO()) as printed:
        code = call(["--quiet", "--project-dir", str(root), *arguments])
    assert code == 0, f"segue {' '.join(arguments)} ended with {code}"
    return printed.getvalue()


def asked(root: Path, sql: str) -> list[Json]:
    """The rows of a query, as `segue query` gives them in JSON."""
    rows: list[Json] = json.loads(segue(root, "query", sql, "--format", "json"))
    return rows
