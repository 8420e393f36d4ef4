"""Options that several commands share."""

from typing import Annotated

import typer

Select = Annotated[str | None, typer.Option("--select", help="Names, tag:x, purpose:x, +name, name+.")]
AllowEmpty = Annotated[bool, typer.Option("--allow-empty", help="Exit 0 where nothing is selected.")]
