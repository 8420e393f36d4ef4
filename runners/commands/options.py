"""Options that several commands share."""

from typing import Annotated

import typer

_SELECT = (
    "Names, tag:x, purpose:x, consumes:event, state:modified, result:error; +name, name+ for what it depends on and what "
    "depends on it. Blanks put parts together, commas ask for all of them."
)
Select = Annotated[str | None, typer.Option("--select", help=_SELECT)]
AllowEmpty = Annotated[bool, typer.Option("--allow-empty", help="Exit 0 where nothing is selected.")]
