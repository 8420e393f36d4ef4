"""States lie in a bucket as they lie in a folder: there when a commit names them, and gone when nobody can need them."""

from pathlib import Path

import pytest

from runners.warehouses.states import StateFile
from runners.warehouses.stored_states import StoredStates, states_at
from schemas.errors import TryAgain
from tests.runners.test_laws import one_history_and_its_record
from tests.services.test_bigquery import InBigQuery

pytestmark = pytest.mark.services
HASH = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def staged(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        (folder / f"{name}.arrow").write_text(content)
    return folder


def test_files_of_a_run_are_copied_and_told_with_their_hashes(bucket: str, tmp_path: Path) -> None:
    states = states_at(f"{bucket}/told")
    (file,) = states.take(staged(tmp_path, **{"0007": "hello"}), "run1")
    assert file == StateFile("state/run1/0007.arrow", 5, HASH)
    assert (states.placed("run1"), states.size(file.path), states.digest(file.path)) == ([file.path], 5, HASH)
    assert states.size("state/run1/0008.arrow") is None


def test_a_publication_that_died_in_between_is_gone_on_with(bucket: str, tmp_path: Path) -> None:
    states = states_at(f"{bucket}/again")
    states.take(staged(tmp_path, **{"0000": "a"}), "run1")
    (tmp_path / "0000.arrow").unlink()
    found = states.take(staged(tmp_path, **{"0001": "b"}), "run1")
    assert [file.path for file in found] == ["state/run1/0000.arrow", "state/run1/0001.arrow"]


def test_states_that_no_commit_names_go_when_they_are_a_day_old(bucket: str, tmp_path: Path) -> None:
    states = states_at(f"{bucket}/dropped")
    for run in ("run1", "run2"):
        states.take(staged(tmp_path, **{"0000": run}), run)
    assert states.drop(["state/run2/0000.arrow"]) == 0
    assert StoredStates(f"{bucket}/dropped", grace_s=-60).drop(["state/run2/0000.arrow"]) == 1
    assert (states.placed("run1"), states.placed("run2")) == ([], ["state/run2/0000.arrow"])


def test_a_bucket_that_is_not_there_is_told(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(TryAgain, match="SEG-0605"):
        states_at(f"{bucket}-of-nobody").take(staged(tmp_path, **{"0000": "a"}), "run1")


def test_one_history_with_states_in_a_bucket(dataset: str, bucket: str, tmp_path: Path) -> None:
    one_history_and_its_record(tmp_path, 4, lambda folder, world: InBigQuery(folder, world, dataset, bucket))
