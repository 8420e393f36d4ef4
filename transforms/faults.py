"""Named points at which a test may kill the process, as a power cut would."""

import os
import signal
from collections import Counter
from pathlib import Path

VARIABLE = "SEGUE_FAULT"
LOG_VARIABLE = "SEGUE_FAULT_LOG"
SIGNAL_VARIABLE = "SEGUE_FAULT_SIGNAL"

_passed: Counter[str] = Counter()


def reach(point: str) -> None:
    """Die here by SIGKILL if SEGUE_FAULT names `point`, or `point:n` at its n-th passage; otherwise do nothing.

    SEGUE_FAULT_SIGNAL names another signal: SIGINT is Ctrl-C.
    That it fired is first written to the file named by SEGUE_FAULT_LOG: a fault that never fires must fail its test.
    """
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    name, _, passage = wanted.partition(":")
    if name != point:
        return
    _passed[point] += 1
    if _passed[point] == int(passage or 1):
        _record(wanted)
        os.kill(os.getpid(), signal.Signals[os.environ.get(SIGNAL_VARIABLE, "SIGKILL")])


def _record(fired: str) -> None:
    log = os.environ.get(LOG_VARIABLE)
    if log:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{fired}\n")
            file.flush()
            os.fsync(file.fileno())
