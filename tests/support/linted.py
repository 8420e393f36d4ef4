"""A project with one thing in it that is allowed and probably not meant."""

from pathlib import Path

from schemas.definitions.catalog import read_project
from schemas.errors import Problem
from tests.support.worlds import language

SOURCE = "source: {name}\nfrom: {{files: 'data/*.ndjson'}}\nfields: {{event: {event}, subject: who, occurred_at: at}}\n"
FILES = {
    "segue.yaml": "name: linted\ntargets: {dev: {warehouse: 'ducklake:warehouse'}}\n",
    "purposes.yaml": "purposes:\n  - {id: ads, basis: legitimate_interest, max_lookback: 365d}\n",
    "sources/app.yaml": SOURCE.format(name="app", event="kind")
    + "properties: {n: int, amount: 'decimal(8,2)', cat: string, flag: bool, at_: timestamp}\n",
    "sources/crm.yaml": "source: crm\nkind: profiles\nfrom: {files: 'data/crm/*.ndjson'}\n"
    "fields: {subject: who, valid_from: at}\nproperties: {country: string, vip: bool, score: 'decimal(6,2)', birth_date: date}\n",
    "features/orders.yaml": "features: orders\npurpose: ads\nsource: order\naggregates:\n"
    "  - {name: number, op: count, windows: [30d]}\n"
    "  - {name: spend, op: sum, of: amount, windows: [30d]}\n"
    "  - {name: cat, op: last, of: cat, windows: [30d]}\n",
}


def segment(when: str, name: str = "some", more: str = "") -> str:
    return f"segment: {name}\npurpose: ads\n{more}when:\n  {when}\n"


def warned(folder: Path, code: str, **files: str) -> list[Problem]:
    """What is said of the project with these files, whose names have `__` for a slash, under this code."""
    named = {f"{name.replace('__', '/')}.yaml": text for name, text in files.items()}
    for path, text in {**FILES, **named}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return [one for one in read_project(folder, language()).warnings if one.code == code]


def places(problems: list[Problem]) -> list[str]:
    return [f"{one.file}:{one.line}" for one in problems]
