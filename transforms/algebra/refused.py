"""Links that have no effect, as they are reported: what closes a cycle, crowds a subject or leads to who is erased."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import rejection
from transforms.algebra.claims import WHO
from transforms.algebra.coded import plain
from transforms.algebra.engine import connect
from transforms.algebra.facts import Facts
from transforms.algebra.forest import CYCLE, ERASED, SUPER_NODE
from transforms.algebra.order import Ints
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State, facts_of
from transforms.algebra.study import Study

_REASONS = {CYCLE: "cycle", SUPER_NODE: "super_node", ERASED: "blocked"}
_AS_READ = """
SELECT source, position, reason, received_at,
  encode(to_json({from_id: subject, to_id: to_id, linked_at: strftime(linked_at, '%Y-%m-%dT%H:%M:%S.%fZ')})::VARCHAR) AS raw
FROM links
"""


def newly_refused(program: Program, before: State, study: Study, moment: Moment) -> pa.Table:
    """Of the links about the studied subjects those that are refused and were not by what was known before.

    Gives `rejection.SCHEMA`; `raw` is what was read of the link, as JSON.
    """
    now = _refused(study.facts)
    if not len(now):
        return now
    known = study.who[study.who < before.count]
    then = _refused(facts_of(before, known, moment.known_before, program.project))
    is_new = pc.invert(pc.is_in(_keys(now), value_set=_keys(then).combine_chunks()))
    return now.filter(is_new)


def _refused(facts: Facts) -> pa.Table:
    """The links that are refused, in the order in which they came."""
    if facts.relations is None:
        return rejection.SCHEMA.empty_table()
    rows, verdict = facts.relations.links, facts.relations.verdict
    chosen = np.flatnonzero(verdict >= CYCLE)
    return _told(facts, rows.take(pa.array(chosen)), verdict[chosen])


def _told(facts: Facts, rows: pa.Table, verdict: Ints) -> pa.Table:
    """The links as what was read of them."""
    links = {name: plain(rows[name]) for name in ("source", "position", "to_id", "linked_at", "received_at")}
    links["subject"] = facts.subjects.take(rows[WHO])
    links["reason"] = pa.array([*_REASONS.values()]).take(pa.array(verdict - CYCLE))
    con = connect()
    con.register("links", pa.table(links))
    told = con.execute(_AS_READ).to_arrow_table()
    con.close()
    return told.select(rejection.SCHEMA.names).cast(rejection.SCHEMA)


def _keys(rows: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(rows["source"], rows["position"], "\n")
