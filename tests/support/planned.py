"""A published project for plans: three people, a threshold, a segment on it, a list, a lookup, and consent to one purpose."""

import io
import json
import shutil
from contextlib import redirect_stderr, redirect_stdout
from copy import copy, deepcopy
from pathlib import Path
from typing import Any

import jsonschema

from runners.main import call
from tests.support.oracle_model import DAY, HOUR, Consent, Event, World
from tests.support.whole_runs import Target

START = 1_767_571_200_000_000  # 2026-01-05T00:00:00Z
T = START + DAY
ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/artifacts/plan.schema.json").read_text())

Said = dict[str, Any]


def did(name: str, purpose: str, **more: Any) -> Said:
    return {"segment": name, "purpose": purpose, "when": {"did": {"event": "a", **more}}}


SEGMENTS: dict[str, Said] = {
    "big": did("big", "q", where="value > 2"),
    "fans": {"segment": "fans", "purpose": "q", "when": {"all": [{"in_segment": "big"}, {"did_not": {"event": "b"}}]}},
    "loyal": did("loyal", "p", count=">= 2"),
    "red": did("red", "q", where="colour = 'red'"),
    "vip": {"segment": "vip", "purpose": "q", "when": {"list": {"file": "lists/vip.csv", "column": "id"}}},
}


def world(segments: dict[str, Said] = SEGMENTS, *vips: str) -> World:
    app = {"kind": "events", "properties": {"value": "int", "item": "string"}}
    sources = {
        "app": {**app, "lookups": {"items": {"on": "item", "take": ["colour"]}}},
        "items": {"kind": "lookup", "key": "id", "columns": {"colour": "string"}},
        "led": {"kind": "consents"},
    }
    purposes = [{"id": "p", "basis": "consent"}, {"id": "q", "basis": "legitimate_interest"}]
    said = {"timezone": "UTC", "purposes": purposes, "sources": sources, "segments": [*deepcopy(segments).values()]}
    return World({**said, "lists": {"lists/vip.csv": {"id": {"ann", *vips}}}})


def event(subject: str, number: int, value: int, item: str = "1", source: str = "app") -> Event:
    at = START + number * HOUR
    return Event(source, subject, f"{subject}{number}", "a", at, at, {"value": value, "item": item})


def consent(subject: str, action: str, hour: int) -> Consent:
    at = START + hour * HOUR
    return Consent("led", subject, f"{action}-{subject}", "p", action, at, at, method="interactive", actor="subject")


def publish(folder: Path) -> Target:
    """Ann spends 3 twice, Bob 2 twice, Cat 1 twice. Ann consents, Bob takes his consent back, Cat was never asked."""
    target = Target(folder, world()).sharded(1)
    (folder / "items.csv").write_text("id,colour\n1,red\n2,blue\n")
    target.write([consent("ann", "GRANT", 0), consent("bob", "GRANT", 0), consent("bob", "WITHDRAW", 5)])
    target.write([event(who, number, value) for who, value in (("ann", 3), ("bob", 2), ("cat", 1)) for number in (1, 2)])
    target.run(T)
    return target


def copied(published: Target, folder: Path) -> Target:
    """The same project elsewhere, to be changed."""
    shutil.copytree(published.folder, folder)
    target = copy(published)
    target.folder = folder
    return target


def edit(target: Target, **segments: Said | None) -> None:
    """Change segments, or take them away, and leave the others as they are."""
    kept = {name: one for name, one in {**SEGMENTS, **segments}.items() if one is not None}
    target.define(world(kept))
    target.sharded(1)


def segue(target: Target, *arguments: str) -> tuple[int, str, str]:
    """The exit code of a command, what it says and what it notes."""
    with redirect_stdout(io.StringIO()) as said, redirect_stderr(io.StringIO()) as noted:
        code = call(["--project-dir", str(target.folder), *arguments])
    return code, said.getvalue(), noted.getvalue()


def planned(target: Target, as_of: str = "2026-01-06") -> Said:
    """The plan, which is of its published form, and left in target/ as it is told."""
    code, said, noted = segue(target, "--format", "json", "plan", "--as-of", as_of, "-o", str(target.folder / "plan.json"))
    assert code == 0, noted
    found = dict(json.loads(said))
    for path in ("plan.json", "target/plan.json"):
        assert json.loads((target.folder / path).read_text()) == found
    jsonschema.validate(found, SCHEMA)
    return found


def changed(plan: Said) -> dict[str, Said]:
    """What the plan says of each segment to which anything happens."""
    return {one["name"]: one for one in plan["segments"]}


def moved(one: Said) -> tuple[int, int, int]:
    """Members before, who enters, who leaves."""
    members = one["members"]
    return members["before"], members["enter"]["number"], members["leave"]["number"]


def counted(plan: Said) -> tuple[int, ...]:
    """Leaves added, changed, shared, removed."""
    return tuple(plan["leaves"][name] for name in ("added", "changed", "shared", "removed"))
