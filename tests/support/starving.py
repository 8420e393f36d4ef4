"""Publish two made-up runs while the system refuses something: `python starving.py FOLDER WHAT...`.

`size=400`: no file grows beyond it. `files=3`: so many more may be opened. `write=EIO`: a call that fails.
`held=catalog`: another process has it, for longer than it is waited for.
One interpreter imports everything and forks.
"""

import os
import resource
import sys
from pathlib import Path

from runners.disk import disk_told
from runners.warehouses.failures import CATALOG
from schemas.errors import SegueError
from tests.support.holding import begin_to_hold
from tests.support.publishing import bring_up, in_child
from tests.support.refusing import refuse

PATIENCE_S = 0.3


def narrow(root: Path, what: str) -> None:
    """Let the system refuse it to this process."""
    kind, _, most = what.partition("=")
    if kind == "size":
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
    elif kind == "files":
        beside = len(os.listdir("/proc/self/fd")) + int(most)  # noqa: PTH208
        resource.setrlimit(resource.RLIMIT_NOFILE, (beside, beside))
    elif kind == "held":
        begin_to_hold("catalog", root / CATALOG)
    else:
        refuse(kind, most)


def starved(root: Path, what: str) -> int:
    """The exit code of a child to which this is refused; it prints the code of the error that ended it."""
    child = os.fork()
    if child == 0:
        try:
            with disk_told():
                bring_up(root, lambda: narrow(root, what), PATIENCE_S)
        except SegueError as error:
            os.write(1, f"{what} {error.code} ".encode())
            os._exit(error.exit_code)
        os.write(1, f"{what} done ".encode())
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path, refused: list[str]) -> None:
    """For each print how the starved run ended, and the one after it."""
    for what in refused:
        root = folder / what / "warehouse"
        root.mkdir(parents=True)
        os.write(1, f"{starved(root, what)} {in_child(root)}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
