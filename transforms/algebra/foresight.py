"""Facts dated after T that tell of instants before it: whether they are seen hangs on K, which a run knows at its end (2.4)."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.definitions.catalog import Project
from transforms.algebra.claims import WHO, codes, ints
from transforms.algebra.ledger import keys
from transforms.algebra.order import BEGINNING, Flags, Ints, firsts, lasts
from transforms.algebra.state import State


def foresight(state: State, project: Project, at: int) -> int:
    """The largest receipt of such facts, int64 microseconds; BEGINNING where there are none.

    They are consent rows that may void what began before them, that have a twin or belong to a snapshot; and profiles where
    a minor's grant is judged by the next one that tells an age. All others act at their own instant and later.
    """
    received_at = [_of_consents(state.consents, at)]
    if any(purpose.min_age is not None for purpose in project.purposes.values()):
        received_at.append(ints(state.profiles["received_at"], 0)[ints(state.profiles["valid_from"], 0) > at])
    return int(np.concatenate(received_at).max(initial=BEGINNING))


def _of_consents(consents: pa.Table, at: int) -> Ints:
    received_at, later = ints(consents["received_at"], 0), ints(consents["effective_at"], 0) > at
    if not later.any():
        return received_at[:0]
    voids = np.asarray(pc.fill_null(consents["retroactive"], False)).astype(np.bool_)
    is_snapshot = codes(consents["payload_kind"], ("snapshot",)) >= 0
    return received_at[later & (voids | is_snapshot | _shared(keys(consents, ints(consents[WHO], 0))))]


def _shared(key: Ints) -> Flags:
    """Which keys are there more than once."""
    index = np.argsort(key, kind="stable")
    shared = np.empty(len(key), np.bool_)
    shared[index] = ~(firsts(key[index]) & lasts(key[index]))
    return shared
