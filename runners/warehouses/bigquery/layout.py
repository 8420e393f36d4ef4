"""How the tables of a BigQuery dataset lie: by which column they are partitioned, and by which columns their rows are sorted."""

from typing import NamedTuple

from google.cloud.bigquery import TimePartitioning


class Layout(NamedTuple):
    """A column of instants and DAY or MONTH, '' for no partitions; and up to four columns by which rows lie together."""

    clustered: tuple[str, ...] = ()
    column: str = ""
    each: str = "MONTH"

    @property
    def partitioning(self) -> TimePartitioning | None:
        """The partitions, as requests name them."""
        return TimePartitioning(self.each, self.column) if self.column else None


# A job may touch four thousand partitions: days of events that reach back eleven years would be more, months are not.
LAYOUTS = {
    "events": Layout(("subject", "event"), "occurred_at"),
    "profiles": Layout(("subject",)),
    "consents": Layout(("subject", "purpose")),
    "identities": Layout(("subject",)),
    "scores": Layout(("subject",)),
    "quarantine": Layout(("source", "reason")),
    "segment_transitions": Layout(("segment", "subject")),
    "segment_changes": Layout(("segment", "subject"), "known_at"),
    "segment_upcoming": Layout(("segment", "subject")),
    "feature_rows": Layout(("subject",), "as_of", "DAY"),
    "sessions": Layout(("subject",), "started_at"),
}
