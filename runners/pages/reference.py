"""The reference of the language, written from the language: `python -m runners.pages.reference` makes docs/reference/."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any, Protocol

from runners.pages.story_table import story_table
from schemas.definitions.aggregate import Aggregate
from schemas.definitions.datatype import DataType
from schemas.definitions.json_schema import Schema, operator_schema, schema_of
from schemas.definitions.window import FORMS, KINDS
from schemas.definitions.yaml import read_yaml
from transforms.algebra.aggregates import AGGREGATES
from transforms.algebra.operators import OPERATORS

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"
_COMMON = ("name", "of", "windows", "expect")
"""Keys of every aggregate, told once."""
_TYPES = ("string", "int", "decimal(12,2)", "float", "bool", "date", "timestamp")

_OWN = {"{}": "the column's own type", "list({})": "a list of the column's own type"}


class _Described(Protocol):
    """What carries its own part of the reference."""

    when: str
    example: str
    story: str


def pages() -> dict[str, str]:
    """The files of the reference by their names."""
    made = {"operators.md": _operators(), "features.md": _features(), "windows.md": _windows()}
    return {name: "\n".join(lines).rstrip() + "\n" for name, lines in made.items()}


def _operators() -> Iterator[str]:
    yield from _introduced(_OPERATORS, ((name, one.when) for name, one in sorted(OPERATORS.items())))
    for name, operator in sorted(OPERATORS.items()):
        yield from _entry(name, operator, operator.example, _keys(operator_schema(operator)))


def _features() -> Iterator[str]:
    yield from _introduced(_FEATURES, ((name, one.when) for name, one in sorted(AGGREGATES.items())))
    for op, aggregate in sorted(AGGREGATES.items()):
        about = [*_gives(aggregate), *_own_keys(aggregate), *_asked(aggregate)]
        yield from _entry(op, aggregate, f"source: order\naggregates:\n  - {aggregate.example}", about)


def _windows() -> Iterator[str]:
    yield from _introduced(_WINDOWS, ((kind.name, kind.when) for kind in KINDS))
    for kind in KINDS:
        form = FORMS.get(kind.name.partition("/")[0])
        yield from _entry(kind.name, kind, f"window: {kind.example}", _keys(schema_of(form[0])) if form else [])


def _introduced(introduction: str, entries: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield from ("<!-- Written by `make docs` from what each part of the language says of itself. -->", "")
    yield from (*dedent(introduction).strip().splitlines(), "", "| | when |", "|---|---|")
    yield from (f"| [`{name}`](#{_anchor(name)}) | {when} |" for name, when in entries)
    yield ""


def _entry(name: str, described: Any, example: str, about: Iterable[str]) -> Iterator[str]:
    one: _Described = described
    yield from (f"## `{name}`", "", *_paragraphs(described.__doc__ or ""), f"**When.** {one.when}", "")
    yield from ("```yaml", *dedent(example).strip().splitlines(), "```", "")
    yield from (*about, *story_table(one.story), "")


def _anchor(name: str) -> str:
    return "".join(letter for letter in name if letter.isalnum() or letter in "_-")


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in dedent("    " + text).strip().split("\n\n"):
        yield from (" ".join(paragraph.split()), "")


def _asked(aggregate: type[Aggregate]) -> list[str]:
    """The condition of the story."""
    said = read_aggregate(aggregate)
    feature = f"orders.{said['name']}_{said['windows'][0]}"
    return [f'Asked of it: `aggregate: {{feature: {feature}, compare: "{aggregate.compare}"}}`', ""]


def read_aggregate(aggregate: type[Aggregate]) -> Mapping[str, Any]:
    """The example of an aggregate as its YAML reads."""
    document, _ = read_yaml(aggregate.example.encode(), aggregate.op)
    found: Mapping[str, Any] = document.data if document else {}
    return found


def _gives(aggregate: type[Aggregate]) -> list[str]:
    """What it makes of each type that it takes."""
    said = {key: part for key, part in read_aggregate(aggregate).items() if key not in ("op", "expect")}
    if not aggregate.takes_column:
        return [f"It gives `{aggregate(**said).result_type(None)}`.", ""]
    gives = {kind: given for kind in _TYPES if (given := _given(aggregate, said, kind))}
    for form, said_as in _OWN.items():
        if all(given == form.format(kind) for kind, given in gives.items()):
            return [f"Of {_either(gives)} it gives {said_as}.", ""]
    taken: dict[str, list[str]] = {}
    for kind, given in gives.items():
        taken.setdefault(given, []).append(kind)
    return [" ".join(f"Of {_either(kinds)} it gives `{given}`." for given, kinds in taken.items()), ""]


def _either(choices: Iterable[str]) -> str:
    *others, last = (f"`{one}`" for one in choices)
    return f"{', '.join(others)} or {last}" if others else last


def _given(aggregate: type[Aggregate], said: Mapping[str, Any], kind: str) -> str:
    of = DataType.parse(kind)
    fitting = {"value": {"string": "toys", "bool": True, "date": "2026-01-05", "timestamp": "2026-01-05"}.get(of.kind, 1)}
    changed = {key: fitting.get(key, part) for key, part in said.items()}
    try:
        return str(aggregate(**changed).result_type(of))
    except ValueError:
        return ""


def _own_keys(aggregate: type[Aggregate]) -> list[str]:
    schema = schema_of(aggregate)
    own = {key: part for key, part in schema["properties"].items() if key not in _COMMON}
    return _keys({**schema, "properties": own})


def _keys(schema: Schema) -> list[str]:
    """A table of the keys, or a line on what stands below the operator's name instead of keys."""
    if "properties" not in schema:
        return [f"It takes {words(schema)}.", ""]
    rows = [*_rows(schema, schema.get("$defs", {}))]
    if isinstance(more := schema.get("additionalProperties"), dict):
        rows.insert(0, f"| a column, or `age` | {words(more)} | |")
    return ["| key | takes | default |", "|---|---|---|", *rows, ""] if rows else []


