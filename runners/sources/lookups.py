"""Lookups: small tables that belong to the definitions, read whole before a run."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from runners.sources.files import format_of
from schemas.definitions.project import Project
from schemas.definitions.source import Source
from schemas.errors import CallError


def read_lookups(project: Project) -> dict[str, pa.Table]:
    """Each lookup by name: the column `key` as text, and its columns by their types; of equal keys the first row."""
    return {name: _read(project, source) for name, source in project.sources.items() if source.kind == "lookup"}


def _read(project: Project, source: Source) -> pa.Table:
    parts = [_file(str(path), source) for pattern in source.files for path in sorted(project.root.glob(pattern))]
    schema = pa.schema([("key", pa.string()), *((name, kind.arrow) for name, kind in source.columns.items())])
    table = pa.concat_tables([part.cast(schema) for part in parts]) if parts else schema.empty_table()
    first = pc.index_in(table["key"], value_set=pc.unique(table["key"]))
    numbered = table.append_column("_n", first)
    kept = (
        pa.table({"_n": numbered["_n"], "_row": pa.array(range(len(table)))})
        .group_by("_n")
        .aggregate([("_row", "min")])
    )
    return table.take(kept.sort_by("_n")["_row_min"])


def _file(path: str, source: Source) -> pa.Table:
    form, _ = format_of(path)
    if form == "csv":
        text = dict.fromkeys([str(source.key), *source.columns], pa.string())
        options = pacsv.ConvertOptions(column_types=text, include_columns=list(text), strings_can_be_null=True)
        table = pacsv.read_csv(path, convert_options=options)
    elif form == "parquet":
        table = pq.read_table(path, columns=[str(source.key), *source.columns])
    else:
        raise CallError("SEG-0410", f"the lookup `{source.name}` is no CSV or Parquet file", "convert it")
    return table.rename_columns(["key", *source.columns])
