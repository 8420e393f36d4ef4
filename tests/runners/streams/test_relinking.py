"""Links that arrive while a stream runs: ids that are one lie in one shard, whichever shard their facts had been sent to."""

from pathlib import Path

import pyarrow as pa
import pytest

from runners.streams.relinking import Links
from schemas.record import RawChunk
from tests.support.histories import Fact, expected
from tests.support.merged import FREE, event, instant, link, undo, world
from tests.support.oracle_model import World
from tests.support.streams import Streaming, streaming
from tests.support.whole_runs import Target, versioned
from transforms.packed import linked_by, packed, unpacked
from transforms.shard import shards_of
from transforms.together import read_together, together

SHARDS = 4
SOURCES = {"web": {"kind": "events", "properties": {}}, "ids": {"kind": "identities"}}
ANN = "ann"
DEVICE = next(f"device{n}" for n in range(99) if len({*shards_of(pa.array([ANN, f"device{n}"]), SHARDS)}) == 2)


def told(folder: Path, *cuts: list[Fact], first: list[Fact], meanwhile: bool = False) -> tuple[Target, World]:
    """A stream that was told these facts after those that a run had read, a cut each; or each while the last was published."""
    everything = [*first, *(fact for facts in cuts for fact in facts)]
    said = world(*everything, sources=SOURCES, purposes=[FREE], when={"did": {"event": "buy", "count": ">= 2"}})
    target = Target(folder, said).sharded(SHARDS)
    target.write(first)
    with streaming(target, instant(24)) as live:
        tell(live, cuts, meanwhile)
    return target, said


def tell(live: Streaming, cuts: tuple[list[Fact], ...], meanwhile: bool) -> None:
    for number, facts in enumerate(cuts):
        if meanwhile and number:
            live.commit(instant(25 + number), meanwhile=facts)
        else:
            live.tell(facts)
            live.commit(instant(25 + number)) if not meanwhile else None
    live.commit(instant(48))


def is_as_the_law_says(target: Target, said: World) -> bool:
    last = target.runs()[-1]
    history = target.history()
    return history == versioned(expected(said, last.t_at, last.known_at)) and target.folded() == history


BOUGHT = [event(1, DEVICE), event(2, ANN)]
LINK = link(5, DEVICE, ANN, received=24)


def test_who_is_linked_while_a_stream_runs_is_one_subject_from_then_on(tmp_path: Path) -> None:
    target, said = told(tmp_path, [LINK], first=BOUGHT)
    assert target.history() == {("it@1", ANN): [(instant(5), None)]}
    assert is_as_the_law_says(target, said)


def test_a_link_and_the_facts_that_it_connects_may_arrive_in_one_cut(tmp_path: Path) -> None:
    target, said = told(tmp_path, [*BOUGHT, LINK], first=[event(3, "bob")])
    assert target.history() == {("it@1", ANN): [(instant(5), None)]}
    assert is_as_the_law_says(target, said)


def test_what_is_read_while_a_link_is_published_belongs_to_whom_it_leads(tmp_path: Path) -> None:
    target, said = told(tmp_path, [LINK], [event(24.5, DEVICE)], first=BOUGHT[1:], meanwhile=True)
    assert target.history() == {("it@1", ANN): [(instant(24.5), None)]}
    assert is_as_the_law_says(target, said)


def test_what_is_read_after_a_link_was_published_is_sent_where_it_belongs(tmp_path: Path) -> None:
    target, said = told(tmp_path, [LINK], [event(25, ANN)], [event(26, DEVICE)], first=BOUGHT[:1])
    assert is_as_the_law_says(target, said)


def test_a_link_that_is_undone_while_a_stream_runs_restores_what_was(tmp_path: Path) -> None:
    target, said = told(tmp_path, [LINK], [undo(25, DEVICE)], [event(26, DEVICE)], first=BOUGHT)
    assert target.history() == {("it@1", ANN): [(instant(5), instant(25))], ("it@1", DEVICE): [(instant(26), None)]}
    assert is_as_the_law_says(target, said)


def test_a_correction_by_a_late_link_says_so(tmp_path: Path) -> None:
    target, _ = told(tmp_path, [LINK], first=BOUGHT)
    rows = target.rows("SELECT subject, kind, reason, member, epoch_us(effective_at) FROM segment_changes")
    assert rows == [(ANN, "corrected", "identity", True, instant(5))]


def test_of_whom_a_new_link_moves_what_was_published_is_corrected_once(tmp_path: Path) -> None:
    twice = [event(1, DEVICE), event(2, DEVICE), event(3, ANN)]
    target, said = told(tmp_path, [LINK], [event(25, DEVICE)], first=twice)
    rows = target.rows("SELECT subject, kind, member FROM segment_changes ORDER BY known_at, effective_at, subject")
    assert rows == [(DEVICE, "entered", True), (ANN, "corrected", True), (DEVICE, "corrected", False)]
    assert is_as_the_law_says(target, said)


LINKED = pa.table({"subject": [DEVICE], "to_id": [ANN]})


def test_readers_hear_of_links_only_where_somebody_goes_to_another_shard(tmp_path: Path) -> None:
    links = Links(tmp_path, LINKED.slice(0, 0))
    links.publish(links.read(LINKED), 1, shards=1)
    assert links.path == ""
    links = Links(tmp_path, LINKED.slice(0, 0))
    links.publish(links.read(LINKED), 2, SHARDS)
    assert read_together(Path(links.path)).ids.to_pylist() == together(LINKED).ids.to_pylist()


def test_a_cut_is_split_by_the_links_that_were_known_when_it_was_opened(tmp_path: Path) -> None:
    links = Links(tmp_path, LINKED.slice(0, 0))
    before = links.now
    links.split(1)
    links.split(2)
    links.publish(links.read(LINKED), 1, SHARDS)
    links.split(3)
    assert links.split_by(2) is before
    assert links.split_by(3) is links.now is not before


def test_links_lie_in_a_file_only_as_long_as_a_cut_is_split_by_them(tmp_path: Path) -> None:
    links, paths = Links(tmp_path, LINKED.slice(0, 0)), []
    for number in range(1, 5):
        links.split(number)
        links.publish(links.read(pa.table({"subject": [f"device{number}", DEVICE], "to_id": [f"u{number}", ANN]})), number, 1_000)
        paths.append(Path(links.path))
    assert [path.exists() for path in paths] == [False, False, False, True]
    links.split(5)
    links.split(6)
    links.publish(links.read(pa.table({"subject": ["new"], "to_id": ["old"]})), 5, 1_000)
    assert paths[-1].exists()
    assert links.path != str(paths[-1])


@pytest.mark.parametrize("path", ["", "/somewhere/linked.arrow"])
def test_a_chunk_says_by_which_links_it_is_to_be_split(path: str) -> None:
    chunk = RawChunk("web", "a", "ndjson", 1, pa.array([b"{}"]))
    assert linked_by(packed(chunk, path)) == path
    assert unpacked(packed(chunk, path)).records == chunk.records
