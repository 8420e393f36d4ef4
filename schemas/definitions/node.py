"""Nodes of a segment: the class that every operator extends, and the reader that finds the operator by its name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field, PlainValidator, ValidationInfo, create_model, field_validator

from schemas.definitions.aggregate import Aggregate
from schemas.definitions.canonical import fields_of
from schemas.definitions.comparison import Comparison
from schemas.definitions.datatype import DataType
from schemas.definitions.expression import Expression
from schemas.definitions.reference import EventFields, EventReference, References
from schemas.definitions.refusal import listed, nearest_to, refuse, refuse_at, show
from schemas.definitions.strict import Strict
from schemas.definitions.takes import Takes, shared
from schemas.definitions.window import NamedWindow, Since

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Compared:
    """What a node compares, and how: `of` is equal for nodes that compare the same.

    It is ("events", reference, window, distinct), a number of events; ("feature", `group.name_window`); ("profile", column); or
    ("score", model, column).
    """

    of: tuple[Any, ...]
    comparison: Comparison


class Node(Strict):
    """One node of a segment's tree. An operator is a subclass in a file of its own.

    Attributes:
      name: the key that stands for the operator in YAML.
      can_be_unknown: whether the operator's answer can be unknown; else `missing` is refused.
      when: for the reference, when one would use it, in a sentence.
      example: for the reference, a node in YAML.
      story: for the reference, a test of a segment that is the example.
      missing: what an unknown answer counts as; None leaves it unknown.
    """

    name: ClassVar[str]
    can_be_unknown: ClassVar[bool] = True
    when: ClassVar[str]
    example: ClassVar[str]
    story: ClassVar[str]

    missing: Annotated[bool | None, Takes("what an unknown answer counts as", {"enum": [True, False, "unknown"]})] = None

    @field_validator("missing", mode="before")
    @classmethod
    def _is_allowed(cls, value: Any) -> Any:
        if not cls.can_be_unknown:
            raise refuse("SEG-0108", f"`{cls.name}` is never unknown", expected="no `missing`", found=show(value))
        if value not in (True, False, "unknown") or not isinstance(value, bool | str):
            raise refuse("SEG-0103", "no such answer", expected="true, false or unknown", found=show(value))
        return None if value == "unknown" else value

    @property
    def children(self) -> "tuple[Node, ...]":
        """The nodes directly below."""
        return ()

    def references(self) -> References:
        """What this node names outside itself, its children left out.

        Here: the events of its `event` and `where`, of its fields that are event references, and of `since` windows.
        Operators add what else they name.
        """
        return References(events=tuple(reference for _, reference in event_references(self)))

    def compared(self) -> tuple[Compared, ...]:
        """Comparisons that hold together just where the node is true; none where its truth is of another kind."""
        return ()

    def of_nothing(self) -> frozenset[bool | None]:
        """The answers that it can give of a subject without events, where `compared` does not tell."""
        return frozenset((None if self.can_be_unknown else False,))

    def check_feature(self, aggregate: Aggregate, of: DataType | None) -> None:
        """See that a feature that it names without windows, over a column of type `of`, is of use. Raises ValueError."""

    def check_columns(self, types: Mapping[str, DataType]) -> None:
        """See that the event properties that it names beside conditions have types that it takes. Raises ValueError."""

    def meaning(self) -> Any:
        """JSON that is equal for nodes that mean the same, the children included."""
        return {"operator": self.name, **fields_of(self)}

    def walk(self) -> "Iterator[Node]":
        """This node and all below it, parents first."""
        open_nodes = [self]
        while open_nodes:
            node = open_nodes.pop()
            yield node
            open_nodes += reversed(node.children)


def expressions(model: BaseModel) -> Iterator[tuple[Path, Expression]]:
    """The conditions in the fields of a model, with their paths in it."""
    for name in type(model).model_fields:
        yield from _conditions((name,), getattr(model, name))


def _conditions(path: Path, value: Any) -> Iterator[tuple[Path, Expression]]:
    if isinstance(value, Expression):
        yield path, value
        return
    for below, reference in _in_value(path, value):
        if reference.where is not None:
            yield (*below, "where"), reference.where


def event_references(model: BaseModel) -> Iterator[tuple[Path, EventReference]]:
    """The event references in the fields of a model, with their paths in it."""
    if isinstance(model, EventFields):
        yield (), model.reference
    for name in type(model).model_fields:
        yield from _in_value((name,), getattr(model, name))


def _in_value(path: Path, value: Any) -> Iterator[tuple[Path, EventReference]]:
    if isinstance(value, EventReference):
        yield path, value
    elif isinstance(value, Since):
        yield (*path, "since"), value.event
    elif isinstance(value, NamedWindow):
        yield from _in_value(path, value.window)
    elif type(value) is tuple and value and not isinstance(value[0], str | Node):
        for index, part in enumerate(value):
            yield from _in_value((*path, index), part)


@lru_cache(maxsize=1_000)
def _form(operator: type[Node]) -> type[BaseModel]:
    """The one-key mapping `name: operator`, so that paths of errors hold the name."""
    fields: dict[str, Any] = {"node": (operator, Field(alias=operator.name))}
    return create_model(f"{operator.__name__}Form", **fields)


def _read(value: Any, info: ValidationInfo) -> Node:
    if isinstance(value, Node):
        return value
    operators = (info.context or {})["language"].operators
    if not isinstance(value, dict) or len(value) != 1:
        found = f"{len(value)} keys" if isinstance(value, dict) else show(value)
        raise refuse("SEG-0105", "no node", expected="a mapping of one key, an operator's name", found=found)
    name = next(iter(value))
    if name not in operators:
        nearest = nearest_to(name, operators)
        unknown = refuse("SEG-0106", f"no operator `{show(name)}`", expected=listed(operators), nearest=nearest)
        raise refuse_at([((name,), unknown)])
    node: Node = _form(operators[name]).model_validate(value, context=info.context).node  # type: ignore[attr-defined]
    _remember(info, value, node)
    return node


def _remember(info: ValidationInfo, value: dict[str, Any], node: Node) -> None:
    """Tell who asked which mapping a node was read from, so that later checks can say where it stands."""
    origins = (info.context or {}).get("origins")
    if origins is not None:
        origins.append((value, node))


AnyNode = Annotated[Node, PlainValidator(_read), shared("a node", "node")]
"""A field that holds a node, read by the operators of the context's language."""
