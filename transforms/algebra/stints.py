"""Consent as a partition key: the epochs of several purposes crossed into stints (kernel.md 2)."""

from collections.abc import Sequence
from functools import reduce

import numpy as np
import pyarrow as pa

from schemas.definitions.project import Project
from transforms.algebra.epochs import Grounds, cross, epochs, merged
from transforms.algebra.facts import Facts
from transforms.algebra.order import BEGINNING, FOREVER
from transforms.algebra.pieces import Sources, Stints
from transforms.algebra.sharing import gathered


def stints(
    project: Project, purposes: Sequence[str], consents: pa.Table, profiles: pa.Table, subjects: pa.Array
) -> Stints:
    """When all of `purposes` are open, and the events that count for each of them then.

    Args:
      project: the registry of purposes, the sources' clocks, the zone.
      purposes: one or more ids, from the registry.
      consents: what is seen at K, `schemas.consent.SCHEMA`.
      profiles: what is seen at K, `schemas.profile.SCHEMA` with the declared columns.
      subjects: string, distinct; their order numbers them.

    Returns:
      Stints by (subject, use_from), none empty, those that touch with equal events made one.
    """
    return crossed(Grounds(project, consents, profiles, subjects), purposes)


def fed(facts: Facts, stints: Stints) -> tuple[Stints, Sources]:
    """The stints of subjects, and what feeds each, from those of all that is judged: subjects alone, and the ids of one."""
    if facts.kin is None:
        return stints, Sources(np.arange(len(stints.subject)), *stints[:3])
    return gathered(stints, facts.kin)


def unrefused(subjects: int) -> Stints:
    """One stint of all time for each subject, as if nobody had ever to be asked."""
    begin, end = np.full(subjects, BEGINNING), np.full(subjects, FOREVER)
    return Stints(np.arange(subjects), begin, end, begin, end)


def crossed(grounds: Grounds, purposes: Sequence[str]) -> Stints:
    """`stints` of subjects whose ledger and profiles are read already."""
    return merged(reduce(cross, (epochs(grounds, grounds.project.purposes[name]) for name in purposes)))
