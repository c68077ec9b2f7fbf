"""Instants as people and machines write them (RFC 3339, or a date), held as whole microseconds since the epoch, UTC.

Parses, formats and types instants. It knows no clock.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer

_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME: Final = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]+))?(?P<zone>[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2}):(?P<minutes>[0-9]{2}))?"
)
_EPOCH: Final = date(1970, 1, 1).toordinal()
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_LEAP_SECOND: Final = 60
_SHOWN: Final = 40


def parse_time(text: str) -> int:
    """Microseconds of a time as RFC 3339 has it: ``2026-11-02T14:05:00Z``, ``2026-11-02 15:05:00.25+01:00``.

    The date, ``T``, ``t`` or one blank, hours to seconds, any fraction (what is finer than a microsecond is cut off),
    and ``Z``, ``z`` or an offset. A leap second (``23:59:60`` UTC on the last day of a month) is the instant after it,
    as clocks that know none have it. Raises ValueError, which says what is missing, for anything else, a date among it.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        if _DATE.fullmatch(text):
            raise ValueError(f"{text!r} is a date: write the time of day as well, as in {text}T14:05:00Z")
        raise ValueError(f"{_quoted(text)} is not a time: write it as 2026-11-02T14:05:00Z")
    if match["zone"] is None:
        raise ValueError(f"{text!r} has no time zone: write it as {text}Z for UTC")
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"])
    hours, minutes = int(match["hours"] or 0), int(match["minutes"] or 0)
    if hour > 23 or minute > 59 or second > _LEAP_SECOND or hours > 23 or minutes > 59:
        raise ValueError(f"{_quoted(text)} is not a time: there is no such time of day")
    offset = (hours * _HOUR + minutes * _MINUTE) * (-1 if match["sign"] == "-" else 1)
    seconds = _days(text, match["date"]) * _DAY + hour * _HOUR + minute * _MINUTE + second - offset
    if second == _LEAP_SECOND and not _ends_a_month(seconds):
        raise ValueError(f"{_quoted(text)} is not a time: there is no leap second then")
    return seconds * 1_000_000 + int((match["fraction"] or "")[:6].ljust(6, "0"))


def parse_instant(text: str) -> int:
    """Microseconds of a time as `parse_time` takes it, or of a date (its midnight, UTC).

    Raises ValueError when the text is neither, or has a time without a zone.
    """
    if _DATE.fullmatch(text):
        return _days(text, text) * _DAY * 1_000_000
    try:
        return parse_time(text)
    except ValueError as error:
        raise ValueError(str(error).replace("write it as 2026-11-02T14:05:00Z", _EITHER)) from None


_EITHER: Final = "write it as 2026-11-02T14:05:00Z or 2026-11-02"


def _days(text: str, written: str) -> int:
    """Days since the epoch of a date that is written as one."""
    try:
        return date.fromisoformat(written).toordinal() - _EPOCH
    except ValueError:
        raise ValueError(f"{_quoted(text)} is not a time: there is no such day") from None


def _ends_a_month(seconds: int) -> bool:
    """Whether these are the first seconds of a month; no date beyond what a calendar holds does."""
    days, rest = divmod(seconds, _DAY)
    if rest:
        return False
    try:
        return date.fromordinal(days + _EPOCH).day == 1
    except (ValueError, OverflowError):
        return False


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…")


def format_instant(micros: int) -> str:
    """RFC 3339 in UTC to the microsecond: ``2026-11-02T14:05:00.000000Z``."""
    moment = datetime.fromtimestamp(micros // 1_000_000, UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='seconds')}.{micros % 1_000_000:06d}Z"


def _micros(moment: datetime) -> int:
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * _DAY + delta.seconds) * 1_000_000 + delta.microseconds


def _to_micros(value: Any) -> Any:
    if isinstance(value, datetime):
        # YAML gives times with a zone converted to UTC but without one.
        return _micros(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, date):
        return parse_instant(value.isoformat())
    if isinstance(value, str):
        return parse_instant(value)
    raise ValueError(f"{value!r} is not a time: {_EITHER}")


Instant = Annotated[int, BeforeValidator(_to_micros), PlainSerializer(format_instant, return_type=str)]
"""A pydantic field type: written as RFC 3339 or a date, held as microseconds, written back as RFC 3339."""
