"""Lookups are read whole or not at all, and a run that can not read one says where."""

import gzip
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runners.sources.lookups import read_lookups
from schemas.definitions.project import Project
from schemas.definitions.source import SourceForm, resolve_source
from schemas.errors import CallError

HEADER = b"product_id,dept,weight\n"


def lookup(root: Path, files: str = "l*") -> pa.Table:
    form = {"source": "products", "kind": "lookup", "from": {"files": files}, "key": "product_id"}
    columns = {"dept": "string", "weight": "decimal(8,2)"}
    source = resolve_source(SourceForm.model_validate({**form, "columns": columns}), "sources/products.yaml")
    project = SimpleNamespace(root=root, roots=(), sources={"products": source})
    return read_lookups(cast(Project, project))["products"]


def test_values_are_read_as_those_of_records_are_and_of_equal_keys_the_first_row_counts(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_bytes(HEADER + b"7,food,1.005\n7,other,2\n08,,\n,none,1\n")
    assert [list(map(str, row.values())) for row in lookup(tmp_path).to_pylist()] == [
        ["7", "food", "1.01"],
        ["08", "None", "None"],
    ]


def test_a_typed_key_is_found_by_its_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"product_id": [7], "dept": ["food"], "weight": [None]}), tmp_path / "l.parquet")
    assert lookup(tmp_path)["key"].to_pylist() == ["7"]


def test_a_lookup_without_files_or_rows_is_empty(tmp_path: Path) -> None:
    assert len(lookup(tmp_path)) == 0
    (tmp_path / "l.csv.gz").write_bytes(gzip.compress(HEADER))
    assert len(lookup(tmp_path)) == 0


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("l.csv", HEADER + b"7,food,1\n8,food,heavy\n", r"row 2 of `l.csv` holds no decimal\(8,2\) in `weight`"),
        ("l.csv", b"product,dept,weight\n7,food,1\n", "`l.csv` has no column `product_id`"),
        ("l.csv", HEADER + b"7,food\n", "row 1 of `l.csv` can not be read"),
        ("l.csv", HEADER + b"7,\xff\xfe,1\n", "row 1 of `l.csv` can not be read"),
        ("l.csv", HEADER + b'7,food,1\n8,"fo', "row 2 of `l.csv` can not be read"),
        ("l.csv", b"", "`l.csv` has no column `product_id`"),
        ("l.csv.gz", b"no gzip", "row 1 of `l.csv.gz` can not be read"),
        ("l.parquet", b"PAR1 none", "row 1 of `l.parquet` can not be read"),
    ],
)
def test_what_can_not_be_read_is_refused_with_its_place(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CallError, match=told):
        lookup(tmp_path)
