"""What every command shares: where the project is, how to speak, and the whole language."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from runners.terminal.bar import Bar
from runners.terminal.log import Log

if TYPE_CHECKING:
    from runners.warehouses.lake import Lake
    from schemas.definitions.language import Language
    from schemas.definitions.project import Project


@dataclass
class Session:
    """The global options of one call. Results go to stdout, everything else to stderr."""

    project_dir: Path | None = None
    target: str | None = None
    format: Literal["text", "json"] = "text"
    quiet: bool = False
    color: bool = True
    log_format: Literal["text", "json"] = "text"

    @cached_property
    def root(self) -> Path:
        """The project's folder. Errors: CallError where there is none here or above."""
        from schemas.definitions.project import find_root

        return self.project_dir or find_root(Path.cwd())

    def project(self, target: str | None = None, texts: Mapping[str, str] | None = None) -> "Project":
        """Read and check the project, for a target, else that of the call; its definitions from `texts`, where they are given.

        Errors: DefinitionErrors, CallError.
        """
        from schemas.definitions.catalog import read_project

        return read_project(self.root, self.language(), target or self.target, os.environ, texts)

    def language(self) -> "Language":
        """The whole language."""
        from schemas.definitions.language import Language
        from transforms.algebra.aggregates import AGGREGATES
        from transforms.algebra.operators import OPERATORS
        from transforms.algebra.project import type_of

        return Language(OPERATORS, AGGREGATES, type_of)

    def lake(self, project: "Project") -> "Lake":
        """The target's warehouse, read-only. Errors: CallError where there is none yet."""
        from runners.warehouses.entry import open_warehouse

        return open_warehouse(project)

    def say(self, text: str) -> None:
        """A result."""
        sys.stdout.write(text + "\n")

    def json(self, value: Any) -> None:
        """A result as JSON."""
        self.say(json.dumps(value, ensure_ascii=False, default=str))

    @cached_property
    def log(self) -> Log:
        """What goes to stderr."""
        return Log(self.log_format, self.quiet)

    def note(self, text: str) -> None:
        """Something beside the result."""
        self.log.note(text)

    def warn(self, project: "Project") -> None:
        """What is allowed in a project and probably not meant."""
        for warning in project.warnings:
            self.log.problem(warning)

    def bar(self) -> Bar:
        """Progress; never drawn over what programs read."""
        return Bar(self.log.note, self.quiet, terminal=False if self.log_format == "json" else None)
