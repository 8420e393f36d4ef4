"""SQL expressions of definitions: `where` conditions and `fields`, from a closed grammar to one text with quoted names.

What this module can write again is what is allowed; nothing else has a way into the SQL.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Annotated, Any

from pydantic import PlainValidator
from sqlglot import exp

from schemas.definitions.datatype import DataType
from schemas.definitions.refusal import listed, nearest_to, refuse, show
from schemas.definitions.syntax import flat, given, spelled, start, syntax
from schemas.definitions.takes import takes_text

FUNCTIONS: dict[str, tuple[int, int]] = {
    "lower": (1, 1),
    "upper": (1, 1),
    "length": (1, 1),
    "substr": (2, 3),
    "abs": (1, 1),
    "round": (1, 2),
    "coalesce": (1, 50),
    "nullif": (2, 2),
    "contains": (2, 2),
    "starts_with": (2, 2),
}
"""The functions of `where`, with how few and how many arguments each takes."""
FIELD_FUNCTIONS: dict[str, tuple[int, int]] = {**FUNCTIONS, "concat": (1, 50)}
COMPARISONS: dict[type, str] = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
ARITHMETIC: dict[type, str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_CASTS = {
    "TEXT": "string", "VARCHAR": "string", "INT": "int", "BIGINT": "int", "FLOAT": "float", "DOUBLE": "float",
    "BOOLEAN": "bool", "TIMESTAMP": "timestamp", "TIMESTAMPTZ": "timestamp", "TIMESTAMPNTZ": "timestamp", "DATE": "date",
}  # fmt: skip
_NUMBER = re.compile(r"[0-9]{1,38}(?:\.[0-9]{0,38})?|\.[0-9]{1,38}")


@dataclass(frozen=True)
class Expression:
    """One expression, parsed and written again.

    Attributes:
      text: as written in the definition.
      sql: DuckDB SQL with every column quoted and every operation in parentheses.
      columns: the columns that it reads; of a field, the raw paths joined by dots.
      paths: the same, sorted.
      tree: sqlglot's syntax tree, for checks.
    """

    text: str = field(compare=False)
    sql: str
    columns: frozenset[str] = field(compare=False)
    paths: tuple[str, ...] = field(compare=False)
    tree: Any = field(compare=False, repr=False)

    @property
    def literal(self) -> str | None:
        """The text that it is, where it is one outright."""
        return str(self.tree.this) if isinstance(self.tree, exp.Literal) and self.tree.is_string else None

    @property
    def negated(self) -> "Expression":
        """Where it is false."""
        return replace(self, text=f"NOT ({self.text})", sql=f"(NOT {self.sql})", tree=exp.not_(self.tree.copy()))

    def and_also(self, other: "Expression") -> "Expression":
        """Where both hold."""
        columns = self.columns | other.columns
        return Expression(
            text=f"({self.text}) AND ({other.text})",
            sql=f"({self.sql} AND {other.sql})",
            columns=columns,
            paths=tuple(sorted(columns)),
            tree=exp.and_(self.tree.copy(), other.tree.copy()),
        )

    @classmethod
    def parse(cls, text: str) -> "Expression":
        """Read a condition over declared properties. Raises ValueError."""
        return _parse(text, False)

    @classmethod
    def parse_field(cls, text: str) -> "Expression":
        """Read an expression over raw records: cast, concat, arithmetic, case, dotted paths too. Raises ValueError."""
        return _parse(text, True)


@lru_cache(maxsize=20_000)
def _parse(text: str, of_field: bool) -> Expression:
    tree = syntax(text)
    writer = _Writer(of_field)
    sql = writer.write(tree)
    columns = frozenset(writer.columns)
    return Expression(text=text, sql=sql, columns=columns, paths=tuple(sorted(columns)), tree=tree)


class _Writer:
    """Writes an allowed tree as SQL and notes the columns on the way."""

    def __init__(self, of_field: bool) -> None:
        self.of_field = of_field
        self.functions = FIELD_FUNCTIONS if of_field else FUNCTIONS
        self.columns: set[str] = set()

    def write(self, node: Any) -> str:
        """The SQL of a node that is allowed."""
        kind = type(node)
        if kind in COMPARISONS:
            return self._compare(node)
        if kind in ARITHMETIC and self.of_field:
            return f"({self.write(node.this)} {ARITHMETIC[kind]} {self.write(node.expression)})"
        writer = _WRITERS.get(kind) or (_FIELD_WRITERS.get(kind) if self.of_field else None)
        if writer is None:
            raise refuse(
                "SEG-0201", f"{spelled(node)} is not allowed here", expected=self._expected(), offset=start(node)
            )
        return writer(self, node)

    def _expected(self) -> str:
        allowed = "comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL"
        return f"{allowed}, {'arithmetic, case, cast, ' if self.of_field else ''}and {listed(self.functions)}"

    def _compare(self, node: Any) -> str:
        for side in (node.this, node.expression):
            if type(side) in COMPARISONS:
                raise refuse("SEG-0201", "comparisons can not be chained", expected="a AND b", offset=start(side))
        return f"({self.write(node.this)} {COMPARISONS[type(node)]} {self.write(node.expression)})"

    def chain(self, node: Any) -> str:
        """AND and OR, in one pair of brackets."""
        word = "AND" if type(node) is exp.And else "OR"
        return "(" + f" {word} ".join(self.write(part) for part in flat(node)) + ")"

    def negation(self, node: Any) -> str:
        """NOT, and IS NOT NULL."""
        if type(node.this) is exp.Is and type(node.this.expression) is exp.Null:
            return f"({self.write(node.this.this)} IS NOT NULL)"
        return f"(NOT {self.write(node.this)})"

    def is_null(self, node: Any) -> str:
        """IS NULL."""
        if type(node.expression) is not exp.Null:
            raise refuse("SEG-0201", "IS takes only NULL", expected="IS NULL, IS NOT NULL, = true", offset=start(node))
        return f"({self.write(node.this)} IS NULL)"

    def among(self, node: Any) -> str:
        """IN with a list."""
        if set(given(node)) != {"this", "expressions"}:
            raise refuse("SEG-0201", "IN takes a list of values", expected="IN ('a', 'b')", offset=start(node))
        return f"({self.write(node.this)} IN ({', '.join(self.write(part) for part in node.expressions)}))"

    def between(self, node: Any) -> str:
        """BETWEEN with its two bounds."""
        if set(given(node)) != {"this", "low", "high"}:
            raise refuse("SEG-0201", "BETWEEN takes no SYMMETRIC", expected="BETWEEN low AND high", offset=start(node))
        low, high = self.write(node.args["low"]), self.write(node.args["high"])
        return f"({self.write(node.this)} BETWEEN {low} AND {high})"

    def column(self, node: Any) -> str:
        """A column: quoted, its dots a path in fields only."""
        names = [part.name for part in node.parts]
        if not all(type(part) is exp.Identifier and part.name for part in node.parts):
            raise refuse("SEG-0201", "a star is not a column", expected="a column", offset=start(node))
        if len(names) > 1 and not self.of_field:
            found = ".".join(names)
            raise refuse(
                "SEG-0201", "a property has no dots", expected="a declared property", found=found, offset=start(node)
            )
        self.columns.add(".".join(names))
        return quoted(".".join(names))

    def literal(self, node: Any) -> str:
        """Text or a number as written."""
        if node.is_string:
            return "'" + str(node.this).replace("'", "''") + "'"
        if _NUMBER.fullmatch(node.this) is None:
            raise refuse(
                "SEG-0201",
                "a number is written with digits",
                expected="at most 38 digits, no exponent",
                found=show(node.this),
            )
        return str(node.this)

    def function(self, node: Any) -> str:
        """A function of the allow-list."""
        name = node.name.lower()
        if name not in self.functions or type(node.this) is not str:
            nearest = nearest_to(name, self.functions)
            expected = listed(self.functions)
            raise refuse(
                "SEG-0202", f"no function `{show(name)}`", expected=expected, nearest=nearest, offset=start(node)
            )
        fewest, most = self.functions[name]
        if not fewest <= len(node.expressions) <= most:
            count = str(fewest) if fewest == most else f"{fewest} to {most}"
            found = str(len(node.expressions))
            raise refuse(
                "SEG-0202", f"`{name}` takes {count} arguments", expected=count, found=found, offset=start(node)
            )
        return f"{name}({', '.join(self.write(part) for part in node.expressions)})"

    def case(self, node: Any) -> str:
        """CASE with its arms."""
        subject = f" {self.write(node.this)}" if node.this is not None else ""
        arms = "".join(f" WHEN {self.write(arm.this)} THEN {self.write(arm.args['true'])}" for arm in node.args["ifs"])
        default = node.args.get("default")
        return f"(CASE{subject}{arms}{f' ELSE {self.write(default)}' if default is not None else ''} END)"

    def cast(self, node: Any) -> str:
        """CAST to a type of the language."""
        if set(given(node)) != {"this", "to"}:
            raise refuse("SEG-0201", "a cast takes no format", expected="cast(x as type)", offset=start(node))
        return f"CAST({self.write(node.this)} AS {cast_type(node.args['to']).duckdb})"


_Write = Callable[[_Writer, Any], str]
_WRITERS: dict[type, _Write] = {
    exp.And: _Writer.chain,
    exp.Or: _Writer.chain,
    exp.Not: _Writer.negation,
    exp.Is: _Writer.is_null,
    exp.In: _Writer.among,
    exp.Between: _Writer.between,
    exp.Column: _Writer.column,
    exp.Literal: _Writer.literal,
    exp.Anonymous: _Writer.function,
    exp.Paren: lambda writer, node: writer.write(node.this),
    exp.Neg: lambda writer, node: f"(-{writer.write(node.this)})",
    exp.Boolean: lambda writer, node: "TRUE" if node.this else "FALSE",
    exp.Null: lambda writer, node: "NULL",
}
_FIELD_WRITERS: dict[type, _Write] = {
    exp.Case: _Writer.case,
    exp.Cast: _Writer.cast,
    exp.Dot: _Writer.column,
}


def quoted(name: str) -> str:
    """A name as a quoted identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def cast_type(node: Any) -> DataType:
    """The type that a cast names. Raises ValueError."""
    word = getattr(node.this, "name", str(node.this))
    numbers = [int(part.name) for part in node.expressions if part.name.isdigit()]
    if word == "DECIMAL" and len(numbers) == 2:
        return DataType.decimal(*numbers)
    if word not in _CASTS or node.expressions or node.args.get("nested"):
        expected = "string int float decimal(p,s) bool timestamp date"
        raise refuse("SEG-0201", "no such type in a cast", expected=expected, found=show(word.lower()))
    return DataType.parse(_CASTS[word])


def _read(value: Any) -> Expression:
    if not isinstance(value, str):
        raise refuse("SEG-0103", "an expression is text", expected="SQL in quotes", found=show(value))
    return Expression.parse(value)


def _read_field(value: Any) -> Expression:
    if not isinstance(value, str):
        raise refuse("SEG-0103", "an expression is text", expected="SQL in quotes", found=show(value))
    return Expression.parse_field(value)


AnyExpression = Annotated[Expression, PlainValidator(_read), takes_text("an SQL condition")]
"""A field that holds a condition over declared properties."""
AnyFieldExpression = Annotated[Expression, PlainValidator(_read_field), takes_text("an SQL expression")]
"""A field that holds an expression over raw records."""
