"""What a run would do, told before it does it: against what is published, leaf by leaf."""

from typing import Any

from runners.plans.comparing import Comparison
from runners.plans.foreseeing import Sample, foresee
from runners.plans.summary import describe
from runners.publishing.letting_go import count_that_go
from runners.runs.keeping import goes_before
from runners.runs.outlook import Outlook
from runners.runs.pinning import pinned
from runners.warehouses.held import NOTHING, Held, facts_held, held_of_all, held_of_each
from runners.warehouses.lake import Lake, quoted
from schemas.definitions.difference import LeafChange
from schemas.definitions.lineage import narrow
from schemas.definitions.project import Project
from schemas.record import Input, Partition, TableRows
from transforms.algebra.program import Program

Json = dict[str, Any]
VERSION = 1
"""Of its form: docs/artifacts/plan.schema.json."""


def plan(lake: Lake | None, outlook: Outlook) -> Json:
    """The whole plan, JSON-able. Instants are int64 microseconds UTC."""
    compared = Comparison(lake, outlook)
    last, project = outlook.last, outlook.project
    kept = [name for name in project.sources if name not in outlook.reading.reread]
    everything, each, sample = Held(0, 0, None), {}, None
    if lake is not None and last is not None:
        with facts_held(lake, kept):
            everything, each = held_of_all(lake), _held(lake, compared)
        sample = _sample(lake, compared)
    segments = [_segment(compared, name, each.get(name, NOTHING), sample) for name in compared.changes]
    features = _features(compared)
    return {
        "version": VERSION,
        "project": project.name,
        "target": project.target.name,
        "pinned": pinned(outlook),
        "against": None if last is None else {"run_id": last.run_id, "t": last.t_at, "k": last.known_at},
        "does": _does(compared),
        "because": _because(outlook),
        "reads": _reads(compared, everything),
        "leaves": _leaves(compared),
        **_goes(compared),
        "state": _state(compared),
        "sample": None if sample is None else sample.document(),
        "segments": segments,
        "features": features,
        "unchanged": {
            "segments": len(project.segments) - sum(one["change"] != "removed" for one in segments),
            "features": len(project.features) - sum(one["change"] != "removed" for one in features),
        },
    }


def _does(compared: Comparison) -> str:
    """The kind of run: `first`, `nothing`, `anew` (all states, from all facts), or `increment`."""
    if compared.lake is None or compared.outlook.last is None:
        return "first"
    if compared.outlook.is_rebuild:
        return "anew"
    return "nothing" if compared.outlook.is_idle(compared.lake) else "increment"


def _because(outlook: Outlook) -> list[str]:
    """Why all states are made anew, if they are."""
    last, project = outlook.last, outlook.project
    if last is None:
        return []
    changed = {"definitions": last.definitions != project.meaning, "shards": last.shards != project.target.shards}
    return [name for name, is_changed in changed.items() if is_changed]


def _reads(compared: Comparison, everything: Held) -> Json:
    """What the run reads: stored facts where it makes states anew, files, and partitions of topics."""
    inputs = compared.outlook.reading.listing.inputs
    files = [one for one in inputs if isinstance(one, Input)]
    partitions = [one for one in inputs if isinstance(one, Partition)]
    again, new = compared.unread
    is_anew = compared.outlook.is_rebuild
    return {
        "facts": everything.facts if is_anew else 0,
        "subjects": everything.subjects if is_anew else 0,
        "files": len(files),
        "bytes": sum(one.unread for one in files),
        "partitions": len(partitions),
        "offsets": sum(one.rows if isinstance(one, TableRows) else one.end - one.start for one in partitions),
        "again": sorted(again),
        "new": sorted(new),
    }


def _leaves(compared: Comparison) -> Json:
    """The leaves of all segments, each counted once; what is to be computed are those added and changed."""
    before, after = compared.leaves
    changes = [one for found in compared.differences.values() for one in found.leaves]
    changed = {one.leaf.meaning for one in changes if one.change == "changed"}
    replaced = {one.before.meaning for one in changes if one.before is not None}
    numbers = {
        "added": len(after - before - changed),
        "changed": len(changed),
        "shared": len(after & before),
        "removed": len(before - after - replaced),
    }
    is_known = compared.outlook.last is None or bool(compared.composed[0]) or not compared.before
    return {**numbers, "are_known": is_known}


