"""Random worlds through `segue stream` on its real runner: whatever arrives when, and however T jumps, there is one history."""

from pathlib import Path
from random import Random

import pytest

from tests.runners.streams.test_streams import GROUPS, SHARDS, tells_the_one_history
from tests.support.generator import START, Generator
from tests.support.oracle_model import DAY
from tests.support.streamed import streaming, wait_until
from tests.support.whole_runs import Target, crowded, parted, shuffled

pytestmark = [pytest.mark.usefixtures("prism_is_there")]
END = START + 40 * DAY
"""No T lies beyond it; a stream to which nothing comes for five seconds gets there."""
PARTS, PATIENCE = 6, 400
READ, REACHED = "SELECT CAST(sum(read) AS BIGINT) FROM run_manifest", "SELECT max(epoch_us(t)) FROM run_manifest"


def a_world_streams_to_one_history(folder: Path, seed: int) -> None:
    """Its facts are written in any order; some parts are waited for, and after some nothing comes until T is at the end."""
    dice = Random(seed)
    world = crowded(Generator(dice, merges=True, scored=True), GROUPS)
    target = Target(folder, world).sharded(dice.choice(SHARDS)).until(END)
    first, *parts = parted(shuffled(world, dice), dice, PARTS)
    target.write(first)
    with streaming(folder) as stream:
        written = len(first)
        for part in parts:
            target.write(part, dice.choice((None, "live")))
            written += len(part)
            if dice.random() < 0.5:
                wait_until(stream, folder, READ, written, patience=PATIENCE, warehouse="lake")
            if dice.random() < 0.3:
                wait_until(stream, folder, REACHED, END, patience=PATIENCE, warehouse="lake")
        wait_until(stream, folder, READ, written, patience=PATIENCE, warehouse="lake")
    tells_the_one_history(target, world)


@pytest.mark.services
@pytest.mark.parametrize("seed", range(4))
def test_a_world_streams_to_the_history_that_the_law_tells(tmp_path: Path, seed: int) -> None:
    a_world_streams_to_one_history(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 160))
def test_many_worlds_stream_to_the_history_that_the_law_tells(tmp_path: Path, seed: int) -> None:
    a_world_streams_to_one_history(tmp_path, seed)
