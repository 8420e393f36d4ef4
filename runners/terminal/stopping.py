"""Stopped by hand, or by who started it: a call ends in order, and what it puts away it puts away to the end."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_in_order() -> None:
    """Let SIGTERM, and a terminal that is closed, end a call as Ctrl-C does.

    Killed on the spot it would leave what it has staged, with people in it. What is told not to hear stays so (nohup).
    """
    for one in SIGNALS:
        if signal.getsignal(one) is signal.SIG_DFL:
            signal.signal(one, signal.default_int_handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """A signal that asks to stop is not heard inside, where stopping is already under way: people press Ctrl-C twice."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    before = [signal.signal(one, signal.SIG_IGN) for one in SIGNALS]
    try:
        yield
    finally:
        for one, handler in zip(SIGNALS, before, strict=True):
            signal.signal(one, handler)
