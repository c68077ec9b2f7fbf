"""Values: rows as lines of JSON that are the same on every machine, and may be compared byte by byte. Pure."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from seamwatch.instants import format_instant
from sinks.store.questions.rows import micros, record

if TYPE_CHECKING:
    import polars as pl


def line(row: Mapping[str, Any]) -> bytes:
    """A row as one line of JSON: times as RFC 3339, bytes in base64, and as text what is no number of JSON's."""
    try:
        return _ENCODE(row).encode() + b"\n"
    except ValueError:  # a number that JSON has not, which is seldom
        return _ENCODE(_plain(row)).encode() + b"\n"


def answered(row: Any) -> dict[str, Any]:
    """A row of a question's answer, by its fields; one that is no dataclass is fields already."""
    if is_dataclass(row) and not isinstance(row, type):
        found = record(row)
        # What stands within a row in rows of its own is not told by `record`.
        return {each.name: _of_row(found[each.name]) for each in fields(row)}
    return dict(row)


def lines(frame: pl.DataFrame) -> Iterator[bytes]:
    """The rows of a frame, a line each."""
    for row in frame.iter_rows(named=True):
        yield line(row)


def _of_row(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return answered(value)
    return [_of_row(each) for each in value] if isinstance(value, list | tuple) else value


def _other(value: Any) -> Any:
    """What JSON has no form of."""
    if isinstance(value, datetime):
        return format_instant(micros(value))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} has no form in JSON")


def _plain(value: Any) -> Any:
    """A value with texts for the numbers that JSON has not."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


_ENCODE: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False, default=_other
).encode
