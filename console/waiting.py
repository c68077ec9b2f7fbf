"""How long a command waits for the judge's word, as its option says it."""

from __future__ import annotations


def seconds_of(wait: str) -> float:
    """The seconds that ``--wait`` names, 0 for not at all. Raises UsageError for what is no duration."""
    from seamwatch.durations import SECOND, parse_duration
    from seamwatch.errors import UsageError

    try:
        return 0.0 if wait in ("0", "0s") else parse_duration(wait) / SECOND
    except ValueError as error:
        raise UsageError(f"--wait: {error}") from None
