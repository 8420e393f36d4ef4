"""Processes beside the tests: on ports of their own, and gone when the tests are."""

import ctypes
import signal
import socket
import sys

_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG."""


def end_with_parent() -> None:
    """Let the system end this process when the tests are killed, who could not stop it any more."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on; held all at once, so that they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports
