"""Scores: what models say of subjects, valid from an instant on."""

import pyarrow as pa

from schemas.definitions.datatype import DataType

INSTANT = pa.timestamp("us", tz="UTC")

TABLE = "scores"
COMMENT = "Accepted scores; a row holds until the next one of the subject and the model."
SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("subject", pa.string()),
        ("position", pa.string()),
        ("model", pa.string()),
        ("version", pa.string()),
        ("value", pa.float64()),
        ("label", pa.string()),
        ("valid_from", INSTANT),
        ("received_at", INSTANT),
        ("record_hash", pa.binary(32)),
    ]
)
COMMENTS = {
    "source": "the source that the record came from",
    "subject": "whom the model judged",
    "position": "file and record number",
    "model": "the model by its name",
    "version": "the version of the model that made it; null where the source does not say",
    "value": "the number that the model gave; null where it gave a label alone",
    "label": "the name that the model gave: a class, a persona; null where it gave a number alone",
    "valid_from": "from when on the row holds",
    "received_at": "when we received it",
    "record_hash": "SHA-256 of the row without received_at",
}
ASKED = {"value": DataType("float"), "label": DataType("string")}
"""What conditions ask of a row."""
