"""Waiting: how long a command waits for the judge, as its option says it."""

from __future__ import annotations

from seamwatch.durations import SECOND, parse_duration
from seamwatch.errors import UsageError


def seconds_of(wait: str) -> float:
    """The seconds of a --wait; 0 for ``0`` or ``0s``. Raises UsageError for what is no duration."""
    try:
        return 0.0 if wait in ("0", "0s") else parse_duration(wait) / SECOND
    except ValueError as error:
        raise UsageError(f"--wait: {error}") from None
