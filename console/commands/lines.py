"""Lines of NDJSON files given to a command, and the complaints about those that hold no event."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from seamwatch.errors import RecordError, UsageError

_SHOWN = 20


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


class Complaints:
    """Names bad lines on standard error, the first twenty, and counts them all."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, error: RecordError) -> None:
        """Complain of one line."""
        self.count += 1
        if self.count <= _SHOWN:
            print(error, file=sys.stderr)

    def finish(self) -> None:
        """Say how many more there were than were named."""
        if self.count > _SHOWN:
            print(f"and {self.count - _SHOWN} more lines that hold no event", file=sys.stderr)
