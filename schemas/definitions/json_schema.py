"""JSON Schema (draft 2020-12) of every kind of file, from the forms that read them and from the language."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from schemas.definitions.aggregate import Aggregate
from schemas.definitions.comparison import Comparison
from schemas.definitions.duration import write_duration
from schemas.definitions.feature import FeatureForm
from schemas.definitions.language import Language
from schemas.definitions.node import Node
from schemas.definitions.project import ProjectForm
from schemas.definitions.purpose import BEGINNING, RegistryForm
from schemas.definitions.segment import KNOWN, KnownSubjects, SegmentForm
from schemas.definitions.source import SourceForm
from schemas.definitions.takes import SHARED
from schemas.definitions.window import FORMS, SHORT, Lifetime, NamedWindow

Schema = dict[str, Any]
KINDS: dict[str, type[BaseModel]] = {
    "segue": ProjectForm,
    "source": SourceForm,
    "features": FeatureForm,
    "segment": SegmentForm,
    "purposes": RegistryForm,
}
"""What describes each kind of file; all but `segue.yaml` are called as the key that they begin with."""
LENGTHS = ("a duration", "a duration or 0d")
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(kind: str, language: Language) -> Schema:
    """The schema of one kind of file."""
    parts = {name: form(language) for name, form in _SHARED.items()}
    whole = schema_of(KINDS[kind])
    defined = {**parts, **whole.pop("$defs", {})}
    for part in parts.values():
        defined |= part.pop("$defs", {})
    whole = _finished({**whole, "$defs": defined})
    whole["$defs"] = {name: whole["$defs"][name] for name in sorted(_needed(whole))}
    about = {"title": f"{kind} file of Segue", "description": _told(KINDS[kind].__doc__)}
    return {"$schema": DRAFT, **about, **{key: part for key, part in whole.items() if part or key != "$defs"}}


class _Writer(GenerateJsonSchema):
    """Pydantic's writer without titles made of names, and without defaults that no YAML could say."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never: what has a title says it itself."""
        return False

    def default_schema(self, schema: Any) -> Schema:
        """What the field takes, and its default as it would be written in YAML."""
        said = self.generate_inner(schema["schema"])
        default = _written(schema.get("default"), said)
        return said if default is None else {**said, "default": default}


def _written(default: Any, said: Schema) -> Any:
    match default:
        case Lifetime():
            return "lifetime"
        case KnownSubjects():
            return KNOWN
        case Comparison() as comparison:
            return comparison.text
        case (NamedWindow(window=Lifetime()),):
            return ["lifetime"]
        case bool():
            return default
        case int() if said.get("title") in LENGTHS:
            return write_duration(default)
        case int() | str() if default != "" and default != BEGINNING:
            return default
    return None


def schema_of(form: type[BaseModel]) -> Schema:
    """The schema of one form, in which nodes, windows and aggregates are only named."""
    schema = form.model_json_schema(mode="validation", schema_generator=_Writer)
    names = {name: name.lstrip("_").removesuffix("Form") for name in schema.get("$defs", {})}
    schema = _renamed(schema, names)
    for part in (schema, *schema.get("$defs", {}).values()):
        _plain(part)
    return schema


def _renamed(part: Any, names: Mapping[str, str]) -> Any:
    """Classes of Python's own concern are called without their marks."""
    if isinstance(part, list):
        return [_renamed(one, names) for one in part]
    if not isinstance(part, dict):
        return part
    said = {key: _renamed(one, names) for key, one in part.items()}
    if isinstance(name := said.get("$ref"), str):
        said["$ref"] = "#/$defs/" + names[name.removeprefix("#/$defs/")]
    return {**said, **({"$defs": {names[key]: one for key, one in said["$defs"].items()}} if "$defs" in said else {})}


def _plain(form: Schema) -> None:
    """The names of classes say nothing to a reader of YAML, and of docstrings the first paragraph is for all."""
    if form.get("type") == "object":
        form.pop("title", None)
    if "description" in form:
        form["description"] = _told(form["description"])


