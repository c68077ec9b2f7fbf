"""Tallies: what a process took for delivery and what became of it, on disk, so that a kill cannot hide a loss.

A process writes its two numbers into a mapped file of the spool's folder, which outlives it however it ends. Whoever
comes next reads how many events the dead one had taken and neither delivered nor put on disk. Counts only; the events
themselves are the spool's.

A file is ``SWTALLY1``, then two unsigned numbers of 8 bytes, big-endian: how many were taken, how many are settled
(delivered, spooled, dropped or never made). It is locked while its owner lives, and removed by an orderly end.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import struct
from pathlib import Path

from seamwatch.wire.events import new_event_id

_MAGIC = b"SWTALLY1"
_NUMBERS = struct.Struct(">QQ")
_TAKEN = struct.Struct(">Q")
_SIZE = len(_MAGIC) + _NUMBERS.size


class Tally:
    """The numbers of this process. Where the disk takes no file they are kept nowhere, and nothing else changes."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{new_event_id()}.tally"
        self._descriptor = -1
        self._map: mmap.mmap | None = None
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Written, not only grown: a mapped page that finds no room on disk would end the process.
            os.pwrite(self._descriptor, _MAGIC + _NUMBERS.pack(0, 0), 0)
            self._map = mmap.mmap(self._descriptor, _SIZE)

    def taken(self, number: int) -> None:
        """So many events were taken so far."""
        if self._map is not None:
            _TAKEN.pack_into(self._map, len(_MAGIC), number)

    def settled(self, number: int) -> None:
        """So many of them are settled so far; below zero where one can be seen waiting that was not counted yet."""
        if self._map is not None:
            _TAKEN.pack_into(self._map, len(_MAGIC) + _TAKEN.size, max(0, number))

    def let_go(self) -> None:
        """Close this process's copy of the file and leave it as it is: for a child after a fork."""
        # Not closed but dropped: another thread may be writing a number at this moment.
        self._map = None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def close(self) -> None:
        """An orderly end: nothing is left to tell."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        self.let_go()


def lost_by_the_dead(folder: Path) -> int:
    """How many events processes that are gone had taken and not settled; each is told once, to one process.

    An event that the broker took in the very moment of the kill is among them: at most so many were lost.
    """
    return sum(_taken_over(path) for path in sorted(folder.glob("*.tally")))


def _taken_over(path: Path) -> int:
    descriptor = -1
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.fstat(descriptor).st_nlink:
            return 0
        content = os.pread(descriptor, _SIZE, 0)
        path.unlink(missing_ok=True)
    except OSError:
        # Its owner lives, or another process has just taken it over.
        return 0
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    if len(content) < _SIZE or not content.startswith(_MAGIC):
        return 0
    taken, settled = _NUMBERS.unpack_from(content, len(_MAGIC))
    return max(int(taken) - int(settled), 0)
