"""Selections: which segments and features `--select` means, and a project narrowed to some of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from schemas.definitions.project import Project
from schemas.definitions.reference import EventReference
from schemas.definitions.refusal import nearest_to
from schemas.definitions.segment import ActiveIn, Segment
from schemas.errors import CallError, NothingSelected

METHODS = ("tag", "purpose", "consumes", "state")
_ANYTHING = EventReference(None)


@dataclass(frozen=True, order=True)
class Item:
    """What can be selected: `kind` is segment or feature, a feature is called `group.name_window`."""

    kind: str
    name: str


@dataclass(frozen=True)
class Selection:
    """What a selection means: segments with those that others refer to first, features in the order of the files."""

    segments: tuple[str, ...]
    features: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing is selected."""
        return not self.segments and not self.features


def select(project: Project, text: str | None, before: Mapping[str, str] | None = None) -> Selection:
    """What `--select` means: parts by spaces are joined, parts of those by commas must all hold; None is everything.

    Args:
      before: the meanings that `state:modified` compares with, by name; None where there are none.

    Errors: CallError for a part that is not understood or names nothing known.
    """
    graph = _Graph(project)
    if text is None:
        return graph.ordered(graph.items)
    found: set[Item] = set()
    for part in text.split():
        found |= set.intersection(*(graph.part(one, before) for one in part.split(",")))
    return graph.ordered(found)


def demand(selection: Selection, text: str | None, something: bool) -> None:
    """Insist on `something` of a selection. Errors: NothingSelected."""
    if not something:
        said = f"`{text}` selects nothing" if text else "there is nothing to select"
        hint = "`segue ls` lists what there is" if selection.empty else "it means other kinds of definitions only"
        raise NothingSelected("SEG-0903", said, hint)


def referred(project: Project, segment: Segment) -> set[str]:
    """The features that a segment reads, as `group.name_window`."""
    named = {name for node in segment.when.walk() for name in node.references().features}
    whole = {name for name in named if name not in project.feature_columns}
    columns = project.feature_columns.items()
    spread = {name for name, column in columns if f"{column.group}.{column.aggregate.name}" in whole}
    return (named - whole) | spread


def narrow(project: Project, segments: Iterable[str], features: Iterable[str] = ()) -> Project:
    """The project with only these segments and features, and what they refer to."""
    graph = _Graph(project)
    items = {Item("segment", name) for name in segments} | {Item("feature", name) for name in features}
    kept = graph.ordered(graph.reach(items, graph.below))
    groups = {}
    for name, group in project.features.items():
        columns = tuple(column for column in group.columns if column.reference in kept.features)
        used = {column.aggregate.name for column in columns}
        if columns:
            aggregates = tuple(one for one in group.aggregates if one.name in used)
            groups[name] = replace(group, aggregates=aggregates, columns=columns)
    chosen = {name: project.segments[name] for name in kept.segments}
    return replace(project, segments=chosen, features=groups, order=kept.segments)


class _Graph:
    """Everything that can be selected, with what refers to what."""

    def __init__(self, project: Project) -> None:
        self.project = project
        segments = {Item("segment", name): one for name, one in project.segments.items()}
        self.items = {*segments, *(Item("feature", name) for name in project.feature_columns)}
        self.below: dict[Item, set[Item]] = {item: set() for item in self.items}
        self.above: dict[Item, set[Item]] = {item: set() for item in self.items}
        for item, segment in segments.items():
            self.below[item] = {Item("segment", name) for name in segment.segments}
            self.below[item] |= {Item("feature", name) for name in referred(project, segment)}
            for other in self.below[item]:
                self.above[other].add(item)

    def ordered(self, items: Iterable[Item]) -> Selection:
        chosen = set(items)
        segments = tuple(name for name in self.project.order if Item("segment", name) in chosen)
        return Selection(segments, tuple(n for n in self.project.feature_columns if Item("feature", n) in chosen))

    def reach(self, items: set[Item], edges: Mapping[Item, set[Item]]) -> set[Item]:
        """The items and everything along the edges."""
        found, waiting = set(items), list(items)
        while waiting:
            fresh = edges[waiting.pop()] - found
            found |= fresh
            waiting += fresh
        return found

    def part(self, text: str, before: Mapping[str, str] | None) -> set[Item]:
        """One selector with its pluses."""
        core = text.removeprefix("+").removesuffix("+")
        chosen = found = self._method(core, before) if ":" in core else self._named(core)
        if text.startswith("+"):
            found = found | self.reach(chosen, self.below)
        return found | self.reach(chosen, self.above) if text.endswith("+") else found

    def _named(self, name: str) -> set[Item]:
        columns = self.project.feature_columns.items()
        found = {Item("segment", name)} if name in self.project.segments else set()
        found |= {Item("feature", own) for own, column in columns if name in (own, column.group)}
        if not found:
            known = [*self.project.segments, *self.project.features, *self.project.feature_columns]
            raise _unknown(f"no segment or feature is called `{name}`", nearest_to(name, known))
        return found

    def _method(self, text: str, before: Mapping[str, str] | None) -> set[Item]:
        method, _, value = text.partition(":")
        if method not in METHODS:
            nearest = nearest_to(method, METHODS)
            hint = f"did you mean `{nearest}:`?" if nearest else f"there is {', '.join(f'{one}:' for one in METHODS)}"
            raise CallError("SEG-0901", f"no selector `{method}:`", hint)
        if method == "state":
            return self._modified(value, before)
        tests: dict[str, Callable[[Item], bool]] = {
            "tag": lambda item: value in self._definition(item).tags,
            "purpose": lambda item: value in self._definition(item).purposes,
            "consumes": lambda item: any(one.events is None or value in one.events for one in self._events(item)),
        }
        if method == "purpose" and value not in self.project.purposes:
            raise _unknown(f"no purpose is called `{value}`", nearest_to(value, self.project.purposes))
        return {item for item in self.items if tests[method](item)}

    def _modified(self, value: str, before: Mapping[str, str] | None) -> set[Item]:
        if value != "modified":
            raise CallError("SEG-0901", f"no selector `state:{value}`", "there is `state:modified`")
        if before is None:
            raise CallError("SEG-0901", "`state:modified` has nothing to compare with", "`segue compile` writes it")
        return {item for item in self.items if before.get(item.name) != self._meaning(item)}

    def _definition(self, item: Item) -> "Segment | _Owner":
        if item.kind == "segment":
            return self.project.segments[item.name]
        group = self.project.features[self.project.feature_columns[item.name].group]
        return _Owner(group.tags, group.purposes)

    def _events(self, item: Item) -> set[EventReference]:
        """What an item reads, by its features too."""
        if item.kind == "feature":
            return {self.project.feature_columns[item.name].source}
        segment = self.project.segments[item.name]
        own = {one for node in segment.when.walk() for one in node.references().events}
        own |= {_ANYTHING} if isinstance(segment.population, ActiveIn) else set()
        return own | {self.project.feature_columns[name].source for name in referred(self.project, segment)}

    def _meaning(self, item: Item) -> str:
        columns = self.project.feature_columns
        return self.project.segments[item.name].meaning if item.kind == "segment" else columns[item.name].meaning


@dataclass(frozen=True)
class _Owner:
    """What a feature has of its group."""

    tags: tuple[str, ...]
    purposes: tuple[str, ...]


def _unknown(message: str, nearest: str) -> CallError:
    return CallError("SEG-0902", message, f"did you mean `{nearest}`?" if nearest else "`segue ls` lists what there is")
