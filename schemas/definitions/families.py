"""Which values of an expression can be compared: text with text, numbers with numbers (semantics 3.4)."""

from collections.abc import Mapping
from typing import Any

from sqlglot import exp

from schemas.definitions.datatype import DataType
from schemas.definitions.expression import COMPARISONS, Expression
from schemas.definitions.instant import parse_instant
from schemas.definitions.refusal import refuse

_OF_FUNCTION = {
    **dict.fromkeys(("lower", "upper", "substr"), "text"),
    **dict.fromkeys(("length", "abs", "round"), "number"),
    **dict.fromkeys(("contains", "starts_with"), "boolean"),
}
_OF_KIND = {"string": "text", "int": "number", "float": "number", "decimal": "number", "bool": "boolean", "date": "time"}
_ANY = "any"


def check_families(expression: Expression, columns: Mapping[str, DataType]) -> None:
    """See that every comparison is one of like with like. Raises ValueError."""
    for node in expression.tree.walk():
        if type(node) in COMPARISONS:
            _alike([node.this, node.expression], columns)
        elif isinstance(node, exp.In):
            _alike([node.this, *node.expressions], columns)
        elif isinstance(node, exp.Between):
            _alike([node.this, node.args["low"], node.args["high"]], columns)


def _alike(sides: list[Any], columns: Mapping[str, DataType]) -> None:
    families = [_family(side, columns) for side in sides]
    known = {family for family in families if family != _ANY}
    if known == {"time", "text"} and all(_is_instant(s) for s, f in zip(sides, families, strict=True) if f == "text"):
        return
    if len(known) > 1:
        found = " with ".join(families)
        raise refuse("SEG-0205", "values of different types are compared", expected="values of one type", found=found)


def _family(node: Any, columns: Mapping[str, DataType]) -> str:
    if isinstance(node, exp.Paren):
        return _family(node.this, columns)
    if isinstance(node, exp.Literal):
        return "text" if node.is_string else "number"
    if isinstance(node, exp.Column):
        kind = columns[node.name].kind if node.name in columns else "string"
        return "time" if kind == "timestamp" else _OF_KIND.get(kind, "list")
    if isinstance(node, exp.Anonymous):
        name = node.name.lower()
        return _OF_FUNCTION.get(name) or _family(node.expressions[0], columns)
    if isinstance(node, exp.Null):
        return _ANY
    return "number" if isinstance(node, exp.Neg) else "boolean"


def _is_instant(node: Any) -> bool:
    try:
        parse_instant(node.this if isinstance(node, exp.Literal) else "")
    except ValueError:
        return False
    return True
