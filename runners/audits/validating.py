"""What Great Expectations says of a small frame, and what of a comparison it can say."""

import os
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from schemas.definitions.condition import Compare, Condition, Either, Every, IsNull, Negation
from schemas.errors import JobFailed

if TYPE_CHECKING:
    import pandas as pd

Asked = tuple[str, str, dict[str, Any]]
"""A column, the name of an expectation of Great Expectations, and its arguments."""


def unmet(frame: pa.Table, wanted: Sequence[Asked]) -> Iterator[tuple[Asked, list[int] | None]]:
    """Each expectation with the rows of the frame that break it; None where it is met.

    Errors: JobFailed where one can not be evaluated.
    """
    columns = {column for column, _, _ in wanted}
    cells = frame.select([name for name in frame.column_names if name in columns]).to_pandas(integer_object_nulls=True)
    results = _validated(cells, wanted)
    raised = [column for (column, _, _), result in zip(wanted, results, strict=True) if "raised" in result]
    if raised:
        raise JobFailed("SEG-0611", f"the expectation of {raised[0]} could not be evaluated")
    for asked, result in zip(wanted, results, strict=True):
        yield asked, None if result["success"] else result["unexpected_index_list"]


def _validated(cells: "pd.DataFrame", wanted: Sequence[Asked]) -> list[dict[str, Any]]:
    """One result for each expectation: `success`, `unexpected_index_list`; `raised` where it could not be evaluated."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at import
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own use of deprecated modules is not the user's business
        import great_expectations as gx

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        asset = context.data_sources.add_pandas("staged").add_dataframe_asset("rows")
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": cells})
        found = []
        for column, name, arguments in wanted:
            expectation = getattr(gx.expectations, name)(column=column, **arguments)
            result = batch.validate(expectation, result_format="COMPLETE")
            raised = {"raised": True} if result.exception_info.get("raised_exception") else {}
            indexes = result.result.get("unexpected_index_list") or []
            found.append({"success": result.success, "unexpected_index_list": list(indexes), **raised})
        return found


def translated(column: str, tree: Condition) -> list[Asked] | None:
    """A condition as expectations that must all hold; None where there is none that says it."""
    if isinstance(tree, Compare):
        return [(column, *_compared(tree))]
    if isinstance(tree, Every):
        parts = [translated(column, part) for part in tree.parts]
        return None if None in parts else [asked for part in parts if part is not None for asked in part]
    if isinstance(tree, Either) and all(isinstance(part, Compare) and part.op == "=" for part in tree.parts):
        constants = [_plain(part.constant) for part in tree.parts if isinstance(part, Compare)]
        return [(column, "ExpectColumnValuesToBeInSet", {"value_set": constants})]
    return None


def _compared(compare: Compare) -> tuple[str, dict[str, Any]]:
    constant = _plain(compare.constant)
    if compare.op in ("=", "!="):
        negated = "Not" if compare.op == "!=" else ""
        return f"ExpectColumnValuesTo{negated}BeInSet", {"value_set": [constant]}
    bound = "min" if compare.op.startswith(">") else "max"
    return "ExpectColumnValuesToBeBetween", {f"{bound}_value": constant, f"strict_{bound}": "=" not in compare.op}


def _plain(constant: Any) -> int | float:
    return constant if isinstance(constant, int) else float(constant)


def holds(tree: Condition, value: float | None) -> bool | None:
    """Whether a measure meets a condition; None where it is unknown, which meets every expectation."""
    if isinstance(tree, IsNull):
        return (value is None) != tree.negated
    if value is None:
        return None
    if isinstance(tree, Negation):
        inner = holds(tree.part, value)
        return None if inner is None else not inner
    if isinstance(tree, Every | Either):
        fold = all if isinstance(tree, Every) else any
        return fold(holds(part, value) for part in tree.parts)
    constant = _plain(tree.constant)
    return {
        "=": value == constant,
        "!=": value != constant,
        "<": value < constant,
        "<=": value <= constant,
        ">": value > constant,
        ">=": value >= constant,
    }[tree.op]
