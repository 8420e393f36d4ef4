"""Events that belong together by the values of some columns: `bind`."""

from collections.abc import Mapping, Sequence

import numpy as np

from schemas.definitions.datatype import DataType
from schemas.definitions.refusal import refuse
from transforms.algebra.coded import codes_of, whole
from transforms.algebra.columns import value_name
from transforms.algebra.order import Ints
from transforms.algebra.timeline import Timeline

UNBOUND = -1


def bound(timeline: Timeline, columns: Sequence[str]) -> Ints:
    """For each row of the timeline a number that is equal where the stint and all values are; UNBOUND where one is null."""
    key = timeline.who
    for column in columns:
        code = codes_of(whole(timeline.facts.columns[value_name(column)]), UNBOUND)[timeline.row]
        width = int(code.max(initial=0)) + 1
        _, dense = np.unique(key * width + code, return_inverse=True)
        key = np.where((code < 0) | (key < 0), UNBOUND, dense)
    return key


def check_bind(columns: Sequence[str], types: Mapping[str, DataType]) -> None:
    """See that the columns hold one value each. Raises ValueError."""
    for column in columns:
        if types[column].kind == "list":
            expected, found = "a property that is no list", f"{column}: {types[column]}"
            raise refuse("SEG-0208", "`bind` takes one value", expected=expected, found=found)
