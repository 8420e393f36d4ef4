"""Files of a project: inside its folder or a declared root, never behind a symbolic link."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from schemas.definitions.refusal import refuse, show

REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://")
"""How the address of a place beyond this machine begins."""
_WILD = frozenset("*?[")
LONGEST = 1_024


def inside(root: Path, text: str, roots: Sequence[Path] = ()) -> Path:
    """The path that a definition names, whether anything is there or not. Raises ValueError.

    Args:
      root: the project's folder, to which a path without a beginning `/` belongs.
      roots: absolute folders that the project declares; a path with a beginning `/` must lie below one of them.
    """
    pure = PurePosixPath(text)
    if not text.strip() or len(text) > LONGEST or any(not c.isprintable() for c in text) or "\\" in text:
        raise refuse("SEG-0401", "no such path", expected="a path with slashes", found=show(text))
    base = next((b for b in roots if pure.is_relative_to(b)), None) if pure.is_absolute() else root
    if base is None or ".." in pure.parts:
        expected = "a path inside the project, or below one of its `roots`"
        raise refuse("SEG-0401", "the path leaves the project", expected=expected, found=show(text))
    path = base
    for part in pure.relative_to(base).parts if pure.is_absolute() else pure.parts:
        path = path / part
        if not _WILD & set(part):
            _refuse_link(path)
    return path


def matching(root: Path, pattern: str, roots: Sequence[Path] = ()) -> Iterator[Path]:
    """The files that a pattern of `*`, `?`, `[…]` and `**` matches, in the order of their names. Raises ValueError."""
    whole = inside(root, pattern, roots)
    base = next((b for b in roots if whole.is_relative_to(b)), root) if PurePosixPath(pattern).is_absolute() else root
    yield from _expand(base, whole.relative_to(base).parts)


def _expand(folder: Path, parts: Sequence[str]) -> Iterator[Path]:
    if not parts:
        if folder.is_file():
            yield folder
        return
    head, rest = parts[0], parts[1:]
    if not _WILD & set(head):
        yield from _expand(folder / head, rest)
        return
    if head == "**":
        yield from _expand(folder, rest)
    for name in _names(folder):
        path = folder / name
        if head == "**" and path.is_dir() and not path.is_symlink():
            yield from _expand(path, parts)
        elif head != "**" and fnmatchcase(name, head) and (rest == () or path.is_dir()):
            _refuse_link(path)
            yield from _expand(path, rest)


def _names(folder: Path) -> list[str]:
    """The names in a folder, hidden ones left out as in every shell; of a folder that is not there, none."""
    try:
        return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        return []


def _refuse_link(path: Path) -> None:
    try:
        is_link = path.is_symlink()
    except OSError:
        is_link = False
    if is_link:
        raise refuse(
            "SEG-0403", "a symbolic link is not followed", expected="a file or a folder", found=show(path.name)
        )


def yaml_files(folder: Path) -> Iterator[Path]:
    """The YAML files below a folder, links among them, in the order of their names; linked folders are not entered."""
    for name in _names(folder):
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            yield from yaml_files(path)
        elif path.suffix in (".yaml", ".yml"):
            yield path
