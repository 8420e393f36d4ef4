"""Types of conditions over declared properties: like is compared with like (semantics 3.4).

An engine would cast where types differ, and answer something. Here that is refused, before any engine sees it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp

from schemas.definitions.datatype import DataType
from schemas.definitions.expression import COMPARISONS, Expression
from schemas.definitions.instant import has_offset, parse_date, parse_instant
from schemas.definitions.refusal import listed, nearest_to, refuse, show
from schemas.definitions.syntax import flat, start

BOOL, INT, FLOAT, STRING = DataType("bool"), DataType("int"), DataType("float"), DataType("string")
Columns = Mapping[str, DataType]
Kind = DataType | None
"""None is the type of NULL, which is of every type."""


def check_condition(expression: Expression, columns: Columns) -> None:
    """See that an expression is a condition, and that all types in it agree. Raises ValueError.

    Args:
      columns: what may be named, with its type.
    """
    kind = _Types(columns).of(expression.tree)
    if kind is not None and kind.kind != "bool":
        raise refuse("SEG-0204", "the expression is no condition", expected="true or false", found=str(kind))


class _Types:
    """Finds the type of each part of a tree, from the leaves up."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.known: dict[int, Kind] = {}

    def of(self, node: Any) -> Kind:
        """The type of a node, found once."""
        if id(node) not in self.known:
            self.known[id(node)] = self._find(node)
        return self.known[id(node)]

    def _find(self, node: Any) -> Kind:
        kind = type(node)
        if kind in COMPARISONS:
            self.alike([node.this, node.expression], node)
            if kind not in (exp.EQ, exp.NEQ):
                self.ordered(node.this)
            return BOOL
        return _RULES[kind](self, node)

    def conditions(self, node: Any) -> Kind:
        """Parts of AND, OR and NOT are conditions."""
        for part in flat(node) if type(node) is not exp.Not else [node.this]:
            found = self.of(part)
            if found is not None and found.kind != "bool":
                raise refuse("SEG-0205", "no condition", expected="true or false", found=str(found), offset=start(part))
        return BOOL

    def is_null(self, node: Any) -> Kind:
        """Anything may be asked for null."""
        self.of(node.this)
        return BOOL

    def among(self, node: Any) -> Kind:
        """A value and its list are of one type."""
        self.alike([node.this, *node.expressions], node)
        return BOOL

    def between(self, node: Any) -> Kind:
        """A value and its bounds are of one type with an order."""
        self.alike([node.this, node.args["low"], node.args["high"]], node)
        self.ordered(node.this)
        return BOOL

    def column(self, node: Any) -> Kind:
        """The declared type of a property."""
        name = node.name
        if name not in self.columns:
            message = f"no source declares the property `{show(name)}`"
            nearest = nearest_to(name, self.columns)
            raise refuse("SEG-0304", message, expected=listed(self.columns), nearest=nearest, offset=start(node))
        return self.columns[name]

    def number(self, node: Any) -> Kind:
        """The type of what must be a number."""
        found = self.of(node.this)
        if found is not None and not found.is_number:
            raise refuse("SEG-0205", "no number", expected="a number", found=str(found), offset=start(node.this))
        return found

    def function(self, node: Any) -> Kind:
        """The type that a function gives."""
        return _FUNCTIONS[node.name.lower()](self, node, node.expressions)

    def alike(self, parts: list[Any], whole: Any) -> Kind:
        """The type that all parts share, the first one's; numbers are alike, and so are instants and their text."""
        kinds = [(part, self.of(part)) for part in parts]
        known = [(part, kind) for part, kind in kinds if kind is not None]
        temporal = next((kind for _, kind in known if kind.kind in ("date", "timestamp")), None)
        if temporal is not None:
            known = [(part, kind) for part, kind in known if not self._is_text_of(part, temporal)]
        families = {_family(kind) for _, kind in known}
        if len(families) > 1:
            found = " with ".join(str(kind) for _, kind in known)
            message = "values of different types are compared"
            raise refuse("SEG-0205", message, expected="values of one type", found=found, offset=start(whole))
        return known[0][1] if known else None

    def _is_text_of(self, part: Any, temporal: DataType) -> bool:
        """Whether a part is text that says a date or an instant, which must then be a proper one."""
        if not (type(part) is exp.Literal and part.is_string):
            return False
        if temporal.kind == "date":
            parse_date(part.this)
            return True
        parse_instant(part.this)
        if not has_offset(part.this):
            expected = "an instant with its offset, as in '2026-01-31T09:30:00Z'"
            raise refuse(
                "SEG-0207", "a time without its offset", expected=expected, found=show(part.this), offset=start(part)
            )
        return True

    def ordered(self, part: Any) -> None:
        """Refuse what has no order."""
        found = self.of(part)
        if found is not None and found.kind in ("bool", "list"):
            raise refuse(
                "SEG-0205", f"a {found} has no order", expected="= or !=", found=str(found), offset=start(part)
            )

    def text(self, part: Any) -> None:
        """Refuse what is no text."""
        found = self.of(part)
        if found is not None and found.kind != "string":
            raise refuse("SEG-0205", "no text", expected="string", found=str(found), offset=start(part))

    def whole_number(self, part: Any) -> None:
        """Refuse what is no int."""
        found = self.of(part)
        if found is not None and found.kind != "int":
            raise refuse("SEG-0205", "no whole number", expected="int", found=str(found), offset=start(part))

    def contained(self, node: Any, parts: list[Any]) -> Kind:
        """`contains(text, text)` or `contains(list, item)`."""
        whole = self.of(parts[0])
        if whole is None or whole.kind != "list":
            self.text(parts[0])
            self.text(parts[1])
            return BOOL
        item = self.of(parts[1])
        if item is not None and whole.item is not None and _family(item) != _family(whole.item):
            raise refuse(
                "SEG-0205", "no item of the list", expected=str(whole.item), found=str(item), offset=start(parts[1])
            )
        return BOOL


