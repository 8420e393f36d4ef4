"""Aggregates of features: the class that every operation extends, and the reader that finds it by `op`."""

import re
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    Field,
    PlainValidator,
    StrictBool,
    TypeAdapter,
    ValidationInfo,
    model_validator,
)

from schemas.definitions.canonical import fields_of
from schemas.definitions.datatype import DataType
from schemas.definitions.name import Name
from schemas.definitions.reference import Property
from schemas.definitions.refusal import listed, nearest_to, refuse, refuse_at, show
from schemas.definitions.strict import Strict
from schemas.definitions.takes import SHARED, Takes, shared
from schemas.definitions.window import AnyWindow, Lifetime, NamedWindow, Window

Scalar = bool | int | Decimal | str


def _bounds(value: Any) -> tuple[float, float]:
    numbers = value if isinstance(value, list | tuple) else ()
    if len(numbers) != 2 or not all(_is_number(number) for number in numbers) or numbers[0] > numbers[1]:
        raise refuse("SEG-0103", "no such range", expected="[low, high]", found=show(value))
    return float(numbers[0]), float(numbers[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _scalars(value: Any) -> tuple[Scalar, ...]:
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(part, bool | int | Decimal | str) for part in value)
    ):
        raise refuse("SEG-0103", "no list of values", expected="[value, ...]", found=show(value))
    return tuple(value)


_SCALARS = Takes("a list of values", {"type": "array", "items": {"type": ["boolean", "number", "string"]}, "minItems": 1})


class ColumnExpectation(Strict):
    """What a published feature column must look like."""

    not_null: StrictBool = False
    between: Annotated[tuple[float, float], PlainValidator(_bounds, json_schema_input_type=tuple[float, float])] | None = None
    among: Annotated[tuple[Scalar, ...], PlainValidator(_scalars), _SCALARS] | None = Field(default=None, alias="in")


def _read_window(value: Any, info: ValidationInfo) -> NamedWindow:
    """A window with its suffix: its own, or the one that `as` gives it."""
    if isinstance(value, NamedWindow):
        return value
    suffix = None
    if isinstance(value, dict) and "as" in value:
        suffix = _suffix(value["as"])
        value = {key: part for key, part in value.items() if key != "as"}
    window = _WINDOW.validate_python(value, context=info.context)
    suffix = suffix or window.suffix
    if suffix is None:
        raise refuse("SEG-0117", "the window needs a name for its column", expected="as: suffix")
    return NamedWindow(window, suffix)


def _suffix(value: Any) -> str:
    if not isinstance(value, str) or _SUFFIX.fullmatch(value) is None:
        raise refuse("SEG-0104", "no end of a column's name", expected="[a-z0-9][a-z0-9_]*", found=show(value))
    return value


def _are_different(windows: tuple[NamedWindow, ...]) -> tuple[NamedWindow, ...]:
    if not windows:
        raise refuse("SEG-0115", "no window", expected="at least one")
    suffixes = [window.suffix for window in windows]
    if len(set(suffixes)) < len(suffixes):
        twice = next(suffix for suffix in suffixes if suffixes.count(suffix) > 1)
        raise refuse("SEG-0115", "two windows with one name", expected="each once", found=twice)
    return windows


_SUFFIX = re.compile(r"[a-z0-9][a-z0-9_]{0,62}")
_WINDOW: TypeAdapter[Window] = TypeAdapter(AnyWindow)
_NAMED = Annotated[NamedWindow, PlainValidator(_read_window)]
_LIST = Takes("a list of windows", {"type": "array", "items": {SHARED: "named_window"}, "minItems": 1})
Windows = Annotated[tuple[_NAMED, ...], AfterValidator(_are_different), _LIST]
"""A field that holds the windows of an aggregate."""


class Aggregate(Strict):
    """One aggregate of a feature group, in one or more windows. An operation is a subclass in a file of its own.

    Attributes:
      op: the operation's name in YAML.
      takes_column: whether it aggregates a column, which `of` names; else it aggregates events.
      never_missing: whether the aggregate of nothing is a value (semantics 4.2).
      when: for the reference, when one would use it, in a sentence.
      example: for the reference, an aggregate in YAML.
      compare: for the reference, a comparison with the example.
      story: for the reference, a test of a segment that compares the example so.
      of: the event property.
      windows: with the ends of the columns' names.
    """

    op: ClassVar[str]
    takes_column: ClassVar[bool] = True
    never_missing: ClassVar[bool] = False
    when: ClassVar[str]
    example: ClassVar[str]
    compare: ClassVar[str]
    story: ClassVar[str]

    name: Name
    of: Property | None = None
    windows: Windows = (NamedWindow(Lifetime(), "lifetime"),)
    expect: ColumnExpectation | None = None

    @model_validator(mode="after")
    def _has_its_column(self) -> "Aggregate":
        if self.takes_column and self.of is None:
            raise refuse("SEG-0101", f"`{self.op}` aggregates a column", expected="of: an event property")
        if not self.takes_column and self.of is not None:
            raise refuse("SEG-0102", f"`{self.op}` aggregates events", expected="no `of`", found=show(self.of))
        return self

    def result_type(self, of: DataType | None) -> DataType:
        """The type of the published column, given that of the property. Raises ValueError where it is not taken."""
        raise NotImplementedError(f"{type(self).__name__} does not say its result type")

    @property
    def most_values(self) -> int:
        """How many values its column holds at most."""
        return 1

    def meaning(self) -> Any:
        """JSON that is equal for aggregates that mean the same, whatever they are called and wherever they look."""
        named = ("name", "windows", "expect")
        return {"op": self.op, **{key: part for key, part in fields_of(self).items() if key not in named}}


def _read(value: Any, info: ValidationInfo) -> Aggregate:
    if isinstance(value, Aggregate):
        return value
    if not isinstance(value, dict):
        raise refuse("SEG-0103", "no aggregate", expected="a mapping with name and op", found=show(value))
    operations = (info.context or {})["language"].aggregates
    op = value.get("op")
    if op is None:
        raise refuse("SEG-0101", "an aggregate without its operation", expected=f"op: {listed(operations)}")
    if not isinstance(op, str) or op not in operations:
        nearest = nearest_to(op, operations)
        unknown = refuse("SEG-0107", f"no operation `{show(op)}`", expected=listed(operations), nearest=nearest)
        raise refuse_at([(("op",), unknown)])
    said = {key: part for key, part in value.items() if key != "op"}
    aggregate: Aggregate = operations[op].model_validate(said, context=info.context)
    return aggregate


AnyAggregate = Annotated[Aggregate, PlainValidator(_read), shared("an aggregate", "aggregate")]
"""A field that holds an aggregate, read by the operations of the context's language."""
