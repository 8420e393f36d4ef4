"""`segue init`: a project that runs at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runners.examples import EXAMPLES

if TYPE_CHECKING:
    from schemas.definitions.language import Language

LEFT_OUT = frozenset({"warehouse", "target", "__pycache__"})
"""Folders of an example that its own runs have made."""


def init(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder, made if need be.")],
    example: Annotated[
        str | None, typer.Option("--example", help="One of the examples instead of the starter.")
    ] = None,
) -> None:
    """Make a project that runs at once. No file is overwritten."""
    session = ctx.obj
    contents = _for_editors(_starter(folder) if example is None else _example(example), session.language())
    _refuse_existing(folder, contents)
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        with (folder / path).open("xb") as file:
            file.write(content)
    if session.format == "json":
        session.json([str(folder / path) for path in contents])
    else:
        session.say(f"{len(contents)} files in {folder}")
    if example is not None and not any(path.parts[0] == "data" for path in contents):
        session.note(f"the example's data is not with it: {folder}/prepare.py makes it")
    session.note(f"next: cd {folder}; segue validate; segue test; segue run")


def _for_editors(contents: Mapping[Path, bytes], language: "Language") -> dict[Path, bytes]:
    """The files with the line that names their schemas, and the schemas themselves."""
    from runners.schema_files import FOLDER, schema_files, with_schema_line

    schemas = {FOLDER / name: text.encode() for name, text in schema_files(language).items()}
    return {**{path: with_schema_line(path, content) for path, content in contents.items()}, **schemas}


def _refuse_existing(folder: Path, contents: Mapping[Path, bytes]) -> None:
    from schemas.errors import CallError

    if folder.exists() and not folder.is_dir():
        raise CallError("SEG-0907", f"{folder} is a file", "name another folder")
    existing = [folder / path for path in contents if (folder / path).exists() or (folder / path).is_symlink()]
    if existing:
        raise CallError("SEG-0907", f"{existing[0]} exists already", "nothing was written; name another folder")


def _example(name: str) -> dict[Path, bytes]:
    from schemas.errors import CallError

    known = sorted(path.parent.name for path in EXAMPLES.glob("*/segue.yaml"))
    if name not in known:
        hint = f"there is {', '.join(known)}" if known else "this installation has none; leave --example out"
        raise CallError("SEG-0908", f"no example `{name}`", hint)
    root = EXAMPLES / name
    found = {path.relative_to(root): path for path in sorted(root.rglob("*")) if path.is_file()}
    return {path: file.read_bytes() for path, file in found.items() if not LEFT_OUT.intersection(path.parts)}


def _starter(folder: Path) -> dict[Path, bytes]:
    """The files of a small project that is called as its folder is, where that is a name."""
    from schemas.definitions.name import is_name

    name = folder.resolve().name if is_name(folder.resolve().name) else "starter"
    return {Path(path): text.lstrip("\n").replace("name: NAME", f"name: {name}").encode() for path, text in _STARTER.items()}


_STARTER = {
    ".gitignore": "warehouse/\ntarget/\n",
    "segue.yaml": """
name: NAME
timezone: Europe/Berlin
as_of: 2026-02-01        # fixes T for this data of the past; leave it out and T is now
default_target: dev
targets:
  dev: {warehouse: "ducklake:warehouse"}
""",
    "purposes.yaml": """
purposes:
  - id: analytics
    description: How the shop is used
    basis: legitimate_interest
    max_lookback: 730d
  - id: newsletter
    description: Letters about offers
    basis: consent
    channels: [email]
    max_lookback: 365d
""",
    "sources/shop.yaml": """
source: shop
kind: events
from: {files: "data/events.ndjson"}
fields: {event_id: id, event: name, subject: user, occurred_at: at, received_at: received}
properties: {amount: "decimal(12,2)"}
""",
    "sources/people.yaml": """
source: people
kind: profiles
from: {files: "data/people.ndjson"}
fields: {subject: user, valid_from: since}
properties: {country: string}
""",
    "sources/consents.yaml": """
source: consents
kind: consents
from: {files: "data/consents.ndjson"}
""",
    "features/orders.yaml": """
features: orders
description: What subjects buy
purpose: analytics
source: order_completed
aggregates:
  - {name: number, op: count, windows: [30d, lifetime]}
  - {name: spend, op: sum, of: amount, windows: [30d]}
""",
    "segments/good_customers.yaml": """
segment: good_customers
description: Spent 100 or more in 30 days
purpose: analytics
tags: [value]
when:
  aggregate: {feature: orders.spend_30d, compare: ">= 100"}
