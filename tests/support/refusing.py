"""Let the system refuse a call of this process from now on, as a disk that fails or is full does: by a filter of seccomp."""

import ctypes
import errno
import platform
import struct
import sys

CALLS = {"read": 0, "write": 1, "fsync": 74, "fdatasync": 75, "rename": 82, "openat": 257}
"""Their numbers on x86-64."""
IS_POSSIBLE = sys.platform == "linux" and platform.machine() == "x86_64"
_SECCOMP, _SET_FILTER, _ALL_THREADS = 317, 1, 1
_NO_NEW_PRIVILEGES = 38
_LOAD, _IS, _IS_ABOVE, _RETURN = 0x20, 0x15, 0x25, 0x06
_NUMBER, _DESCRIPTOR = 0, 16
"""Where a filter finds which call it is, and its first argument."""
_ALLOWED, _REFUSED = 0x7FFF0000, 0x00050000
_STANDARD = 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def refuse(call: str, error: str) -> None:
    """Refuse a call with an error, in all threads; what is said on stdout and stderr is heard all the same."""
    steps = (
        (_LOAD, 0, 0, _NUMBER),
        (_IS, 0, 3, CALLS[call]),
        (_LOAD, 0, 0, _DESCRIPTOR),
        (_IS_ABOVE, 0, 1, _STANDARD),
        (_RETURN, 0, 0, _REFUSED | getattr(errno, error)),
        (_RETURN, 0, 0, _ALLOWED),
    )
    packed = b"".join(struct.pack("HBBI", *step) for step in steps)
    program, libc = _Program(len(steps), packed), ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
    assert libc.syscall(_SECCOMP, _SET_FILTER, _ALL_THREADS, ctypes.byref(program)) == 0, ctypes.get_errno()
