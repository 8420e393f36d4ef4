"""Lifecycle: how many subjects went from which phase to which."""

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")

TABLE = "lifecycle_transitions"
COMMENT = (
    "How many subjects were in which phase at T and one period before, for each lifecycle that a segment asks for; "
    "they sum to the known subjects whose data may be used at T."
)
SCHEMA = pa.schema(
    [
        ("as_of", INSTANT),
        ("lifecycle", pa.string()),
        ("purpose", pa.string()),
        ("from_state", pa.string()),
        ("to_state", pa.string()),
        ("subjects", pa.int64()),
        ("run_id", pa.string()),
    ]
)
COMMENTS = {
    "as_of": "the T of the numbers",
    "lifecycle": "the events and the period, in words",
    "purpose": "the purposes that the events serve, joined by +",
    "from_state": "the phase one period before T, or at the end of the calendar unit before T's, by the events that count at T",
    "to_state": "the phase at T",
    "subjects": "how many went from the one to the other; a pair of nobody has no row",
    "run_id": "the run that counted them",
}
