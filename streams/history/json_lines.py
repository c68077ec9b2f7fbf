"""NDJSON in bulk: a chunk of lines as frames, the same records as `seamwatch.wire.text` gives line by line.

A chunk is parsed line by line and checked column by column. One that holds anything out of the ordinary (a line that is
no event, a value that needs more than the usual conversion) is read again by the strict reader, which has the last word
and names the line. Reads no files.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import orjson
import polars as pl

from seamwatch.columnar.columns import columns, frame_of, keeps_bounds
from seamwatch.errors import RecordError
from seamwatch.instants import parse_instant
from seamwatch.wire.schemas import INPUT_TYPES, Field, schema
from seamwatch.wire.text import canonical, made_id, read_lines
from streams.history.gathering import MEASURED

_USUAL_TIME = r"^[12]\d{3}-\d\d-\d\dT[0-2]\d:[0-5]\d:[0-5]\d(\.\d{1,6})?Z$"
_NONE = type(None)
_TYPES: Mapping[str, frozenset[type]] = {
    "string": frozenset((str, _NONE)),
    "enum": frozenset((str, _NONE)),
    "boolean": frozenset((bool, _NONE)),
    "double": frozenset((float, int, _NONE)),
    "long": frozenset((int, _NONE)),
    "int": frozenset((int, _NONE)),
}
_as_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Events = list[dict[str, Any]]


class _Unusual(Exception):
    """The chunk must be read by the strict reader."""


def json_chunks(
    chunks: Iterable[Sequence[bytes]], source: str, complain: Callable[[RecordError], None]
) -> Iterator[tuple[str, pl.DataFrame]]:
    """The events in the lines of one source, which come as parts of it in order: by part, a frame a record type.

    Lines that hold no event go to ``complain``, in order. Absent event_ids are made as `read_lines` makes them.
    """
    seen: Counter[str] = Counter()
    first = 1
    for lines in chunks:
        yield from _frames(lines, source, first, seen, complain)
        first += len(lines)


def _frames(
    lines: Sequence[bytes], source: str, first: int, seen: Counter[str], complain: Callable[[RecordError], None]
) -> Iterator[tuple[str, pl.DataFrame]]:
    counted: list[str] = []
    try:
        frames = [(name, _frame(name, events)) for name, events in _by_type(lines, seen, counted).items()]
    except (_Unusual, ValueError, TypeError, OverflowError, RecursionError, pl.exceptions.PolarsError):
        seen.subtract(counted)
    else:
        yield from frames
        return
    groups: dict[str, list[dict[str, Any]]] = {}
    for line in read_lines(lines, source, make_ids=True, first=first, seen=seen):
        if line.error is None:
            groups.setdefault(line.type, []).append(line.record)
        else:
            complain(line.error)
    for record_type, records in groups.items():
        yield record_type, frame_of(record_type, records)


def _by_type(lines: Sequence[bytes], seen: Counter[str], counted: list[str]) -> dict[str, Events]:
    """The parsed objects by type, each with an event_id; what was added to ``seen`` is put down in ``counted``."""
    groups: dict[str, Events] = {name: [] for name in INPUT_TYPES}
    order: dict[str, Events] = {}
    for line in lines:
        try:
            event = orjson.loads(line)
            name = event["type"]
            group = groups[name]
        except (ValueError, KeyError, TypeError):
            if line.strip():
                raise _Unusual from None
            continue
        if event.get("event_id") is None:
            # The id is of what the standard library reads: it keeps whole numbers whole, however large.
            event = json.loads(line)
            content = canonical(event)
            event["event_id"] = made_id(event, seen[content])
            seen[content] += 1
            counted.append(content)
        if not group:
            order[name] = group
        group.append(event)
    return order


def _frame(record_type: str, events: Events) -> pl.DataFrame:
    if record_type not in MEASURED:
        # These are few, and have more in them.
        return frame_of(record_type, [_strict(event) for event in events])
    form = schema(record_type)
    present = frozenset().union(*set(map(tuple, events))) - {"type"}
    if not present <= _names(record_type):
        raise _Unusual
    types = columns(record_type)
    made = [
        _column(field, [event.get(field.name) for event in events], types[field.name])
        if field.name in present
        else _absent(field, len(events), types[field.name])
        for field in form.fields
    ]
    frame = pl.DataFrame(made)
    if not frame.select(keeps_bounds(record_type).all()).item():
        raise _Unusual
    return frame


def _strict(event: dict[str, Any]) -> dict[str, Any]:
    from seamwatch.wire.text import record_of

    try:
        return record_of(event)[1]
    except RecordError:
        raise _Unusual from None


@cache
def _names(record_type: str) -> frozenset[str]:
    return frozenset(schema(record_type).names)


def _absent(field: Field, rows: int, kind: pl.DataType) -> pl.Series:
    if field.required:
        raise _Unusual
    return pl.Series(field.name, [field.default], dtype=kind).new_from_index(0, rows)


def _column(field: Field, values: list[Any], kind: pl.DataType) -> pl.Series:
    types = set(map(type, values))
    if field.primitive == "array":
        return pl.Series(field.name, [_items(field, value) for value in values], dtype=kind, strict=True)
    if field.name == "arguments" and dict in types:
        values = [_arguments(value) if type(value) is dict else value for value in values]
        types = set(map(type, values))
    if field.time and str in types:
        return _filled(field, _times(field, values, types))
    if not types <= _TYPES[field.primitive]:
        raise _Unusual
    if field.primitive == "double" and int in types:
        values = [float(value) if type(value) is int else value for value in values]
    if field.symbols and not set(values) <= {*field.symbols, None}:
        raise _Unusual
    return _filled(field, pl.Series(field.name, values, dtype=kind, strict=True))


def _filled(field: Field, column: pl.Series) -> pl.Series:
    if field.nullable or not column.null_count():
        return column
    if field.required:
        raise _Unusual
    return column.fill_null(field.default)


def _times(field: Field, values: list[Any], types: set[type]) -> pl.Series:
    if types <= {str, _NONE}:
        text = pl.Series(field.name, values, dtype=pl.String)
        if text.str.contains(_USUAL_TIME).all():
            read = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", strict=False).cast(pl.Int64)
            if read.null_count() == text.null_count():
                return read
    if not types <= {str, int, _NONE}:
        raise _Unusual
    read_singly = [parse_instant(value) if type(value) is str else value for value in values]
    return pl.Series(field.name, read_singly, dtype=pl.Int64, strict=True)


def _arguments(value: dict[str, Any]) -> str:
    text = _as_text(value)
    # A whole number beyond 64 bits was read as a fraction, which shows.
    if "e+" in text:
        raise _Unusual
    return text


def _items(field: Field, value: Any) -> list[Any]:
    if value is None and not field.required:
        return list(field.default)
    if type(value) is not list:
        raise _Unusual
    names = {member.name for member in field.members}
    for item in value:
        if type(item) is not dict or item.keys() != names or not all(type(part) is str for part in item.values()):
            raise _Unusual
    if not all(member.primitive == "string" for member in field.members):
        raise _Unusual
    return value