def _told(text: str | None) -> str:
    return " ".join((text or "").strip().partition("\n\n")[0].split())


def _node(language: Language) -> Schema:
    """A mapping of one key, the name of an operator."""
    operators = {name: operator_schema(operator) for name, operator in sorted(language.operators.items())}
    return _hoisted({**_one_key(operators), "description": "An operator and what is said of it."}, operators)


def operator_schema(operator: type[Node]) -> Schema:
    """What stands below an operator's name."""
    schema = schema_of(operator)
    if not operator.can_be_unknown:
        schema.get("properties", {}).pop("missing", None)
    return {**schema, "description": _told(operator.__doc__)}


def _aggregate(language: Language) -> Schema:
    """A mapping in which `op` says which other keys there are."""
    forms = {op: _operation(aggregate) for op, aggregate in sorted(language.aggregates.items())}
    return _hoisted({"type": "object", "required": ["name", "op"], "oneOf": list(forms.values())}, forms)


def _operation(aggregate: type[Aggregate]) -> Schema:
    schema = schema_of(aggregate)
    properties = {"op": {"const": aggregate.op}, **schema["properties"]}
    required = ["op", *schema["required"], *(["of"] if aggregate.takes_column else [])]
    if not aggregate.takes_column:
        del properties["of"]
    return {**schema, "description": _told(aggregate.__doc__), "properties": properties, "required": required}


def _window(language: Language) -> Schema:
    forms = {name: schema_of(form) for name, (form, _) in FORMS.items()}
    return _hoisted({"anyOf": [SHORT, *_once(forms)]}, forms)


def _named_window(language: Language) -> Schema:
    """A window of a feature, which says how its column's name ends where its length does not."""
    forms = {name: _named(schema_of(form), name) for name, (form, _) in FORMS.items()}
    return _hoisted({"anyOf": [SHORT, *_once(forms)]}, forms)


def _named(form: Schema, kind: str) -> Schema:
    end = {"title": "the end of the column's name", "type": "string", "pattern": "^[a-z0-9][a-z0-9_]{0,62}$"}
    required = [*form.get("required", []), *([] if kind == "last" else ["as"])]
    return {**form, "properties": {**form["properties"], "as": end}, "required": required}


def _once(forms: Mapping[str, Schema]) -> list[Schema]:
    """`from` and `to` are one form, of which one key must be said."""
    return [{"minProperties": 1 + ("as" in form["properties"]), **form} for name, form in forms.items() if name != "to"]


_SHARED = {"node": _node, "aggregate": _aggregate, "window": _window, "named_window": _named_window}


def _one_key(properties: Mapping[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


def _hoisted(schema: Schema, parts: Mapping[str, Schema]) -> Schema:
    """What the parts define is defined beside them."""
    defined: Schema = {}
    for part in parts.values():
        defined |= part.pop("$defs", {})
    return {**schema, "$defs": defined}


def _finished(part: Any) -> Any:
    """References to shared schemas as references; mappings take the names that they say and no others."""
    if isinstance(part, list):
        return [_finished(one) for one in part]
    if not isinstance(part, dict):
        return part
    done = {key: _finished(one) for key, one in part.items() if key != SHARED}
    if SHARED in part and isinstance(part[SHARED], str):
        done["$ref"] = f"#/$defs/{part[SHARED]}"
    return {**done, "additionalProperties": False} if "patternProperties" in part else done


def _needed(whole: Schema) -> set[str]:
    """The names of what the file's schema refers to, and what that refers to."""
    found: set[str] = set()
    open_parts: list[Any] = [{key: part for key, part in whole.items() if key != "$defs"}]
    while open_parts:
        part = open_parts.pop()
        if isinstance(part, list):
            open_parts += part
        elif isinstance(part, dict):
            open_parts += part.values()
            name = str(part.get("$ref", "")).removeprefix("#/$defs/")
            if name and name not in found:
                found.add(name)
                open_parts.append(whole["$defs"][name])
    return found
