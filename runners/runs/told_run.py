"""A run as people read it: on its page, and as `segue runs RUN` says it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.definitions.instant import write_instant

_MOODS = {"published": "good", "unchanged": "idle", "failed": "bad"}
FAILED, EXPECTED, KEPT = "Failed checks", "Expectations", "Rules of every run"
_ENDLESS = "not ended"
"""Of a run that is at work, or was killed."""


class Told(NamedTuple):
    """What there is to say of a run.

    Attributes:
      status: published, unchanged, failed, or that it has not ended.
      mood: good, bad or idle.
      facts: names and values.
      error: code and message of what ended it; empty where nothing did.
      checks: those that failed, those of the project, and those of every run, each as results have it.
    """

    title: str
    status: str
    mood: str
    facts: Sequence[tuple[str, str]]
    error: str
    stages: Sequence[Mapping[str, Any]]
    checks: Mapping[str, Sequence[Mapping[str, Any]]]
    results: Sequence[Mapping[str, Any]]
    rows: Sequence[tuple[str, int]]


def told_of(said: Mapping[str, Any]) -> Told:
    """Sort what `target/runs/<id>.json` says."""
    ended = said["results"] or {}
    status, error = ended.get("status", _ENDLESS), ended.get("error")
    return Told(
        f"Run {said['id']}",
        status,
        _MOODS.get(status, "idle"),
        list(_facts(said, ended)),
        f"{error['code']} {error['message']}" if error else "",
        ended.get("stages", ()),
        _sorted(ended.get("checks", ())),
        ended.get("results", ()),
        list(ended.get("rows", {}).items()),
    )


def _facts(said: Mapping[str, Any], ended: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    pins = said["pinned"]
    yield "project and target", f"{said['project']}, {said['target']}"
    yield "T", write_instant(pins["t"])
    k_at = ended.get("k") or said["known_at"]
    yield "K", "not known before all is read" if k_at is None else write_instant(k_at)
    yield "began", write_instant(said["started_at"])
    yield "took", f"{ended['seconds']:,.1f} s" if ended else _ENDLESS
    yield "published as", (ended.get("run_id") if ended.get("status") == "published" else None) or "nothing"
    yield "builds on", pins["last_run"] or "nothing: it is the first"
    yield "definitions", pins["definitions"][:16]


def _sorted(checks: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    failed = [one for one in checks if one["status"] == "error"]
    good = [one for one in checks if one["status"] != "error"]
    own = [one for one in good if _is_own(one)]
    return {FAILED: failed, EXPECTED: own, KEPT: [one for one in good if not _is_own(one)]}


def _is_own(one: Mapping[str, Any]) -> bool:
    """Whether the project asks for it: its name begins with what it is about."""
    return str(one["check"]).startswith(("segment `", "source `", "feature `"))


def shown_check(one: Mapping[str, Any]) -> str:
    """The query of a check, its lines without what indents all of them."""
    return "\n".join(line.strip() for line in str(one["sql"]).strip().splitlines())


def render(said: Mapping[str, Any]) -> str:
    """The run as text."""
    told = told_of(said)
    lines = [f"{told.title}: {told.status}", *(f"  {name:<20} {value}" for name, value in told.facts)]
    lines += [f"  {told.error}"] if told.error else []
    lines += ["", "stages", *map(_stage, told.stages)] if told.stages else []
    for title in (FAILED, EXPECTED):
        lines += ["", title.lower(), *map(_line, told.checks[title])] if told.checks[title] else []
    lines += ["", f"{KEPT.lower()}: {len(told.checks[KEPT])} kept, each on its page"] if told.checks[KEPT] else []
    written = [f"  {name:<24} {count:>12,}" for name, count in told.rows if count]
    return "\n".join([*lines, *(["", "rows written", *written] if written else [])])


def _stage(one: Mapping[str, Any]) -> str:
    return f"  {one['name']:<10} {one['status']:<8} {one['rows']:>12,} rows {one['seconds']:>9.2f} s"


def _line(one: Mapping[str, Any]) -> str:
    mark = "ok  " if one["status"] == "success" else "FAIL"
    where = f" ({'; '.join(one['places'])})" if one["places"] else ""
    return f"  {mark} {one['check']}: {one['figure']}, expected {one['expected']}{where}"
