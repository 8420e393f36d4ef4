"""Verdicts and stints from rows of the ledger and of profiles as they are read."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.definitions.project import Project
from transforms.algebra.epochs import Grounds
from transforms.algebra.pieces import Stints
from transforms.algebra.stints import crossed
from transforms.algebra.verdicts import REASONS, judge, reasons


def stints(
    project: Project, purposes: Sequence[str], consents: pa.Table, profiles: pa.Table, subjects: pa.Array
) -> Stints:
    """When all of `purposes` are open to each subject."""
    return crossed(Grounds(project, consents, profiles, subjects), purposes)


def verdict(
    project: Project,
    purpose: str,
    consents: pa.Table,
    profiles: pa.Table,
    subject: str,
    event_at: int,
    used_at: int,
    known_at: int,
    channel: str = "*",
) -> str:
    """May an event of the subject be used at T, by what was received up to K? One of REASONS."""
    consents, profiles = _seen(consents, subject, known_at), _seen(profiles, subject, known_at)
    grounds = Grounds(project, consents, profiles, pa.array([subject]))
    judgement = judge(grounds, project.purposes[purpose], used_at, channel)
    return REASONS[int(reasons(judgement, np.array([0]), np.array([event_at]))[0])]


def _seen(table: pa.Table, subject: str, known_at: int) -> pa.Table:
    known = pc.less_equal(table["received_at"].cast(pa.int64()), known_at)
    return table.filter(pc.and_(pc.equal(table["subject"], subject), known))
