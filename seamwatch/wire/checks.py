"""Checks: whether a record's values have the types and keep the bounds that its schema declares.

Checks and, where a value is of another library's type (a datetime, a NumPy scalar), converts. Single records
only; `seamwatch.columnar` has the same bounds in bulk.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

from seamwatch.errors import BrokenText, OutOfBounds, RecordError
from seamwatch.wire.identities import identify
from seamwatch.wire.schemas import REQUIRED, Field, Schema, nearest, schema

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTEGER_BOUNDS = {"int": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}
_PAIR = 2
_OTHER_UNITS = (("seconds", 1_000_000), ("milliseconds", 1_000), ("nanoseconds", Fraction(1, 1_000)))
_PLAUSIBLE = (946_684_800_000_000, 4_102_444_800_000_000)
_EXACT = {"string": str, "boolean": bool, "double": float, "bytes": bytes}
_SAID = {
    "string": "text",
    "boolean": "true or false",
    "int": "a whole number",
    "long": "a whole number",
    "double": "a number",
    "bytes": "bytes",
    "array": "a list",
    "record": "an object",
}


@cache
def bounded_fields(record_type: str) -> tuple[Field, ...]:
    """The fields of a record type whose values have bounds: numbers, and lists of objects that hold such."""
    return tuple(field for field in schema(record_type).fields if _is_bounded(field))


def _is_bounded(field: Field) -> bool:
    numeric = field.primitive == "double" or field.minimum is not None or field.maximum is not None
    return numeric or any(_is_bounded(member) for member in field.members)


def check_bounds(record_type: str, record: Mapping[str, Any], *, earlier: bool = False) -> None:
    """Raise OutOfBounds, naming field, value and bound, unless every value keeps its bounds.

    Values must have their types already; absent and null ones keep every bound. ``earlier``: the bounds of earlier
    releases, for what was taken in by them.
    """
    for field in bounded_fields(record_type):
        value = record.get(field.name)
        if value is not None:
            _check_value(field, value, field.name, earlier=earlier)


def _check_value(field: Field, value: Any, path: str, *, earlier: bool) -> None:
    if field.members:
        for index, item in enumerate(value):
            for member in field.members:
                if item.get(member.name) is not None:
                    _check_value(member, item[member.name], f"{path}[{index}].{member.name}", earlier=earlier)
        return
    broken = broken_bound(field, value, earlier=earlier)
    if broken:
        raise OutOfBounds(f"out of bounds: {path} {broken}")


def broken_bound(field: Field, value: Any, *, earlier: bool = False) -> str | None:
    """What is wrong with a value that breaks its field's bounds, in words; None when it keeps them."""
    if field.primitive == "double":
        if not isinstance(value, int | float):
            return None
        if not math.isfinite(value):
            return f"is {value}, which is not a finite number"
    elif field.primitive not in _INTEGER_BOUNDS:
        return None
    unit = "" if earlier or not field.time else _unit(value)
    if field.minimum is not None and value < field.minimum:
        return f"is {_shown(field, value)}, below the bound of {_shown(field, field.minimum)}{unit}"
    if field.maximum is not None and value > field.maximum:
        return f"is {_shown(field, value)}, above the bound of {_shown(field, field.maximum)}{unit}"
    if field.excluded is not None and not earlier and field.excluded[0] <= value <= field.excluded[1]:
        return f"is {_shown(field, value)}, as a time in another unit would be{unit}"
    return None


def _unit(value: int) -> str:
    """What a time that is out of bounds seems to be in, where it would be a time of our days in it."""
    for unit, micros in _OTHER_UNITS:
        if _PLAUSIBLE[0] <= value * micros <= _PLAUSIBLE[1]:
            return f": {value} seems to be in {unit}; times are whole microseconds"
    return ""


def _shown(field: Field, value: Any) -> str:
    return moment_text(value) if field.time else str(value)


def moment_text(micros: int) -> str:
    """A time in RFC 3339; the number itself for one that no calendar holds."""
    from seamwatch.instants import format_instant  # late: it brings pydantic, which a producer service can do without

    try:
        return format_instant(micros)
    except (ValueError, OverflowError, OSError):
        return str(micros)


