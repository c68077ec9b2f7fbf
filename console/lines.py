"""Lines of NDJSON files given to a command, complaints about those that hold no event, and how far it has come."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from seamwatch.errors import RecordError, UsageError
from seamwatch.printable import printable

_SHOWN = 20
_TELL_EVERY = 2.0


def lines_of(name: str) -> Iterator[bytes]:
    """The lines of a file, or of standard input for ``-``; UsageError when it cannot be read."""
    if name == "-":
        yield from sys.stdin.buffer
        return
    try:
        with Path(name).open("rb") as file:
            yield from file
    except OSError as error:
        raise UsageError(
            f"{name}: cannot be read: {error.strerror}; give NDJSON files or - for standard input"
        ) from None


def named(error: RecordError, place: str) -> RecordError:
    """An error of a line that says which line it is."""
    return error if str(error).startswith(f"{place}: ") else RecordError(f"{place}: {error}")


class Complaints:
    """Names bad lines on standard error, the first twenty, and counts them all."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, error: RecordError) -> None:
        """Complain of one line."""
        self.count += 1
        if self.count <= _SHOWN:
            print(printable(str(error)), file=sys.stderr)

    def finish(self) -> None:
        """Say how many more there were than were named."""
        if self.count > _SHOWN:
            print(f"and {self.count - _SHOWN} more lines that hold no event", file=sys.stderr)


class Progress:
    """Says on standard error, every two seconds, how far a long run has come."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._next = time.monotonic() + _TELL_EVERY

    def tell(self, count: int, share: float | None = None) -> None:
        """So many are done; ``share`` is how much of the whole that is, from 0 to 1, where it is known."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _TELL_EVERY
            of_all = "" if share is None else f" ({share:.0%})"
            print(f"{count} {self._what}{of_all}", file=sys.stderr)
