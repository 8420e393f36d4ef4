"""How many rows a query of staged rows finds, and where the first of them were staged."""

from runners.audits.finding import place
from runners.warehouses.lake import Lake


def placed(lake: Lake, sql: str) -> tuple[int, tuple[str, ...]]:
    """The number of rows, and the places of up to three; `sql` gives `_file` and `_row`, null where there is no place."""
    said = "SELECT count(*), (list({'file': _file, 'row': _row} ORDER BY _file, _row))[:3]"
    count, first = lake.rows(f"{said} FROM ({sql})")[0]
    return count, tuple(place(one["file"], one["row"]) for one in first or () if one["file"])