def checked(form: Schema, record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with every value of its field's own type and the defaults filled in.

    Identities are put as they are held. Raises RecordError for an unknown field, a missing one or a value of the wrong
    type, BrokenText, OutOfBounds, and Unidentified.
    """
    unknown = record.keys() - form.names
    if unknown:
        word = min(unknown)
        raise RecordError(f"{form.name} has no field {word!r}{nearest(word, form.names)}")
    result = {field.name: _checked_field(field, record, form.name, field.name) for field in form.fields}
    check_bounds(form.name, result)
    identify(form.name, result)
    return result


def _checked_field(field: Field, record: Mapping[str, Any], owner: str, path: str) -> Any:
    value = record.get(field.name, field.default)
    if value is None:
        if field.nullable:
            return None
        raise RecordError(f"{path} is null; it must be {_expected(field)}")
    # What needs no conversion is most of what comes.
    if type(value) is _EXACT.get(field.primitive):
        if type(value) is str and not value.isascii():
            _demand_characters(value, path)
        return value
    if value is REQUIRED:
        raise RecordError(f"{owner} lacks {field.name}: {field.doc}")
    return _converted(field, field.type, value, path)


def _converted(field: Field, kind: Any, value: Any, path: str) -> Any:
    name = kind["type"] if isinstance(kind, dict) else kind
    if name == "array":
        value = pairs(field, value)
        if not isinstance(value, list | tuple):
            raise _wrong(field, value, path)
        return [_item(field, kind["items"], item, f"{path}[{index}]") for index, item in enumerate(value)]
    if name == "enum":
        if value in kind["symbols"]:
            return str(value)
        close = nearest(str(value), field.symbols)
        raise RecordError(f"{path} is {value!r}, which is none of {', '.join(kind['symbols'])}{close}")
    try:
        scalar = _scalar(field, name, value)
    except (TypeError, ValueError, OverflowError) as error:
        raise _wrong(field, value, path) from error
    if isinstance(scalar, str):
        _demand_characters(scalar, path)
    return scalar


def _demand_characters(text: str, path: str) -> None:
    """Raise BrokenText, naming the place, for a surrogate that is half of no pair: it cannot be encoded."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        raise BrokenText(
            f"{path} has half a character ({half}) at {error.start}: cut the text between characters"
        ) from None


def pairs(field: Field, value: Any) -> Any:
    """A mapping as the list of objects of two members that it stands for, as people write attributes; else the value.

    Null in a mapping stands for an absent key.
    """
    if not isinstance(value, Mapping) or len(field.members) != _PAIR:
        return value
    name, content = (member.name for member in field.members)
    return [{name: key, content: item} for key, item in value.items() if item is not None]


def _item(field: Field, items: Any, item: Any, path: str) -> Any:
    if not field.members:
        return _converted(field, items, item, path)
    if not isinstance(item, Mapping):
        raise RecordError(f"{path} is {item!r}; it must be an object of {', '.join(m.name for m in field.members)}")
    known = tuple(member.name for member in field.members)
    unknown = item.keys() - set(known)
    if unknown:
        word = min(unknown)
        raise RecordError(f"{path} has no field {word!r}{nearest(word, known)}")
    return {member.name: _checked_field(member, item, path, f"{path}.{member.name}") for member in field.members}


def _scalar(field: Field, name: str, value: Any) -> Any:
    if name in _INTEGER_BOUNDS:
        return _integer(field, name, value)
    if name == "double":
        # Text that looks like a number is a mistake to be told of, not to be guessed at.
        if isinstance(value, str | bytes | bool) or not hasattr(value, "__float__"):
            raise TypeError
        return float(value)
    if name == "boolean":
        if type(value).__name__ not in ("bool", "bool_"):
            raise TypeError
        return bool(value)
    if name == "string":
        if isinstance(value, str):
            return str(value)
        if isinstance(value, Mapping) and field.name == "arguments":
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        raise TypeError
    if name == "bytes" and isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise TypeError


def _integer(field: Field, name: str, value: Any) -> int:
    if isinstance(value, datetime) and field.time:
        if value.tzinfo is None:
            message = (
                f"{field.name} is {value.isoformat()}, which names no time zone: give it one, as in datetime.now(UTC)"
            )
            raise RecordError(message)
        return (value - _EPOCH) // timedelta(microseconds=1)
    if isinstance(value, bool):
        raise TypeError
    number = operator.index(value)
    low, high = _INTEGER_BOUNDS[name]
    if not low <= number <= high:
        raise OutOfBounds(f"out of bounds: {field.name} is {number}, which does not fit {name}")
    return number


def _expected(field: Field) -> str:
    if field.time:
        return "a time"
    if field.symbols:
        return f"one of {', '.join(field.symbols)}"
    return _SAID[field.primitive]


def _wrong(field: Field, value: Any, path: str) -> RecordError:
    shown = repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}…"
    return RecordError(f"{path} is {shown}; it must be {_expected(field)}")
