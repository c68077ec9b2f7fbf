"""Instants as people write them (RFC 3339, or a date), held as whole microseconds since the epoch, UTC.

Parses, formats and types instants. It knows no clock.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer


def parse_instant(text: str) -> int:
    """Microseconds of an RFC 3339 time with a zone, or of a date (its midnight, UTC).

    Raises ValueError when the text is neither, or has a time without a zone.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a time: write it as 2026-11-02T14:05:00Z or 2026-11-02") from None
    if moment.tzinfo is None:
        if len(text.strip()) > 10:
            raise ValueError(f"{text!r} has no time zone: write it as {text.strip()}Z for UTC")
        moment = moment.replace(tzinfo=UTC)
    return _micros(moment)


def format_instant(micros: int) -> str:
    """RFC 3339 in UTC to the microsecond: ``2026-11-02T14:05:00.000000Z``."""
    return (
        datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{micros % 1_000_000:06d}Z"
    )


def _micros(moment: datetime) -> int:
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def _to_micros(value: Any) -> Any:
    if isinstance(value, datetime):
        # YAML gives times with a zone converted to UTC but without one.
        return _micros(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, date):
        return parse_instant(value.isoformat())
    if isinstance(value, str):
        return parse_instant(value)
    raise ValueError(f"{value!r} is not a time: write it as 2026-11-02T14:05:00Z or 2026-11-02")


Instant = Annotated[int, BeforeValidator(_to_micros), PlainSerializer(format_instant, return_type=str)]
"""A pydantic field type: written as RFC 3339 or a date, held as microseconds, written back as RFC 3339."""
