"""A segment before it is published: its size, its members, and who would enter and leave, by a sample of subjects."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runners.answers.recalling import recall
from runners.plans.sampling import changed, estimated, sampled
from runners.warehouses.lake import Lake, quoted
from runners.warehouses.published import published, versions
from runners.warehouses.read import subjects_at
from schemas.definitions.instant import write_instant
from schemas.definitions.lineage import narrow
from schemas.definitions.project import Project
from transforms.algebra.order import TRUE, value_at

ENOUGH = 50_000
"""So many subjects are looked at where nothing is said; their error is half a percent of all at most."""

Told = dict[str, Any]


def preview(lake: Lake, project: Project, segment: str, part: float | None, seed: int, limit: int) -> Told:
    """What the segment would be at the last T and K: size, members, entering and leaving, each with its error.

    Errors: CallError before the first run.
    """
    last, asked = published(lake), narrow(project, "segments", segment)
    before = lake.arrow(f"SELECT subject FROM segment_membership WHERE segment = {quoted(segment)}")["subject"].combine_chunks()
    everyone = pc.unique(pa.concat_arrays([subjects_at(lake, asked, last.t_at, last.known_at), before]))
    part = min(1.0, ENOUGH / max(1, len(everyone))) if part is None else part
    chosen = everyone.filter(pa.array(sampled(everyone, part, seed)))
    members = _members(lake, asked, segment, chosen, last.t_at, last.known_at)
    about: Told = {"segment": segment, "at": write_instant(last.t_at), "known": write_instant(last.known_at)}
    about |= {"sample": part, "seed": seed, "subjects": len(everyone), "looked_at": len(chosen)}
    return {**about, "published": _version(lake, project, segment, before), **_moves(everyone, chosen, before, members, limit)}


def _moves(everyone: pa.Array, chosen: pa.Array, before: pa.Array, members: pa.Array, limit: int) -> Told:
    """The size, who enters and who leaves. Of the published members and of all others it is known how many there are."""
    was = chosen.filter(pc.is_in(chosen, before))
    entering, leaving = _without(members, was), _without(was, members)
    enter = estimated(len(entering), len(chosen) - len(was), len(everyone) - len(before))
    leave = estimated(len(leaving), len(was), len(before))
    found = {"size": (changed(len(before), enter, leave), members), "entering": (enter, entering), "leaving": (leave, leaving)}
    return {name: {**number._asdict(), "few": _first(who, limit)} for name, (number, who) in found.items()}


def _without(subjects: pa.Array, others: pa.Array) -> pa.Array:
    return subjects.filter(pc.invert(pc.is_in(subjects, others)))


def _first(subjects: pa.Array, limit: int) -> list[str]:
    return list(subjects.take(pc.sort_indices(subjects)[:limit]).to_pylist())


def _members(lake: Lake, project: Project, segment: str, subjects: pa.Array, at: int, known_at: int) -> pa.Array:
    """Those of some subjects that are members at T as known at K."""
    found: Sequence[pa.Array] = [pa.array([], pa.string())]
    for ids, study in recall(lake, project, subjects, known_at, answered=True):
        who = np.arange(len(ids))
        is_member = value_at(study.evaluation.answers[segment], who, np.full(len(who), at)) == TRUE
        found = [*found, ids.filter(pc.and_(pa.array(is_member), pc.is_in(ids, value_set=subjects)))]
    return pa.concat_arrays(found)


def _version(lake: Lake, project: Project, segment: str, members: pa.Array) -> Told | None:
    """The published version of the segment, how many members it has, and whether it means the same; None without one."""
    for version, is_current in versions(lake).get(segment, []):
        if is_current:
            is_same = version.meaning == project.segments[segment].meaning
            return {"version": version.version, "size": len(members), "is_same": is_same}
    return None


def render(told: Told) -> str:
    """The lines for people."""
    lines = [f"{told['segment']} at {_short(told['at'])}, as known at {_short(told['known'])}", *_numbers(told)]
    few = {"members": told["size"], **({"enter": told["entering"], "leave": told["leaving"]} if told["published"] else {})}
    lines += [f"{name:<12}{', '.join(one['few'])}" for name, one in few.items() if one["few"]]
    return "\n".join(lines)


def _numbers(told: Told) -> list[str]:
    some = "all" if told["looked_at"] == told["subjects"] else f"{told['looked_at']:,}"
    lines = [f"subjects    {told['subjects']:>9,}  {some} of them looked at", _line("size", told["size"])]
    if told["published"] is None:
        return [*lines, "published         no  no version of it"]
    now = told["published"]
    same = "the same definition" if now["is_same"] else "another definition"
    lines.append(f"published   {now['size']:>9,}  version {now['version']}, {same}")
    return [*lines, _line("enter", told["entering"]), _line("leave", told["leaving"])]


def _line(name: str, one: Told) -> str:
    exact = one["low"] == one["high"]
    return f"{name:<12}{one['number']:>9,}" + ("" if exact else f"  95 of 100 samples: {one['low']:,} to {one['high']:,}")


def _short(instant: str) -> str:
    return instant.replace(".000000Z", "Z")
