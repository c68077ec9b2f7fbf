"""Panics: keeps what a Rust decoder prints when it panics on bad bytes off the standard error.

A panic is caught and answered like any other error, but Rust's own message has then been printed already, and
one per bad record would bury the log. While withheld, everything written to file descriptor 2 is set aside, and
all but the panic messages is written out directly after. Several threads may withhold at once.
"""

from __future__ import annotations

import atexit
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

_PANIC = re.compile(rb"thread '[^']*'.* panicked at .*")
_BACKTRACE = re.compile(rb"stack backtrace:|\s+\d+: .*|\s+at .*|note: (run with|Some details).*|\s*")


def _without_panics(said: bytes) -> bytes:
    """What was said but for panics: their first line, the message on the next, and the backtrace.

    Line by line, since other threads may have written in between.
    """
    if not _PANIC.search(said):
        return said
    kept: list[bytes] = []
    message_next = False
    for line in said.splitlines(keepends=True):
        if _PANIC.match(line):
            message_next = True
        elif message_next:
            message_next = False
        elif not _BACKTRACE.fullmatch(line.rstrip(b"\n")):
            kept.append(line)
    return b"".join(kept)


class _Withholding:
    """The state of the process's standard error: how many withhold, the real one, and what is set aside."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.depth = 0
        self.real = -1
        self.aside: IO[bytes] | None = None

    def enter(self) -> None:
        with self.lock:
            if self.depth == 0:
                if self.aside is None:
                    self.aside = tempfile.TemporaryFile()  # noqa: SIM115 - kept for the next time
                    atexit.register(self.aside.close)
                self.real = os.dup(2)
                os.dup2(self.aside.fileno(), 2)
            self.depth += 1

    def leave(self) -> None:
        with self.lock:
            self.depth -= 1
            if self.depth or self.aside is None:
                return
            os.dup2(self.real, 2)
            os.close(self.real)
            size = os.lseek(self.aside.fileno(), 0, os.SEEK_CUR)
            if size:
                self.aside.seek(0)
                said = _without_panics(self.aside.read(size))
                self.aside.seek(0)
                self.aside.truncate()
                if said:
                    os.write(2, said)


_withholding = _Withholding()


@contextmanager
def panics_withheld() -> Iterator[None]:
    """Withhold panic messages while the block runs; costs about ten microseconds."""
    _withholding.enter()
    try:
        yield
    finally:
        _withholding.leave()
