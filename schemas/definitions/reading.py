"""The state of reading a project: what has been read so far, and what is wrong with it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.definitions.language import Language
from schemas.definitions.problems import Form, read_form
from schemas.definitions.yaml import Document, read_yaml
from schemas.errors import Problem


@dataclass
class Reading:
    """What has been read so far, and what is wrong with it.

    Attributes:
      documents: the file of each definition, by (folder, name).
      forms: the form of each definition, by folder and name.
    """

    root: Path
    language: Language
    timezone: str = "UTC"
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    forms: dict[str, dict[str, Any]] = field(default_factory=lambda: {"sources": {}, "features": {}, "segments": {}})

    def document(self, path: Path) -> Document | None:
        """One file, or None where it can not be read at all."""
        name = path.relative_to(self.root).as_posix()
        if path.is_symlink():
            self.problems.append(Problem("SEG-0403", "a symbolic link is not followed", name))
            return None
        document, problems = read_yaml(path.read_bytes(), name)
        self.problems += problems
        return None if problems else document

    def form(self, form: type[Form], document: Document) -> Form | None:
        """A document by its form."""
        return read_form(form, document, self.language.context(self.timezone), self.problems)
