"""Selections: what `--select` means.

Names of segments, feature groups, features, purposes and sources; `tag:x`, `purpose:x`, `consumes:event`;
`state:modified`, what means something else than what is published; `result:error`, what the last run failed on; `+name`
with all that it depends on, `name+` with all that depends on it. Parts between blanks are put together; of parts joined
by commas what all of them select.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.definitions.lineage import KINDS, Item, Lineage, reach
from schemas.definitions.project import Project
from schemas.definitions.reference import EventReference
from schemas.definitions.refusal import listed, nearest_to, show
from schemas.errors import CallError, NothingSelected

UNDERSTOOD = "names, tag:x, purpose:x, consumes:event, state:modified, result:error, +name, name+"


@dataclass(frozen=True)
class Past:
    """What was done with the definitions before: found out only where a selector asks for it.

    Attributes:
      published: the meaning of each segment and feature group that is published.
      failed: the segments and feature groups that the last run failed on.
    """

    published: Callable[[], Mapping[Item, str]] = dict
    failed: Callable[[], Collection[Item]] = frozenset


NO_PAST = Past()


@dataclass(frozen=True)
class Selection:
    """What is selected, by kind, in the order of the project.

    Attributes:
      features: names of feature groups.
    """

    segments: tuple[str, ...]
    features: tuple[str, ...]
    purposes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.segments or self.features or self.purposes or self.sources)


def select(project: Project, selector: str | Sequence[str] | None, past: Past = NO_PAST) -> Selection:
    """What a selector means in a project; without one, every segment and feature group.

    Errors: CallError for a selector that is not understood or names nothing known; NothingSelected for an empty result.
    """
    words = " ".join([selector] if isinstance(selector, str) else selector or ()).split()
    reader = _Reader(Lineage(project), past)
    if not words:
        return reader.selection(item for item in reader.lineage.items if item.kind in ("segments", "features"))
    found: set[Item] = set()
    for word in words:
        found |= set.intersection(*(reader.meant(part) for part in word.split(",")))
    if not found:
        raise NothingSelected("SEG-0903", f"nothing is selected by `{show(' '.join(words))}`", "see `segue ls`")
    return reader.selection(found)


class _Reader:
    """Reads the parts of a selector."""

    def __init__(self, lineage: Lineage, past: Past) -> None:
        self.lineage, self.project, self.past = lineage, lineage.project, past

    def selection(self, found: Iterable[Item]) -> Selection:
        """Items by kind, in the order of the project."""
        wanted = set(found)
        return Selection(
            *(tuple(i.name for i in self.lineage.items if i.kind == kind and i in wanted) for kind in KINDS)
        )

    def meant(self, part: str) -> set[Item]:
        """What one part of a selector means. Errors: CallError."""
        inner = part.removeprefix("+").removesuffix("+")
        found = self._matched(inner)
        up = reach(found, self.lineage.above) if part.startswith("+") else set()
        down = reach(found, self.lineage.below) if part.endswith("+") and part != "+" else set()
        return found | up | down

    def _matched(self, part: str) -> set[Item]:
        method, colon, value = part.partition(":")
        if not colon:
            return self._named(part)
        if method not in _METHODS or not value:
            nearest = "" if method in _METHODS else nearest_to(method, _METHODS)
            hint = f"did you mean `{nearest}:`? There is {UNDERSTOOD}" if nearest else f"there is {UNDERSTOOD}"
            raise CallError("SEG-0901", f"the selector `{show(part)}` is not understood", hint)
        return _METHODS[method](self, value)

    def _named(self, name: str) -> set[Item]:
        owner = self._owner_of_feature(name)
        found = {item for item in self.lineage.items if item.name == name or item == owner}
        if not found:
            names = {item.name for item in self.lineage.items}
            nearest = nearest_to(name, names)
            hint = f"did you mean `{nearest}`?" if nearest else f"there is {listed(names)}"
            raise CallError("SEG-0902", f"nothing is called `{show(name)}`", hint)
        return found

    def _owner_of_feature(self, name: str) -> Item | None:
        """The group of a feature that is written as `group.name`, `group.name_window` or `group__name_window`."""
        columns = {column.name: column.group for column in self.project.feature_columns.values()}
        if name in columns:
            return Item("features", columns[name])
        is_feature = name in self.project.feature_columns or name in self.project.feature_names
        return Item("features", name.partition(".")[0]) if is_feature else None

    def tagged(self, tag: str) -> set[Item]:
        """The segments and feature groups with a tag."""
        segments = {Item("segments", s.name) for s in self.project.segments.values() if tag in s.tags}
        return segments | {Item("features", g.name) for g in self.project.features.values() if tag in g.tags}

    def serving(self, purpose: str) -> set[Item]:
        """The segments and feature groups of a purpose. Errors: CallError for an unknown one."""
        if purpose not in self.project.purposes:
            nearest = nearest_to(purpose, self.project.purposes)
            hint = f"did you mean `{nearest}`?" if nearest else f"there is {listed(self.project.purposes)}"
            raise CallError("SEG-0902", f"no purpose `{show(purpose)}`", hint)
        segments = {Item("segments", s.name) for s in self.project.segments.values() if purpose in s.purposes}
        return segments | {Item("features", g.name) for g in self.project.features.values() if purpose in g.purposes}

    def consuming(self, event: str) -> set[Item]:
        """The segments and feature groups that read an event, by name or by `any`; a segment also by its features."""
        groups = {g.name for g in self.project.features.values() if _names(g.source, event)}
        found = {Item("features", name) for name in groups}
        for name, refers in self.lineage.references.items():
            own = any(_names(reference, event) for one in refers for reference in one.events)
            if own or any(feature.partition(".")[0] in groups for one in refers for feature in one.features):
                found.add(Item("segments", name))
        return found

    def in_state(self, state: str) -> set[Item]:
        """The segments and feature groups whose meaning is not the published one. Errors: CallError."""
        _only("state", state, "modified")
        published = self.past.published()
        gone = {(item.kind, meaning) for item, meaning in published.items() if item not in self.lineage.items}
        return {
            item
            for item, meaning in self._meanings().items()
            # Published under another name that is not there any more, it was renamed.
            if (published[item] != meaning if item in published else (item.kind, meaning) not in gone)
        }

    def _meanings(self) -> dict[Item, str]:
        segments = {Item("segments", one.name): one.meaning for one in self.project.segments.values()}
        return segments | {Item("features", one.name): one.meaning for one in self.project.features.values()}

    def with_result(self, result: str) -> set[Item]:
        """The segments and feature groups that the last run failed on. Errors: CallError."""
        _only("result", result, "error")
        failed = frozenset(self.past.failed())
        return {item for item in self.lineage.items if item in failed}


def _only(method: str, value: str, known: str) -> None:
    if value != known:
        raise CallError("SEG-0901", f"`{method}:{show(value)}` is not understood", f"there is {method}:{known}")


def _names(reference: EventReference, event: str) -> bool:
    return reference.events is None or event in reference.events


_METHODS: Mapping[str, Callable[[_Reader, str], set[Item]]] = {
    "tag": _Reader.tagged,
    "purpose": _Reader.serving,
    "consumes": _Reader.consuming,
    "state": _Reader.in_state,
    "result": _Reader.with_result,
}
