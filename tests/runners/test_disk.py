"""What the system says of files, told as what it is."""

import pytest

from runners.disk import disk_told
from schemas.errors import JobFailed

FROM_THE_GRAPH = "PermissionError: [Errno 13] Permission denied: '/data/a.ndjson' [while running 'Read-ptransform-7']"


@pytest.mark.parametrize("said", [PermissionError(13, "Permission denied", "/data/a.ndjson"), RuntimeError(FROM_THE_GRAPH)])
def test_a_file_that_is_closed_is_told_by_its_name(said: Exception) -> None:
    with pytest.raises(JobFailed, match=r"`/data/a\.ndjson` is closed to this user") as told, disk_told():
        raise said
    assert told.value.code == "SEG-0616"


@pytest.mark.parametrize("said", [OSError(28, "No space left on device"), RuntimeError("OSError: [Errno 28] No space left")])
def test_a_full_disk_is_told(said: Exception) -> None:
    with pytest.raises(JobFailed, match="is the disk full"), disk_told():
        raise said


@pytest.mark.parametrize(("number", "code"), [(5, "SEG-0625"), (24, "SEG-0624"), (23, "SEG-0624")])
@pytest.mark.parametrize("is_of_graph", [True, False])
def test_a_disk_that_fails_and_files_that_are_too_many_are_told(number: int, code: str, is_of_graph: bool) -> None:
    said = OSError(number, "no")
    with pytest.raises(JobFailed) as told, disk_told():
        raise RuntimeError(f"OSError: {said} [while running 'Read-ptransform-7']") if is_of_graph else said
    assert told.value.code == code


@pytest.mark.parametrize("said", [FileNotFoundError(2, "No such file", "x"), RuntimeError("a rule is broken")])
def test_anything_else_is_left_as_it_is(said: Exception) -> None:
    with pytest.raises(type(said)) as left, disk_told():
        raise said
    assert left.value is said
