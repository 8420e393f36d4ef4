"""The page of a run, `target/runs/<id>.html`: it opens from disk, runs nothing and asks nobody for anything."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as Tree

from runners.runs.told_run import EXPECTED, FAILED, KEPT, Told, shown_check, told_of
from schemas.definitions.instant import write_instant

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --line: #e0e1e6; --ground: #fcfcfd; --card: #fff;
  --good: #18794e; --bad: #cd2b31; --idle: #8b8d98; --bar: #3e63dd; }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --soft: #b0b4ba; --line: #363a3f; --ground: #111113;
  --card: #18191b; --good: #3dd68c; --bad: #ff9592; --idle: #777b84; --bar: #849dff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 2.5rem 1.5rem 4rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2.25rem 0 .6rem; }
header { display: flex; gap: .75rem; align-items: center; flex-wrap: wrap; }
.status { border: 1px solid currentColor; border-radius: 99px; padding: .05rem .7rem; font-size: .85rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .idle { color: var(--idle); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: .9rem 1.5rem; margin: 1.25rem 0 0; }
dt { color: var(--soft); font-size: .8rem; } dd { margin: 0; overflow-wrap: anywhere; }
.error { border: 1px solid var(--bad); border-radius: .5rem; padding: .75rem 1rem; margin-top: 1.5rem; background: var(--card); }
.error p { margin: 0; } .error p + p { color: var(--soft); margin-top: .35rem; }
.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .9rem; border-top: 1px solid var(--line); vertical-align: top; }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: .8rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.mark, th.mark { width: 2.2rem; padding-right: 0; } td.check { width: 60%; } td.bar { width: 45%; }
td.bar span { display: block; height: .6rem; margin-top: .45rem; border-radius: 2px; background: var(--bar); }
code, pre { font: 13px/1.45 ui-monospace, monospace; } pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .4rem 0 0; }
summary { cursor: pointer; }
.why { color: var(--soft); font-size: .9rem; }
"""

Part = Tree.Element | str


def page(said: Mapping[str, Any]) -> str:
    """The whole page of a run, as `target/runs/<id>.json` tells of it. All text in it is escaped."""
    told = told_of(said)
    head = _node(
        "head",
        _node("meta", charset="utf-8"),
        _node("meta", **{"http-equiv": "Content-Security-Policy", "content": _POLICY}),
        _node("meta", name="viewport", content="width=device-width, initial-scale=1"),
        _node("title", f"{told.title} · {said['project']}"),
        _node("style", _STYLE),
    )
    body = _node("body", *_top(said, told), *_stages(told), *_checks(told, FAILED, EXPECTED))
    body.extend([*_results(told), *_written(told), *_inputs(said), *_checks(told, KEPT)])
    return f"<!doctype html>\n{Tree.tostring(_node('html', head, body, lang='en'), encoding='unicode', method='html')}\n"


def _node(tag: str, *parts: Part, **attributes: str) -> Tree.Element:
    """An element with what is in it, elements and text."""
    made = Tree.Element(tag, {name.rstrip("_"): value for name, value in attributes.items()})
    for part in parts:
        if isinstance(part, str) and len(made):
            made[-1].tail = (made[-1].tail or "") + part
        elif isinstance(part, str):
            made.text = (made.text or "") + part
        else:
            made.append(part)
    return made


def _top(said: Mapping[str, Any], told: Told) -> list[Tree.Element]:
    status = _node("span", told.status, class_=f"status {told.mood}")
    facts = [_node("div", _node("dt", name), _node("dd", value)) for name, value in told.facts]
    parts = [_node("header", _node("h1", told.title), status), _node("dl", *facts)]
    if told.error:
        again = f"segue retry {said['id']}"
        hint = _node("p", _node("code", again), " does it again as it was.")
        parts.append(_node("div", _node("p", told.error), hint, class_="error"))
    return parts


def _table(names: Sequence[str], rows: Sequence[Tree.Element]) -> Tree.Element:
    heads = [_node("th", name.lstrip("#*"), class_=_KINDS.get(name[:1], "")) for name in names]
    table = _node("table", _node("thead", _node("tr", *heads)), _node("tbody", *rows))
    return _node("div", table, class_="wide")


_KINDS = {"#": "number", "*": "mark"}
"""What the first character of a column's name says of it."""


def _number(text: str) -> Tree.Element:
    return _node("td", text, class_="number")


def _stages(told: Told) -> list[Tree.Element]:
    longest = max((one["seconds"] for one in told.stages), default=0) or 1
    rows = [
        _node(
            "tr",
            _node("td", one["name"]),
            _node("td", one["status"], class_=_MOODS[one["status"]]),
            _number(f"{one['rows']:,}"),
            _number(f"{one['seconds']:.2f} s"),
            _node("td", _node("span", style=f"width: {100 * one['seconds'] / longest:.1f}%"), class_="bar"),
        )
        for one in told.stages
    ]
    return [_node("h2", "Stages"), _table(("Stage", "Ended", "#Rows", "#Took", ""), rows)] if rows else []


_MOODS = {"success": "good", "error": "bad", "stopped": "bad", "skipped": "idle"}


def _checks(told: Told, *titles: str) -> list[Tree.Element]:
    """What each check of some kinds saw."""
    parts: list[Tree.Element] = []
    for title in titles:
        if checks := told.checks[title]:
            parts += [_node("h2", f"{title} ({len(checks)})"), _table(_CHECK, [_check(one) for one in checks])]
    return parts


_CHECK = ("*", "Check", "#Found", "Expected")


def _check(one: Mapping[str, Any]) -> Tree.Element:
    is_good, name = one["status"] == "success", str(one["check"])
    what = _node("details", _node("summary", name), _node("pre", shown_check(one))) if one["sql"] else name
    places = [_node("div", "staged at ", "; ".join(one["places"]), class_="why")] if one["places"] else []
    return _node(
        "tr",
        _node("td", "✓" if is_good else "✗", class_=f"mark {'good' if is_good else 'bad'}"),
        _node("td", what, *places, class_="check"),
        _number(one["figure"]),
        _node("td", one["expected"]),
    )


def _results(told: Told) -> list[Tree.Element]:
    rows = [
        _node(
            "tr",
            _node("td", one["kind"]),
            _node("td", one["name"]),
            _node("td", one["status"], class_=_MOODS[one["status"]]),
            _node("td", " ".join(one["findings"])),
        )
        for one in told.results
    ]
    return [_node("h2", "Segments and features"), _table(("Kind", "Name", "Result", ""), rows)] if rows else []


def _written(told: Told) -> list[Tree.Element]:
    rows = [_node("tr", _node("td", name), _number(f"{count:,}")) for name, count in told.rows if count]
    return [_node("h2", "Rows written"), _table(("Table", "#Rows"), rows)] if rows else []


def _inputs(said: Mapping[str, Any]) -> list[Tree.Element]:
    files = [(one["source"], one["file"], f"{one['size']:,} bytes") for one in said["pinned"]["inputs"]]
    places = [(one["source"], one["file"], f"{one['start']:,} to {one['end']:,}") for one in said["pinned"]["partitions"]]
    rows = [_node("tr", _node("td", a), _node("td", b), _number(c)) for a, b, c in (*files, *places)]
    what = _node("h2", "What it read, up to where that reached at ", write_instant(said["started_at"]))
    return [what, _table(("Source", "File or partition", "#Up to"), rows)] if rows else []
