"""Signs of life: each process that a stream needs touches a file, so that the launcher sees when one is gone.

Not every runner tells: of a worker that was killed between two bundles Prism may wait for ever.
"""

import threading
import uuid
from pathlib import Path

ALIVE = "alive"
"""The folder of the files, where the launcher has made one: in that of the stream."""
_EVERY_S, _SLEPT_S = 1.0, 5.0

_beating = set[Path]()
_lock = threading.Lock()


def live(folder: Path) -> None:
    """From now on give signs of life in the folder of a stream, until that is gone; once a process."""
    place = folder / ALIVE
    with _lock:
        if place in _beating or not place.is_dir():
            return
        _beating.add(place)
    threading.Thread(target=_beat, args=(place / uuid.uuid4().hex,), name="alive", daemon=True).start()


def _beat(path: Path) -> None:
    while _touched(path):
        threading.Event().wait(_EVERY_S)
    with _lock:
        _beating.discard(path.parent)


def _touched(path: Path) -> bool:
    try:
        path.touch()
    except FileNotFoundError:
        return False
    return True


def silent_for(folder: Path) -> float:
    """How long the process that was heard of longest ago has been silent, in seconds, by the clock of the file system.

    Whoever has not listened for a while has perhaps slept, as all others then did: this once nobody is silent.
    """
    own = folder / ALIVE / "launcher"
    listened_at = own.stat().st_mtime if own.exists() else 0.0
    own.touch()
    now_at = own.stat().st_mtime
    heard = [path.stat().st_mtime for path in own.parent.iterdir()]
    return now_at - min(heard) if now_at - listened_at < _SLEPT_S else 0.0
