"""`segue schema`: the JSON Schema of every kind of file, for editors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer


def schema(
    ctx: typer.Context,
    kind: Annotated[str | None, typer.Argument(help="segue, source, features, segment or purposes; by default all.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write KIND.schema.json here.")] = None,
) -> None:
    """Print or write the JSON Schema of the files of a project. No project is needed."""
    import json

    from runners.schema_files import schema_files

    session = ctx.obj
    files = schema_files(session.language())
    chosen = files if kind is None else {_named(kind): files[_named(kind)]}
    if output is None:
        whole = {name.partition(".")[0]: json.loads(text) for name, text in chosen.items()}
        session.say(json.dumps(whole if kind is None else whole[kind], indent=2, ensure_ascii=False))
        return
    _write(output, chosen)
    told = [str(output / name) for name in chosen]
    session.json(told) if session.format == "json" else session.say("\n".join(told))


def _write(folder: Path, files: Mapping[str, str]) -> None:
    import os

    from schemas.errors import JobFailed

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        said = os.strerror(error.errno) if error.errno else type(error).__name__
        raise JobFailed("SEG-0608", f"{folder} could not be written", said) from error


def _named(kind: str) -> str:
    from runners.schema_files import name_of
    from schemas.definitions.json_schema import KINDS
    from schemas.definitions.refusal import nearest_to, show
    from schemas.errors import CallError

    if kind not in KINDS:
        nearest = nearest_to(kind, KINDS)
        hint = f"did you mean `{nearest}`?" if nearest else f"there is {', '.join(KINDS)}"
        raise CallError("SEG-0900", f"no kind of file `{show(kind)}`", hint)
    return name_of(kind)
