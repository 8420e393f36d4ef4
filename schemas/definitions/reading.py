"""The state of reading a project: what has been read so far, what stands where, and what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.definitions.language import Language
from schemas.definitions.node import Node
from schemas.definitions.paths import yaml_files
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
      kept: the text of each file of definitions, where they are read as they were before; None: they are read from the folder.
      texts: the text of each file that was read, in the order in which they were.
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
    kept: Mapping[str, str] | None = None
    texts: dict[str, str] = field(default_factory=dict)
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

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return (self.root / name).exists() if self.kept is None else name in self.kept

    def names(self, folder: str) -> list[str]:
        """The files of definitions below a folder of the project, in the order in which they are read."""
        if self.kept is not None:
            return [name for name in self.kept if name.startswith(f"{folder}/")]
        if (self.root / folder).is_symlink():
            self._refuse_link(folder, "the folder itself")
            return []
        return [path.relative_to(self.root).as_posix() for path in yaml_files(self.root / folder)]

    def document(self, name: str) -> Document | None:
        """One file, or None where it can not be read at all."""
        content = self._content(name) if self.kept is None else self.kept[name].encode()
        if content is None:
            return None
        document, problems = read_yaml(content, name)
        self.problems += problems
        if problems:
            return None
        self.texts[name] = content.decode()
        return document

    def _content(self, name: str) -> bytes | None:
        path = self.root / name
        if path.is_symlink():
            self._refuse_link(name, "the file itself")
            return None
        try:
            return path.read_bytes()
        except OSError as error:
            self.problems.append(Problem("SEG-0001", f"the file can not be read: {error.strerror}", name))
            return None

    def _refuse_link(self, name: str, expected: str) -> None:
        self.problems.append(Problem("SEG-0403", "a symbolic link is not followed", name, expected=expected))

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
