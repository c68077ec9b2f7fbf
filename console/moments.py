"""Times as options of commands take them: a duration back from now, or an instant."""

from __future__ import annotations

from seamwatch.durations import parse_duration
from seamwatch.errors import UsageError
from seamwatch.instants import parse_instant


def moment_of(option: str, text: str | None, *, back: bool = True) -> int | None:
    """The time (micros) that an option names, None for none; with ``back`` durations back from now are times too.

    Raises UsageError, which names the option, for what is neither.
    """
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        reason = error
    if not back:
        raise UsageError(f"{option}: {reason}")
    from seamwatch.settings import load_settings

    try:
        return load_settings().clock().now() - parse_duration(text)
    except ValueError:
        raise UsageError(
            f"{option} {text}: write a duration such as 24h, or a time such as 2026-03-02T10:00:00Z"
        ) from None
