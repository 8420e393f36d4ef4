"""What the warehouse holds of some subjects, as the kernel takes it: as much at a time as memory has room for."""

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runners.runs.rereading import read_otherwise
from runners.warehouses.lake import Lake
from runners.warehouses.published import LastRun
from runners.warehouses.read import count_facts, facts_of_subjects, known_subjects, links_about
from schemas.definitions.project import Project
from transforms.algebra.absorb import Arrived, absorb
from transforms.algebra.engine import connect
from transforms.algebra.order import FOREVER
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State, empty_state
from transforms.algebra.study import Study
from transforms.in_order import PLACE, in_order
from transforms.subject_hash import subject_hash
from transforms.together import together
from transforms.typed import normal_sql

_MOST = 2_000_000
"""About so many facts are looked at at once."""


def recall(lake: Lake, project: Project, subjects: pa.Array, known_at: int, answered: bool) -> Iterator[tuple[pa.Array, Study]]:
    """Study the subjects by their facts received by K, some at a time, with their ids; those without facts are left out.

    Who was ever linked with one of them is studied with it. `answered`: whether segments are evaluated, too, and not only what
    features see.
    """
    program = Program(project, dict.fromkeys(project.segments, 1))
    linked = together(links_about(lake, project.sources, pc.unique(subjects)))
    everyone = pc.unique(pa.concat_arrays([subjects, linked.ids]))
    portions = 1 + count_facts(lake, project, everyone, known_at) // _MOST
    portion = linked.standing(subject_hash(everyone)) % np.uint64(portions)
    for number in range(portions):
        some = everyone.filter(pa.array(portion == number))
        state = remembered(program, facts_of_subjects(lake, project, some, known_at))
        if state.count:
            moment = Moment(0, 0, known_at=FOREVER)  # nothing is published: only K matters, and what came later is not here
            yield state.ids, Study.of(program, state, np.arange(state.count), moment, answered)


def remembered(program: Program, found: Arrived) -> State:
    """A state that has nothing but these facts in it."""
    con = connect()
    state, _ = absorb(empty_state(program), found, program.projection, con)
    con.close()
    return state


def as_written(lake: Lake, project: Project, asked: pa.Array, known_at: int) -> pa.Array:
    """The ids by which subjects are known at K: each as it is asked, else as a source would write it; null if by neither."""
    con = connect()
    ways = dict.fromkeys(((), *(source.normalise for source in project.sources.values())))
    forms = [_normal(asked, steps, con) for steps in ways]
    con.close()
    known = known_subjects(lake, project, known_at, pc.unique(pa.concat_arrays(forms)))
    return pc.coalesce(*(pc.if_else(pc.is_in(form, known), form, pa.scalar(None, pa.string())) for form in forms))


def _normal(subjects: pa.Array, steps: tuple[str, ...], con: duckdb.DuckDBPyConnection) -> pa.Array:
    if not steps:
        return subjects
    sql = f"SELECT {PLACE}, {normal_sql('subject', steps)} AS subject FROM rows"
    return in_order(con, pa.table({"subject": subjects}), sql)["subject"].combine_chunks()


def outdated(project: Project, last: LastRun) -> str | None:
    """A word where what the warehouse holds of a source was read by other rules than those that are declared now."""
    changed = sorted(read_otherwise(project, last))
    if not changed:
        return None
    names = ", ".join(f"`{name}`" for name in changed)
    return f"what is declared of {names} has changed: until the next run its facts are as they were read before"