def _goes(compared: Comparison) -> Json:
    """What `retention` removes with the run, if anything."""
    last, lake, outlook = compared.outlook.last, compared.lake, compared.outlook
    if last is None or lake is None:
        return {}
    before_at = goes_before(outlook.project, last, outlook.t_at, outlook.options.now)
    events = count_that_go(lake, last, before_at)
    return {"goes": {"before": before_at, "events": events}} if events else {}


def _state(compared: Comparison) -> Json:
    lake = compared.lake
    held = 0 if lake is None else lake.value("SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM kernel_state")
    return {"bytes": held, **_widths(compared.outlook.project)}


def _widths(project: Project) -> Json:
    """How many bytes of state an event and a subject cost, as `validate` computes them."""
    said = describe(project, Program(project, dict.fromkeys(project.segments, 1)))
    return {"bytes_per_event": said["state_bytes_per_event"], "bytes_per_subject": said["state_bytes_per_subject"]}


def _held(lake: Lake, compared: Comparison) -> dict[str, Held]:
    """The facts from which each changed segment is computed."""
    defined = compared.outlook.project.segments
    return held_of_each(lake, {name: compared.about(name) for name in compared.changes if name in defined})


def _sample(lake: Lake, compared: Comparison) -> Sample | None:
    """A look at those segments that are published and whose sources are not to be read again."""
    last, defined = compared.outlook.last, compared.outlook.project.segments
    known = [name for name in compared.changes if name in defined and not compared.unread[0] & compared.sources(name)]
    records = {name: compared.renamed.get(name, name) for name in known if defined[name].publish}
    return foresee(lake, compared.outlook.project, last, records) if last is not None and records else None


def _segment(compared: Comparison, name: str, held: Held, sample: Sample | None) -> Json:
    """All that happens to one segment."""
    outlook, was, found = compared.outlook, compared.renamed.get(name, name), compared.differences[name]
    before, after = compared.before.get(was), outlook.versions.get(name)
    is_here = name in outlook.project.segments
    missing = sorted(compared.sources(name) & (compared.unread[0] | compared.unread[1])) if is_here else []
    return {
        "name": name,
        "change": compared.changes[name],
        "was": was if was != name else None,
        "publish": is_here and outlook.project.segments[name].publish,
        "version": {"before": before.version if before else None, "after": after.version if after else None},
        "because": list(found.because),
        "leaves": [_leaf(one) for one in found.leaves],
        "computed": compared.is_computed(name),
        "interval": {"from": held.first_at, "to": outlook.t_at} if compared.is_computed(name) else None,
        "facts": held.facts,
        "subjects": held.subjects,
        "state": _widths(narrow(outlook.project, "segments", name)) if is_here else None,
        "unread": missing,
        "members": _members(compared, name, sample),
    }


def _leaf(one: LeafChange) -> Json:
    return {
        "change": one.change,
        "meaning": one.leaf.meaning,
        "rule": one.leaf.rule,
        "before": one.before.rule if one.before else None,
        "because": list(one.because),
    }


def _members(compared: Comparison, name: str, sample: Sample | None) -> Json | None:
    """By the sample; of what is not published any more all leave; None where it is not known before a source is read."""
    segment = compared.outlook.project.segments.get(name)
    if segment is not None and segment.publish:
        return None if sample is None or name not in sample.seen else sample.members(name)
    members = f"SELECT count(*) FROM segment_membership WHERE segment = {quoted(name)}"
    count = 0 if compared.lake is None else int(compared.lake.value(members))
    none, all_ = {"number": 0, "low": 0, "high": 0}, {"number": count, "low": count, "high": count}
    return {"before": count, "enter": none, "leave": all_, "satisfy": None, "kept_out": []}


def _features(compared: Comparison) -> list[Json]:
    """The feature groups to which anything happens."""
    last = compared.outlook.last
    before = {} if last is None else last.features
    after = {name: group.meaning for name, group in compared.outlook.project.features.items()}
    names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    return [
        {"name": name, "change": "new" if name not in before else "changed" if name in after else "removed"} for name in names
    ]
