"""The answer of `explain` for people: who may use what, what is true, what is missed, what turns next."""

from collections.abc import Iterator
from typing import Any

Told = dict[str, Any]
_MARKS = {True: "yes", False: "no", None: "unknown"}
_SHOWN = 5
_REASONS = {
    "SUPPRESSED": "the subject was erased",
    "RESTRICTED": "a restriction is in force",
    "MINOR": "the subject is under the age that the purpose asks for, or was when consent was given",
    "AGE_UNKNOWN": "the purpose asks for an age, and no birth date is known",
    "OBJECTED": "the subject objected",
    "JURISDICTION_UNKNOWN": "the basis depends on a country that is not known",
    "NO_RECORD": "no row of the ledger grants it",
    "STALE_VERSION": "what was granted is an earlier version of the purpose",
    "EXPIRED": "the grant has expired",
    "WITHDRAWN": "the consent was withdrawn",
    "DENIED": "the subject denied it",
    "EVENT_OUTSIDE_EPOCH": "the use is outside of what was granted",
    "ALLOW_consent": "by consent",
    "ALLOW_legitimate_interest": "by legitimate interest",
}


def render(told: Told) -> str:
    """The lines: the answer, the population, each purpose, the tree, the nearest miss, and the next flip."""
    if told.get("merged_into"):
        return _merged(told)
    member = "is a member" if told["member"] else "is not a member"
    lines = [
        f"{told['subject']} {member} of {told['segment']}",
        f"at          {_short(told['at'])}, as known at {_short(told['known'])}",
        *_identity(told),
        f"population  {_MARKS[told['population']]}",
        *(line for purpose, reason in told["verdicts"].items() for line in _use(told, purpose, reason)),
        "",
        *_tree(told["tree"], 0, told["purpose_open"]),
        "",
        *_nearest(told),
    ]
    following = told["next_transition_at"]
    return "\n".join([*lines, f"next flip if nothing more arrives: {_short(following) if following else 'never'}"])


def _merged(told: Told) -> str:
    """What there is to say of an id that belongs to another: nothing is asked of it alone."""
    root, segment = told["merged_into"], told["segment"]
    lines = [
        f"{told['subject']} is not a member of {segment}: it is merged into {root}",
        f"at          {_short(told['at'])}, as known at {_short(told['known'])}",
        f"identity    {', '.join(told['ids'])} are one",
        f"`segue explain {root} {segment}` tells of them",
    ]
    return "\n".join(lines)


def _identity(told: Told) -> Iterator[str]:
    """Which ids are one subject at T."""
    if told.get("ids"):
        yield f"identity    {', '.join(told['ids'])} are one"


def _use(told: Told, purpose: str, reason: str) -> Iterator[str]:
    """Whether a purpose is open at T and why, with the rows of the ledger that act on it by then, and those to come."""
    said = _REASONS.get(reason)
    state = "open" if reason.startswith("ALLOW_") else "closed"
    yield f"purpose     {purpose} is {state}" + (f": {said}" if said else "") + f" ({reason})"
    rows = [row for row in told["ledger"] if row["purpose"] in (purpose, "*")]
    for row in rows[-_SHOWN:]:
        acts = "acts from" if row["effective_at"] <= told["at"] else "will act from"
        channel = "" if row["channel"] == "*" else f" on {row['channel']}"
        claimed = f"claimed at {_short(row['claimed_at'])}, {acts} {_short(row['effective_at'])}"
        yield f"            {row['action']} {row['purpose']}{channel} {claimed}"


def _tree(node: Told, depth: int, is_open: bool) -> Iterator[str]:
    mark, pad = _MARKS[node["value"]] if is_open else "-", "  " * depth
    yield f"{mark:<8}{pad}{node['rule']}"
    if is_open:
        yield from (f"        {pad}    {line}" for line in _details(node))
    for child in node["children"]:
        yield from _tree(child, depth + 1, is_open)


def _details(node: Told) -> Iterator[str]:
    """The numbers, until when they stay so, and the last of the events that decided."""
    flip = f"flips at {_short(node['next_flip_at'])}" if node.get("next_flip_at") else ""
    numbers = _numbers(node)
    if numbers or (flip and not node["children"]):
        yield "; ".join(part for part in (*numbers, flip) if part)
    decided = node["decided_by"]
    if len(decided) > _SHOWN:
        yield f"{len(decided) - _SHOWN} earlier events, and"
    for one in decided[-_SHOWN:]:
        yield f"{_short(one['occurred_at'])} {one['event']} ({one['source']} {one['event_id']})"


def _numbers(node: Told) -> list[str]:
    numbers = node["numbers"]
    named = {"": numbers} if "compared" in numbers else numbers
    return [_number(name, part) for name, part in named.items() if isinstance(part, dict)]


def _number(name: str, part: Told) -> str:
    """A value, what is wanted of it, and by how much it misses that or has to spare."""
    value = "missing" if part["value"] is None else part["value"]
    return f"{name} is {value}, wanted {part['compared']}{_margin(part)}".strip()


def _margin(part: Told) -> str:
    """By how much a number misses what is wanted, or could change before it does."""
    far, operator = float(part.get("distance", 0)), str(part["compared"]).split(" ")[0]
    size = str(part.get("distance", 0)).removeprefix("-")
    if not far or operator not in (">=", ">", "<=", "<", "="):
        return ""
    is_met = operator != "=" and (far > 0) == operator.startswith(">")
    return f", {size} to spare" if is_met else f", misses by {size}"


def _nearest(told: Told) -> Iterator[str]:
    """What would have to change for the subject to be a member."""
    if told["member"]:
        return
    closed = [purpose for purpose, reason in told["verdicts"].items() if not reason.startswith("ALLOW_")]
    if not told["purpose_open"]:
        which = f" for {', '.join(closed)}" if closed else ""
        yield f"nearest miss: nothing may be used{which}, so no condition is looked at"
        return
    if not told["population"]:
        yield "nearest miss: the population"
    for node in _missed(told["tree"]):
        below = f" {node['children'][0]['rule']}" if node["children"] else ""
        numbers = "; ".join(_numbers(node))
        yield f"nearest miss: {node['rule']}{below}" + (f": {numbers}" if numbers else "")


def _missed(node: Told) -> list[Told]:
    """The fewest leaves that are to turn: of `all` every one that is not true, of `any` those of its nearest child."""
    if node["value"]:
        return []
    below = [_missed(child) for child in node["children"]]
    if node["node"] == "all":
        return [leaf for leaves in below for leaf in leaves]
    if node["node"] == "any":
        return min(below, key=len)
    return [node]


def _short(instant: str) -> str:
    """An instant without the digits that say nothing."""
    return instant.replace(".000000Z", "Z")
