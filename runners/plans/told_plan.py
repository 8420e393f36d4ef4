"""A plan, for people: 80 columns wide."""

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from schemas.definitions.instant import write_instant

_WIDTH, _NAME = 80, 10
_WORDS = {"changed": "changed", "new": "new", "renamed": "renamed", "removed": "going"}

Said = Mapping[str, Any]


def render(plan: Said) -> str:
    """The whole plan as lines: all in short, then each segment to which anything happens."""
    lines = [*_head(plan), *_line("segments", _counted(plan, "segments"), 0)]
    if plan["features"] or plan["unchanged"]["features"]:
        lines += _line("features", _counted(plan, "features"), 0)
    lines += [*_line("leaves", _leaves(plan["leaves"]), 0), *_line("the run", _does(plan), 0), *_goes(plan)]
    lines += _line("state", _state(plan), 0)
    for segment in plan["segments"]:
        lines += ["", *_segment(segment, plan)]
    lines += [""] if plan["features"] else []
    for group in plan["features"]:
        lines += _line(_WORDS[group["change"]], f"{group['name']} (features)", 0)
    return "\n".join(lines)


def _line(name: str, text: str, indent: int = 2) -> Iterator[str]:
    """A name and what is said of it, on as many lines as it takes."""
    first = f"{' ' * indent}{name:<{_NAME}}"
    for index, part in enumerate(wrap(text, _WIDTH - len(first), break_on_hyphens=False) or [""]):
        yield f"{first if not index else ' ' * len(first)}{part}"


def _head(plan: Said) -> Iterator[str]:
    yield f"plan for {plan['target']} at T = {_instant(plan['pinned']['t'])}"
    against = plan["against"]
    yield f"against run {against['run_id']}, T = {_instant(against['t'])}" if against else "nothing was published before"
    yield ""


def _counted(plan: Said, kind: str) -> str:
    numbers = {word: sum(one["change"] == change for one in plan[kind]) for change, word in _WORDS.items()}
    told = [f"{count} {word}" for word, count in numbers.items() if count]
    return ", ".join([*told, f"{plan['unchanged'][kind]} as published" if plan["against"] or told else "none"])


def _leaves(leaves: Said) -> str:
    told = ", ".join(f"{leaves[name]} {name}" for name in ("added", "changed", "shared", "removed"))
    unknown = "" if leaves["are_known"] else "; the last run did not note its own, so that all count as added"
    return f"{told}: {leaves['added'] + leaves['changed']} to compute{unknown}"


def _does(plan: Said) -> str:
    reads = plan["reads"]
    files = _inputs(reads)
    stored = f"{_many(reads['facts'], 'stored fact')} of {_many(reads['subjects'], 'subject')}"
    told = {
        "first": f"reads everything: {files}",
        "nothing": "finds nothing new and publishes nothing",
        "increment": f"adds what is new and what falls due: {files}",
        "anew": f"makes all states anew, for other {' and '.join(plan['because'])}, from {stored}; {files}",
    }[plan["does"]]
    again = f"; reads again from its beginning: {', '.join(reads['again'])}" if reads["again"] else ""
    return told + again + (f"; never read before: {', '.join(reads['new'])}" if reads["new"] and plan["against"] else "")


def _inputs(reads: Said) -> str:
    """The files and partitions that there are to read; of a partition it is known how many offsets are new."""
    files = f"{_many(reads['files'], 'file')} with {_bytes(reads['bytes'])}"
    partitions = f"{_many(reads['partitions'], 'partition')} with {_many(reads['offsets'], 'record')} at most"
    told = [text for name, text in (("files", files), ("partitions", partitions)) if reads[name]]
    return f"{' and '.join(told) or 'no file'} to read"


def _goes(plan: Said) -> Iterator[str]:
    if "goes" in plan:
        events, before = _many(plan["goes"]["events"], "event"), _instant(plan["goes"]["before"])
        text = f"removes what is older than {before}, for good: {events}, of each subject all but the first"
        yield from _line("retention", text, 0)


def _state(plan: Said) -> str:
    return f"{_bytes(plan['state']['bytes'])} now; {_widths(plan['state'])}"


def _widths(state: Said) -> str:
    return f"about {state['bytes_per_event']} bytes an event, {state['bytes_per_subject']} more a subject"


def _segment(one: Said, plan: Said) -> Iterator[str]:
    was, before, after = one["was"], one["version"]["before"], one["version"]["after"]
    named = f"{one['name']}, until now {was}" if was else one["name"]
    versions = {"new": f"version {after}", "removed": f"version {before} is closed"}
    yield from _line(_WORDS[one["change"]], f"{named}: {versions.get(one['change'], f'version {before} -> {after}')}", 0)
    if one["because"]:
        yield from _line("because", ", ".join(one["because"]))
    yield from _told_leaves(one["leaves"], {"rule", *one["because"]})
    if one["change"] != "removed":
        yield from _line("compute", _facts(one, plan) if one["computed"] else "nothing: its leaves are published")
        yield from _line("state", _widths(one["state"]))
    if plan["against"]:
        yield from _members(one)


def _told_leaves(leaves: list[Said], told: set[str]) -> Iterator[str]:
    """The leaves that are not shared, with the reasons that are not told yet."""
    for leaf in leaves:
        if leaf["change"] != "shared":
            why = ", ".join(reason for reason in leaf["because"] if reason not in told)
            yield from _line(leaf["change"], f"{leaf['rule']}{f' (by {why})' if why else ''}")
        if leaf["before"] not in (None, leaf["rule"]):
            yield from _line("  was", leaf["before"])
    shared = sum(leaf["change"] == "shared" for leaf in leaves)
    if shared:
        yield from _line("shared", _many(shared, "leaf", "leaves"))


def _facts(one: Said, plan: Said) -> str:
    interval = one["interval"]
    if not plan["against"]:
        return f"from the first fact to {_instant(interval['to'])}"
    since = "" if interval["from"] is None else f", from {_instant(interval['from'])} to {_instant(interval['to'])}"
    return f"{_many(one['facts'], 'stored fact')} of {_many(one['subjects'], 'subject')}{since}"


def _members(one: Said) -> Iterator[str]:
    members = one["members"]
    if one["unread"]:
        yield from _line("unread", f"what {', '.join(one['unread'])} will tell is not counted in")
    if members is None:
        yield from _line("members", "not known before the run")
        return
    if not one["publish"] and not members["before"]:
        yield from _line("members", "of a condition for other segments are not published")
        return
    yield from _line("members", f"{members['before']:,} at the last T")
    yield from _line("enter", _estimate(members["enter"]))
    yield from _line("leave", _estimate(members["leave"]))
    if members["satisfy"] is not None:
        yield from _line("consent", _consent(members))
        for kept in members["kept_out"]:
            yield from _line("", f"{_estimate(kept)}  {kept['purpose']} {kept['reason']}")


def _consent(members: Said) -> str:
    out = "of them are kept out:" if members["kept_out"] else "nobody is kept out"
    return f"{_estimate(members['satisfy'])} satisfy the condition; {out}"


def _estimate(one: Said) -> str:
    exact = one["low"] == one["high"]
    return f"{one['number']:,}" if exact else f"{one['number']:,} (95 %: {one['low']:,} to {one['high']:,})"


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"


def _bytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count:,} bytes"


def _instant(at: int) -> str:
    return write_instant(at).replace(".000000Z", "Z")