tests:
  - name: two orders make a good customer, for a while
    events:
      - [0d, order_completed, {amount: 60}]
      - [5d, order_completed, {amount: 50}]
    expect:
      - {at: 4d, member: false}
      - {at: 5d, member: true}
      - {at: 30d, member: false}
""",
    "segments/left_basket.yaml": """
segment: left_basket
description: Filled a basket in the last week and bought nothing, in Germany or France
purpose: newsletter
tags: [winback]
when:
  all:
    - did: {event: basket_filled, where: "amount >= 30", window: 7d}
    - did_not: {event: order_completed, window: 7d}
    - property: {country: "IN ('DE', 'FR')"}
tests:
  - name: an order that is reported late corrects the record
    profile: {country: DE}
    events:
      - [0h, basket_filled, {amount: 40}]
      - {at: 1h, event: order_completed, amount: 40, received: 6h}
    expect:
      - {at: 2h, known: 2h, member: true}
      - {at: 2h, known: 6h, member: false}
  - name: after a withdrawal nobody is written to
    profile: {country: DE}
    consent: [[-1d, GRANT], [2h, WITHDRAW]]
    events: [[0h, basket_filled, {amount: 40}]]
    expect:
      - {at: 1h, member: true}
      - {at: 3h, member: false}
""",
    "data/events.ndjson": """
{"id": "e1", "name": "basket_filled", "user": "ada", "at": "2026-01-10T09:00:00Z", "received": "2026-01-10T09:00:02Z", "amount": "80.00"}
{"id": "e2", "name": "order_completed", "user": "ada", "at": "2026-01-10T09:05:00Z", "received": "2026-01-10T09:05:01Z", "amount": "80.00"}
{"id": "e3", "name": "order_completed", "user": "ada", "at": "2026-01-21T18:30:00Z", "received": "2026-01-21T18:30:01Z", "amount": "45.50"}
{"id": "e4", "name": "basket_filled", "user": "ben", "at": "2026-01-29T20:00:00Z", "received": "2026-01-29T20:00:03Z", "amount": "52.00"}
{"id": "e5", "name": "basket_filled", "user": "eve", "at": "2026-01-30T07:15:00Z", "received": "2026-01-30T07:15:02Z", "amount": "39.90"}
{"id": "e6", "name": "basket_filled", "user": "kim", "at": "2026-01-30T12:00:00Z", "received": "2026-01-30T12:00:01Z", "amount": "64.00"}
{"id": "e7", "name": "order_completed", "user": "kim", "at": "2026-01-30T12:20:00Z", "received": "2026-01-31T02:00:00Z", "amount": "64.00"}
{"id": "e8", "name": "basket_filled", "user": "leo", "at": "2026-01-31T10:00:00Z", "received": "2026-01-31T10:00:02Z", "amount": "31.00"}
""",
    "data/people.ndjson": """
{"user": "ada", "since": "2025-12-01T00:00:00Z", "country": "DE"}
{"user": "ben", "since": "2025-12-01T00:00:00Z", "country": "FR"}
{"user": "eve", "since": "2025-12-01T00:00:00Z", "country": "DE"}
{"user": "kim", "since": "2025-12-01T00:00:00Z", "country": "DE"}
{"user": "leo", "since": "2025-12-01T00:00:00Z", "country": "DE"}
""",
    "data/consents.ndjson": """
{"event_id": "c1", "subject": "ada", "purpose": "newsletter", "action": "GRANT", "claimed_at": "2025-12-01T08:00:00Z", "received_at": "2025-12-01T08:00:00Z", "method": "interactive", "actor": "subject"}
{"event_id": "c2", "subject": "ben", "purpose": "newsletter", "action": "GRANT", "claimed_at": "2025-12-01T08:00:00Z", "received_at": "2025-12-01T08:00:00Z", "method": "interactive", "actor": "subject"}
{"event_id": "c3", "subject": "kim", "purpose": "newsletter", "action": "GRANT", "claimed_at": "2025-12-01T08:00:00Z", "received_at": "2025-12-01T08:00:00Z", "method": "interactive", "actor": "subject"}
{"event_id": "c4", "subject": "leo", "purpose": "newsletter", "action": "GRANT", "claimed_at": "2025-12-01T08:00:00Z", "received_at": "2025-12-01T08:00:00Z", "method": "interactive", "actor": "subject"}
{"event_id": "c5", "subject": "leo", "purpose": "newsletter", "action": "WITHDRAW", "claimed_at": "2026-01-31T12:00:00Z", "received_at": "2026-01-31T12:00:00Z", "method": "interactive", "actor": "subject"}
""",
}
