"""The state of reading a project: what has been read so far, what stands where, and what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.definitions.language import Language
from schemas.definitions.node import Node
from schemas.definitions.problems import Form, read_form
from schemas.definitions.yaml import Document, read_yaml
from schemas.definitions.yaml import Path as Place
from schemas.errors import Problem

FOLDERS = {"sources": "source", "features": "features", "segments": "segment"}
"""The folders of definitions, and in each the key that holds a definition's name."""


@dataclass
class Reading:
    """What has been read so far, and what is wrong with it.

    Attributes:
      documents: the file of each definition, by (folder, name); `settings` and `purposes` have no name.
      forms: the form of each definition, by folder and name.
      unread: folder and document of each definition whose form could not be read.
      orphans: nodes that could be read of forms that could not, with their documents and places.
      places: where each node stands in its file, by the node's id.
      lists: every use of a list file: the document, the place in it, the file and the column.
      areas: every use of an area: the document, the place in it and the file.
      broken: by folder, or by the kind of column, the names that could not be read; None stands for any.
    """

    root: Path
    language: Language
    timezone: str = "UTC"
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    forms: dict[str, dict[str, Any]] = field(default_factory=lambda: {folder: {} for folder in FOLDERS})
    places: dict[int, Place] = field(default_factory=dict)
    unread: list[tuple[str, Document]] = field(default_factory=list)
    orphans: list[tuple[Document, Node, Place]] = field(default_factory=list)
    lists: list[tuple[Document, Place, str, str]] = field(default_factory=list)
    areas: list[tuple[Document, Place, str]] = field(default_factory=list)
    broken: dict[str, list[str | None]] = field(default_factory=dict)

    def breaks(self, folder: str, *names: str | None) -> None:
        """Note the names of definitions that could not be read."""
        self.broken.setdefault(folder, []).extend(names)

    def document(self, path: Path) -> Document | None:
        """One file, or None where it can not be read at all."""
        name = path.relative_to(self.root).as_posix()
        if path.is_symlink():
            self.problems.append(
                Problem("SEG-0403", "a symbolic link is not followed", name, expected="the file itself")
            )
            return None
        try:
            content = path.read_bytes()
        except OSError as error:
            self.problems.append(Problem("SEG-0001", f"the file can not be read: {error.strerror}", name))
            return None
        document, problems = read_yaml(content, name)
        self.problems += problems
        return None if problems else document

    def form(self, form: type[Form], document: Document) -> Form | None:
        """A document by its form."""
        context = self.language.context(self.timezone)
        read = read_form(form, document, context, self.problems)
        paths = _paths(document.data) if context["origins"] else {}
        found = [(node, paths[id(value)]) for value, node in context["origins"] if id(value) in paths]
        if read is None:
            self.orphans += [(document, node, path) for node, path in found]
        self.places |= {id(node): path for node, path in found}
        return read

    def excuses(self, folder: str, name: str) -> bool:
        """Whether a name may be that of a definition which could not be read, so that not knowing it is no news."""
        broken = self.broken.get(folder, [])
        return name in broken or None in broken


def _paths(data: Any) -> Mapping[int, Place]:
    """The path of every mapping in a document, by its identity."""
    paths: dict[int, Place] = {}
    open_parts: list[tuple[Place, Any]] = [((), data)]
    while open_parts:
        path, part = open_parts.pop()
        if isinstance(part, dict):
            paths[id(part)] = path
            open_parts += [((*path, key), below) for key, below in part.items()]
        elif isinstance(part, list):
            open_parts += [((*path, index), below) for index, below in enumerate(part)]
    return paths
