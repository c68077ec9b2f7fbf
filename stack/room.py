"""Room: whether the disk that a folder lies on has some left, and the words in which that is told. Changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

_MIB: Final = 1024 * 1024
FULL_BYTES: Final = 16 * _MIB
"""With less than this a server is not worth starting: it would fail, and again, and take what is left."""
ENOUGH_BYTES: Final = 2 * FULL_BYTES
"""A disk that was full has room again with this much."""


class Room:
    """The room that a folder has. It is full below one mark, and has room again above a higher one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.is_full = False

    def look(self) -> str | None:
        """Look, and what there is to say of it: that the disk has become full, or has room again; else None."""
        free = free_bytes(self._folder)
        if free is None:
            return None
        if not self.is_full and free < FULL_BYTES:
            self.is_full = True
            return f"{full(self._folder, free)}: what needs room waits, and goes on by itself when there is some"
        if self.is_full and free >= ENOUGH_BYTES:
            self.is_full = False
            return f"the disk that {self._folder} lies on has room again, {_shown(free)}"
        return None


def free_bytes(folder: Path) -> int | None:
    """How much may still be written where a folder is, or would be; None when nobody can tell."""
    nearest = next((path for path in (folder, *folder.parents) if path.exists()), None)
    try:
        return None if nearest is None else shutil.disk_usage(nearest).free
    except OSError:
        return None


def full(folder: Path, free: int) -> str:
    """That a disk is full, in words."""
    return f"the disk that {folder} lies on is full, {_shown(free)} left"


def _shown(size: int) -> str:
    return f"{size / _MIB:,.0f} MB" if size >= _MIB else f"{size // 1024} kB"
