"""Events go from a dataset of BigQuery as from a DuckLake, and the same of what was published stands."""

from pathlib import Path

import pytest

from tests.runners.runs.test_retention import Kept, buy, told
from tests.services.test_bigquery import InBigQuery
from tests.support.merged import instant
from tests.support.oracle_model import World

pytestmark = pytest.mark.services
LEFT = [
    ("ann", "buy-0", None),
    *((who, f"buy-{at}", "any") for who, at in (("bob", 160), ("bob", 172), ("bob", 223), ("ann", 224))),
]


class KeptThere(InBigQuery, Kept):
    """A dataset of which events go."""

    def __init__(self, folder: Path, world: World, dataset: str) -> None:
        InBigQuery.__init__(self, folder, world, dataset)


def lived(target: Kept) -> list[object]:
    """What stands after runs by which events go, with late ones between, some of what can not be computed any more."""
    target.at_clock(121, buy(0, note="sesame"), buy(1), buy(150, received=119), buy(150, "bob", 120))
    target.at_clock(200, buy(160, "bob"))
    target.at_clock(201, buy(130, received=201), buy(20, received=201))
    aside = target.aside
    target.at_clock(225, buy(224), buy(223, "bob"), buy(172, "bob", 225))
    left = [aside, target.aside, target.events, target.history(), target.folded()]
    target.run(instant(226), full_refresh=True)
    again = len(target.events)
    target.at_clock(227)
    return [*left, again, target.events, target.history()]


def test_the_same_events_go_and_the_same_history_stands_as_in_the_embedded_warehouse(dataset: str, tmp_path: Path) -> None:
    there = lived(KeptThere(tmp_path / "there", told(), dataset))
    assert there == lived(Kept(tmp_path / "here", told()))
    assert there[:3] == [[120], [], LEFT]
    assert there[-3:-1] == [8, LEFT]
