"""Links of a state as who is kin to whom: numbered, applied, and those refused (semantics 6.3)."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.definitions.project import Project
from transforms.algebra.claims import WHO, codes, ints
from transforms.algebra.coded import plain
from transforms.algebra.epochs import Grounds
from transforms.algebra.forest import ACCEPTED, NOBODY, Links, connected, forest
from transforms.algebra.kin import Kin, kin
from transforms.algebra.ledger import erased_at
from transforms.algebra.order import FOREVER, Ints


class Relations(NamedTuple):
    """What links say of subjects: who is kin, and when each was first named; the links, and why each is refused, if it is."""

    kin: Kin
    linked_at: Ints
    links: pa.Table
    verdict: Ints


def relations(grounds: Grounds, identities: pa.Table, subjects: pa.Array) -> Relations | None:
    """Apply what is seen of `identities`, whose rows bear the numbers of `subjects`; None where there is no link.

    Both ends of a link are among the subjects.
    """
    if not len(identities):
        return None
    links, count = _links(grounds.project, identities, subjects), len(subjects)
    grown = forest(count, links, _rank(subjects), erased_at(grounds.ledger))
    counts = np.flatnonzero(grown.verdict == ACCEPTED)
    linked_at = np.full(count, FOREVER)
    for end in (links.child[counts], links.parent[counts]):
        np.minimum.at(linked_at, end[end != NOBODY], links.at[counts][end != NOBODY])
    return Relations(kin(grown), linked_at, identities, grown.verdict)


def groups(identities: pa.Table, subjects: pa.Array) -> Ints:
    """The number of the group of each subject: those that any of the links connects."""
    child, parent = ints(identities[WHO], 0), codes(identities["to_id"], subjects)
    named = parent != NOBODY
    return connected(len(subjects), child[named], parent[named])


def _links(project: Project, identities: pa.Table, subjects: pa.Array) -> Links:
    sources = sorted(project.sources)
    most = np.array([project.sources[name].max_links for name in sources])[codes(identities["source"], sources)]
    return Links(ints(identities[WHO], 0), codes(identities["to_id"], subjects), ints(identities["linked_at"], 0), most)


def _rank(subjects: pa.Array) -> Ints:
    """The place of each id among all by bytes; ids are different."""
    rank = np.empty(len(subjects), np.int64)
    rank[np.asarray(pc.sort_indices(plain(subjects).cast(pa.binary())))] = np.arange(len(subjects))
    return rank
