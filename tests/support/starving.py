"""Publish two made-up runs under limits of the system: `python starving.py FOLDER LIMIT...`, as `size=400` or `files=3`.

`files` counts those that may be opened beside the ones that are open. One interpreter imports everything and forks.
"""

import os
import resource
import sys
from pathlib import Path

from runners.disk import disk_told
from schemas.errors import SegueError
from tests.support.publishing import bring_up, in_child


def limits_of(text: str) -> dict[int, int]:
    """A limit as the system takes it."""
    kind, _, most = text.partition("=")
    if kind == "files":
        return {resource.RLIMIT_NOFILE: len(os.listdir("/proc/self/fd")) + int(most)}  # noqa: PTH208
    return {resource.RLIMIT_FSIZE: int(most)}


def starved(root: Path, limit: str) -> int:
    """The exit code of a child that has the limit; it prints the code of the error that ended it."""
    child = os.fork()
    if child == 0:
        try:
            with disk_told():
                bring_up(root, limits_of(limit))
        except SegueError as error:
            os.write(1, f"{limit} {error.code} ".encode())
            os._exit(error.exit_code)
        os.write(1, f"{limit} done ".encode())
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path, limits: list[str]) -> None:
    """For each limit print how the starved run ended, and the one after it."""
    for limit in limits:
        root = folder / limit / "warehouse"
        root.mkdir(parents=True)
        os.write(1, f"{starved(root, limit)} {in_child(root)}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
