"""Durations as people agree them (``90s``, ``15m``, ``26h``, ``7d``), held as whole microseconds.

Parses, formats and types durations. It knows no clock.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_UNITS = {"ms": 1_000, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_PATTERN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)\s*")
_ZERO = re.compile(r"\s*0+(?:ms|s|m|h|d|w)\s*")


@lru_cache(maxsize=1024)
def parse_duration(text: str) -> int:
    """Microseconds of a duration such as ``90s``, ``1h30m`` or ``7d``.

    Raises ValueError when the text is not one or more of number and unit (ms, s, m, h, d, w), or is zero.
    """
    position, total = 0, 0.0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise ValueError(f"{text!r} is not a duration: write a number and a unit, such as 90s, 15m, 26h or 7d")
        total += float(match.group(1)) * _UNITS[match.group(2)]
        position = match.end()
    if total < 1:
        raise ValueError(f"{text!r} is not a duration: it must be longer than zero")
    return round(total)


def format_duration(micros: int, bound: int | None = None) -> str:
    """A duration in the reader's words, two units at most: ``9 d 2 h``, ``26 h``, ``1 h 30 m``, ``4 s``, ``200 ms``.

    Hours are kept up to 48, since that is how people agree them (26 h, not 1 d 2 h). What would read as the ``bound``
    that it is not is ``just over`` or ``just under`` it.
    """
    if bound is not None and micros != bound and format_duration(micros) == format_duration(bound):
        return f"just {'over' if micros > bound else 'under'} {format_duration(bound)}"
    if micros < 0:
        return "-" + format_duration(-micros)
    if micros < SECOND:
        return f"{micros // 1_000} ms"
    if micros > 48 * HOUR:
        days, rest = divmod(micros, DAY)
        hours = rest // HOUR
        return f"{days} d {hours} h" if hours else f"{days} d"
    if micros >= HOUR:
        hours, rest = divmod(micros, HOUR)
        minutes = rest // MINUTE
        return f"{hours} h {minutes} m" if minutes else f"{hours} h"
    if micros >= MINUTE:
        minutes, rest = divmod(micros, MINUTE)
        seconds = rest // SECOND
        return f"{minutes} m {seconds} s" if seconds else f"{minutes} m"
    seconds, rest = divmod(micros, SECOND)
    return f"{seconds} s" if seconds >= 10 or rest < 100_000 else f"{micros / SECOND:.1f} s"


def compact_duration(micros: int) -> str:
    """A duration as it is written in a document: the largest unit that holds it whole (``26h``, ``90s``)."""
    for unit in ("d", "h", "m", "s", "ms"):
        if micros % _UNITS[unit] == 0:
            return f"{micros // _UNITS[unit]}{unit}"
    return f"{micros / 1_000}ms"


def _to_micros(value: Any) -> Any:
    # A bare number has no unit, and guessing one is how an agreed 26 hours becomes 26 seconds.
    if isinstance(value, str):
        return parse_duration(value)
    raise ValueError(f"{value!r} is not a duration: write a number and a unit in quotes or plain, such as 90s or 26h")


Duration = Annotated[int, BeforeValidator(_to_micros), PlainSerializer(compact_duration, return_type=str)]
"""A pydantic field type: written ``26h``, held as microseconds, written back as ``26h``."""


def _to_micros_or_never(value: Any) -> Any:
    return 0 if isinstance(value, str) and _ZERO.fullmatch(value) else _to_micros(value)


DurationOrNever = Annotated[
    int, BeforeValidator(_to_micros_or_never), PlainSerializer(compact_duration, return_type=str)
]
"""The same of how often something is done again, where ``0s`` means never; held as 0."""
