"""What definitions mean, as hashes: equal for equal meanings, whatever the text, the names of files, the descriptions."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from schemas.definitions.canonical import canonical, digest
from schemas.definitions.feature import FeatureGroup
from schemas.definitions.node import Node
from schemas.definitions.purpose import Purpose
from schemas.definitions.segment import InSegment, Segment
from schemas.definitions.source import Source


def purpose_meaning(purpose: Purpose) -> Any:
    """What of a purpose changes answers."""
    said = canonical(purpose)
    return {key: part for key, part in said.items() if key not in ("description", "channels", "retention", "on_withdraw")}


def source_meaning(source: Source) -> Any:
    """What of a source changes which facts there are."""
    said = canonical(source)
    silent = ("description", "files", "silence_budget", "expect", "file")
    return {key: part for key, part in said.items() if key not in silent}


def segment_meanings(
    segments: Mapping[str, Segment],
    order: Iterable[str],
    purposes: Mapping[str, Purpose],
    features: Mapping[str, FeatureGroup],
    lists: Mapping[tuple[str, str], pa.Array],
    ground: Any,
) -> dict[str, Segment]:
    """The segments with their meanings; `ground` is what all of them rest on: the zone and the sources' rules."""
    columns = {column.reference: column.meaning for group in features.values() for column in group.columns}
    meanings: dict[str, str] = {}
    for name in order:
        segment = segments[name]
        below = [_below(node, columns, meanings, lists) for node in segment.when.walk()]
        said = [
            segment.when.meaning(),
            meanings[segment.population.name] if isinstance(segment.population, InSegment) else canonical(segment.population),
            [purpose_meaning(purposes[purpose]) for purpose in segment.purposes],
            below,
            ground,
        ]
        meanings[name] = digest(said)
    return {name: segment.model_copy(update={"meaning": meanings[name]}) for name, segment in segments.items()}


def _below(
    node: Node, columns: Mapping[str, str], segments: Mapping[str, str], lists: Mapping[tuple[str, str], pa.Array]
) -> Any:
    """The meanings of what a node refers to by name."""
    found = node.references()
    return [
        [columns.get(name, name) for name in found.features],
        [segments[name] for name in found.segments],
        [list_meaning(lists[key]) for key in found.lists],
    ]


def list_meaning(ids: pa.Array) -> str:
    """The hash of the ids of a list, in whatever order they stand."""
    return digest(sorted(str(value) for value in ids.tolist()))


