"""A warehouse gets the tables and views that it lacks."""

from runners.warehouses.lake import Lake
from runners.warehouses.tables import TABLES
from runners.warehouses.views import VIEWS


def prepare(lake: Lake) -> None:
    """Make the tables and views that are not there yet, with their comments."""
    there, shown = lake.comments("table"), lake.comments("view")
    missing = [table for table in TABLES if table.name not in there]
    stale = [view for view in VIEWS if shown.get(view.name) != view.text]
    if missing or stale:
        lake.make(missing, stale)
