"""Two targets of a project compared: who is a member in one warehouse and not in the other."""

from typing import NamedTuple

from runners.answers.diffing import Difference, Side, compared
from runners.warehouses.lake import Lake
from runners.warehouses.published import published
from runners.warehouses.query import AS_OF


class Held(NamedTuple):
    """A target by its name, and its warehouse."""

    name: str
    lake: Lake


def diff_targets(a: Held, b: Held, limit: int) -> Difference:
    """Compare the members at the earlier of the two last T's, each side as it knows it; `limit` names for each change.

    No run lies between two warehouses, so that no reason is known. Errors: CallError where one has published nothing.
    """
    last = published(a.lake), published(b.lake)
    t_at = min(one.t_at for one in last)
    sides = [Side(held.name, t_at, one.known_at, kind="target") for held, one in zip((a, b), last, strict=True)]
    b.lake.run(AS_OF)
    a.lake.con.register("diff_other", b.lake.arrow(sides[1].members))
    try:
        return compared(a.lake, sides[0], sides[1], "FROM diff_other", limit)
    finally:
        a.lake.con.unregister("diff_other")
