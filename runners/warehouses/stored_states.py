"""State files in a store that Beam knows, such as gs://BUCKET/FOLDER."""

import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from apache_beam.io.filesystem import FileMetadata
from apache_beam.io.filesystems import FileSystems

from runners.warehouses.states import FOLDER, GRACE_S, LocalStates, StateFile, States, run_of
from schemas.errors import JobFailed, TryAgain
from transforms.faults import reach
from transforms.places import REMOTE


def states_at(base: str) -> States:
    """The states below a folder or an address, which writers of several machines share."""
    return StoredStates(base.rstrip("/")) if REMOTE in base else LocalStates(Path(base), GRACE_S)


class StoredStates(States):
    """States in a store that Beam knows: each is there whole, or not at all."""

    def __init__(self, base: str, grace_s: float = GRACE_S) -> None:
        self.base, self.grace_s = base, grace_s

    def place(self, path: str) -> str:
        """Where a file lies."""
        return f"{self.base}/{path}"

    def take(self, staged: Path, run_id: str) -> list[StateFile]:
        """Copy the files."""
        for path in sorted(staged.glob("*.arrow")):
            with path.open("rb") as file, self._told(), FileSystems.create(self.place(f"{FOLDER}/{run_id}/{path.name}")) as copy:
                shutil.copyfileobj(file, copy, 1 << 20)
            reach("state_copied")
        found = {self._path(one): int(one.size_in_bytes) for one in self._listed(f"{FOLDER}/{run_id}/*.arrow")}
        return [StateFile(path, size, self.digest(path)) for path, size in sorted(found.items())]

    def placed(self, run_id: str) -> list[str]:
        """The files of a run."""
        return sorted(map(self._path, self._listed(f"{FOLDER}/{run_id}/*.arrow")))

    def size(self, path: str) -> int | None:
        """The size of a file."""
        return next((int(one.size_in_bytes) for one in self._listed(path)), None)

    def drop(self, named: Collection[str], published: Collection[str] = ()) -> int:
        """Remove files that are old enough."""
        there = [(one, run_of(self._path(one))) for one in self._listed(f"{FOLDER}/*/*.arrow")]
        left = [(one, run_id) for one, run_id in there if self._path(one) not in named]
        dead = [one.path for one, run_id in left if one.last_updated_in_seconds <= self._oldest(run_id, published)]
        if dead:
            with self._told():
                FileSystems.delete(dead)
        return len({path.rpartition("/")[0] for path in dead})

    def _path(self, file: FileMetadata) -> str:
        return str(file.path.removeprefix(f"{self.base}/"))

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            hint = "for gs:// pip install 'segue[gcp]'"
            raise JobFailed("SEG-0630", f"no file system for `{self.base}` is installed", hint) from error
        except Exception as error:
            hint = "see that it is there and open to this user, then try again"
            raise TryAgain("SEG-0605", f"states can not be kept or read at `{self.base}`", hint) from error

    def _listed(self, pattern: str) -> Sequence[FileMetadata]:
        with self._told():
            return FileSystems.match([self.place(pattern)])[0].metadata_list
