"""Consent as a partition key: the epochs of several purposes crossed into stints (kernel.md 2)."""

from collections.abc import Sequence
from functools import reduce

import numpy as np

from transforms.algebra.epochs import Grounds, cross, epochs, merged
from transforms.algebra.facts import Facts
from transforms.algebra.order import BEGINNING, FOREVER
from transforms.algebra.pieces import Sources, Stints
from transforms.algebra.sharing import gathered


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
    """When all of `purposes` are open, and the events that count for each of them then.

    Gives stints by (subject, use_from), none empty, those that touch with equal events made one.
    """
    return merged(reduce(cross, (epochs(grounds, grounds.project.purposes[name]) for name in purposes)))
