"""Cuts as windows: Beam's time is not event time here, but the number of the cut.

The runner's watermark passes the end of a window when all readers have closed the cut and all that they had read is computed, so
that each cut is a consistent one, on any runner. A cut takes two of Beam's seconds: in the first it is read, at its end
T and K are known, and at the end of the second the shards have heard of them.
"""

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.window import BoundedWindow, FixedWindows
from apache_beam.utils.timestamp import Timestamp

_LENGTH = 2


def time_of(number: int) -> Timestamp:
    """The timestamp of what is read in a cut."""
    return Timestamp(_LENGTH * number)


def number_of(window: BoundedWindow) -> int:
    """The cut that a window belongs to."""
    return int(window.start.seconds()) // _LENGTH


def read_in_cuts() -> beam.PTransform:
    """Windows of what is read."""
    return beam.WindowInto(FixedWindows(1)).with_output_types(pa.RecordBatch)


def whole_cuts() -> beam.PTransform:
    """Windows of all that belongs to a cut."""
    return beam.WindowInto(FixedWindows(_LENGTH))
