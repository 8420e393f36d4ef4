"""Stopped by hand, or by who started it: a call ends in order, and what it puts away it puts away to the end."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_HEARD: list[int] = []
"""The signals that have asked this process to stop: what they interrupt may swallow it, in a destructor or deep in a library."""


def end_in_order() -> None:
    """Let SIGTERM, and a terminal that is closed, end a call as Ctrl-C does.

    Killed on the spot it would leave what it has staged, with people in it. What is told not to hear stays so (nohup).
    """
    for one in _SIGNALS:
        if signal.getsignal(one) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(one, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _HEARD.append(number)
    raise KeyboardInterrupt


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Whether a signal has asked to stop, inside or before; a second one stops at once."""
    asked = [*_HEARD]

    def ask(number: int, frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    with answered_by(ask):
        yield lambda: bool(asked)


@contextmanager
def undisturbed() -> Iterator[None]:
    """A signal that asks to stop is not heard inside, where stopping is already under way: people press Ctrl-C twice."""
    with answered_by(signal.SIG_IGN):
        yield


@contextmanager
def heard_afterwards() -> Iterator[None]:
    """A signal that asks to stop is heard when what is inside has ended well: nobody asks a second time."""
    asked = list[int]()
    with answered_by(lambda number, _: asked.append(number)):
        yield
    for number in asked[:1]:
        signal.raise_signal(number)


@contextmanager
def answered_by(handler: "signal._HANDLER") -> Iterator[None]:
    """What asks to stop, and is heard at all, is answered so inside."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    before = {one: signal.signal(one, handler) for one in _SIGNALS if signal.getsignal(one) is not signal.SIG_IGN}
    try:
        yield
    finally:
        for one, own in before.items():
            signal.signal(one, own)
