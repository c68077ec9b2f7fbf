"""Times as text: RFC 3339 to microseconds since the epoch, UTC, and back. Knows no clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros_of(moment: datetime) -> int:
    """Microseconds since the epoch of a datetime with a time zone; ValueError for one without."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} names no time zone: add Z or an offset such as +02:00")
    return (moment - _EPOCH) // _MICROSECOND


def parse_time(text: str) -> int:
    """Microseconds since the epoch of an RFC 3339 time such as ``2026-03-02T10:00:00.250Z``.

    Raises ValueError when it is not one, or names no time zone.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time: write it like 2026-03-02T10:00:00Z") from None
    return micros_of(moment)


def format_time(micros: int) -> str:
    """The RFC 3339 form in UTC, with as many digits as it needs: ``2026-03-02T10:00:00.25Z``.

    A time outside the years 1 to 9999 is given as the number itself.
    """
    try:
        moment = _EPOCH + micros * _MICROSECOND
    except OverflowError:
        return str(micros)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    fraction = f"{moment.microsecond:06d}".rstrip("0")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"