def _family(kind: DataType) -> str:
    return "number" if kind.is_number else str(kind)


def _literal(types: _Types, node: Any) -> Kind:
    if node.is_string:
        return STRING
    digits = node.this.replace(".", "").lstrip("0")
    scale = len(node.this.partition(".")[2])
    return INT if "." not in node.this else DataType("decimal", precision=max(len(digits), scale, 1), scale=scale)


def _text_in(kind: DataType) -> Callable[[_Types, Any, list[Any]], Kind]:
    def rule(types: _Types, node: Any, parts: list[Any]) -> Kind:
        for part in parts:
            types.text(part)
        return kind

    return rule


def _substr(types: _Types, node: Any, parts: list[Any]) -> Kind:
    types.text(parts[0])
    for part in parts[1:]:
        types.whole_number(part)
    return STRING


def _rounded(types: _Types, node: Any, parts: list[Any]) -> Kind:
    found = types.of(parts[0])
    if found is not None and not found.is_number:
        raise refuse("SEG-0205", "no number", expected="a number", found=str(found), offset=start(parts[0]))
    for part in parts[1:]:
        types.whole_number(part)
    return found


_FUNCTIONS: dict[str, Callable[[_Types, Any, list[Any]], Kind]] = {
    "lower": _text_in(STRING),
    "upper": _text_in(STRING),
    "length": _text_in(INT),
    "starts_with": _text_in(BOOL),
    "substr": _substr,
    "abs": _rounded,
    "round": _rounded,
    "coalesce": lambda types, node, parts: types.alike(parts, node),
    "nullif": lambda types, node, parts: types.alike(parts, node),
    "contains": lambda types, node, parts: types.contained(node, parts),
}
_RULES: dict[type, Callable[[_Types, Any], Kind]] = {
    exp.And: _Types.conditions,
    exp.Or: _Types.conditions,
    exp.Not: _Types.conditions,
    exp.Is: _Types.is_null,
    exp.In: _Types.among,
    exp.Between: _Types.between,
    exp.Column: _Types.column,
    exp.Anonymous: _Types.function,
    exp.Neg: _Types.number,
    exp.Literal: _literal,
    exp.Paren: lambda types, node: types.of(node.this),
    exp.Boolean: lambda types, node: BOOL,
    exp.Null: lambda types, node: None,
}