def _rows(schema: Schema, defined: Mapping[str, Schema]) -> Iterator[str]:
    """The keys of a form; of a form within it, its own."""
    required = schema.get("required", ())
    for key, part in sorted(schema["properties"].items(), key=lambda one: one[0] == "missing"):
        below = defined.get(str(part.get("$ref", "")).removeprefix("#/$defs/"))
        if below is not None:
            yield from (row.replace("| `", f"| `{key}: ", 1) for row in _rows(below, defined))
            continue
        default = part.get("default")
        said = "required" if key in required else "" if default is None else f"`{_yaml(default)}`"
        yield f"| `{key}` | {words(part)} | {said} |"


def _yaml(default: Any) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def words(schema: Schema) -> str:
    """What a schema takes, in words."""
    if "title" in schema:
        return _kept(str(schema["title"]), schema)
    if "enum" in schema:
        return _choices(schema)
    parts = filter(None, map(words, schema.get("anyOf", ())))
    by_type = _BY_TYPE.get(str(schema.get("type")))
    return " or ".join(parts) or (by_type(schema) if by_type else "")


def _kept(title: str, schema: Schema) -> str:
    return f"{_choices(schema)}: {title}" if "enum" in schema else title


def _choices(schema: Schema) -> str:
    return _either(map(_yaml, schema["enum"]))


def _list(schema: Schema) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(map(words, schema['prefixItems']))}]"
    fewest = f"of at least {schema['minItems']}, " if schema.get("minItems", 1) > 1 else ""
    return f"a list, {fewest}each {words(schema['items'])}"


def _number(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    return "a whole number" + (f" from {low:,}" if low is not None else "") + (f" to {high:,}" if high is not None else "")


_BY_TYPE: dict[str, Callable[[Schema], str]] = {
    "array": _list,
    "integer": _number,
    "string": lambda _: "text",
    "boolean": lambda _: "`true` or `false`",
}

_SHOP = """
The examples are of a small shop, whose definitions lie in [shop/](shop/). A story is told of one subject from Monday,
5 January 2026, 00:00 UTC: `3d` is three days later. Every story is also a test; in `tests:` of a segment it would be one
of yours.
"""
_OPERATORS = f"""
# Operators

A condition of a segment, under `when:`, is a mapping of one key, the name of an operator. `event` names what is counted,
`where` narrows it by an SQL condition over the event's properties, and `window` says for how long an event counts
([windows](windows.md)); without one it counts for ever. T is the instant that is asked about. An answer can be unknown
where a value is missing: `missing` says what it counts as then, and at the root of a segment unknown is no member.
{_SHOP}"""
_FEATURES = f"""
# Features

A feature is an aggregate over one subject's events, published as the column `group__name_window` and asked for in
segments as `group.name_window` ([`aggregate`](operators.md#aggregate)). Every aggregate has a `name`; `of` names the
event property that it aggregates, where it takes one, and nulls do not enter; `windows` is a list of
[windows](windows.md), by default `[lifetime]`, each a column; `expect` says what the published column must look like:
`{{not_null: true, between: [0, 100000], in: [a, b]}}`. The examples stand in a group `features: orders`.
{_SHOP}"""
_WINDOWS = f"""
# Windows

A window says at which instants an event counts, as a function of the event's own time t. `[a, b)` holds a and not b: an
event that is seven days old to the microsecond is out of `7d`. Durations are `90s 45m 24h 7d 2w`; a day is always 24
hours, and what is to follow the calendar says `calendar`. In features a window that is neither a length nor `lifetime`
names the end of its column: `as: last_month`. Each story asks `did: {{event: order}}` in the window of the example.
{_SHOP}"""


def write(folder: Path = FOLDER) -> None:
    """Write all pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    write()
