"""NDJSON in bulk: parts of lines as frames, the same records as `seamwatch.wire.text` gives line by line.

Lines of one measured type are read by `streams.history.json_columns`; what it does not take is parsed line by line and
checked column by column. A part that holds anything out of the ordinary (a line that is no event, a value that needs
more than the usual conversion) is read again by the strict reader, which has the last word and names the line. Reads no
files.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson
import polars as pl

from seamwatch.columnar.columns import columns, frame_of, keeps_bounds
from seamwatch.errors import RecordError
from seamwatch.instants import parse_instant
from seamwatch.wire.checks import pairs
from seamwatch.wire.schemas import INPUT_TYPES, Field, schema
from seamwatch.wire.text import canonical, id_of, read_lines
from streams.history.gathering import MEASURED
from streams.history.json_columns import USUAL_TIME, columns_of
from streams.history.ordinals import Ordinals, key_of

ATTEMPTS, SELDOM = 3, 16
"""Where so many parts one after the other were none for the quickest way, only every so manieth is tried again."""
_NUMBERS_DIFFER = re.compile(rb"[:,\[]-?(?:\d+\.?\d*[eE]|0\.0000)")
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
    parts: Iterable[bytes], source: str, complain: Callable[[RecordError], None]
) -> Iterator[tuple[str, pl.DataFrame]]:
    """The events in the lines of one source, which comes as parts of whole lines in order: a frame a record type each.

    Lines that hold no event go to ``complain``, in order. Absent event_ids are made as `read_lines` makes them.
    """
    ordinals = Ordinals()
    first, refused = 1, 0
    for number, data in enumerate(parts):
        read = columns_of(data) if refused < ATTEMPTS or number % SELDOM == 0 else None
        refused = refused + 1 if read is None else 0
        lines: Sequence[bytes] | None = None
        if read is None or read[1]["event_id"].null_count():
            lines = io.BytesIO(data).readlines()
        if read is not None:
            frame = read[1]
            nameless = frame["event_id"].is_null().arg_true().to_list() if lines is not None else []
            yield (
                read[0],
                _named(frame, nameless, [_contents(lines[row]) for row in nameless] if lines else [], ordinals),
            )
            first += frame.height
        elif lines is not None:
            yield from _frames(lines, source, first, ordinals, complain)
            first += len(lines)


def _frames(
    lines: Sequence[bytes], source: str, first: int, ordinals: Ordinals, complain: Callable[[RecordError], None]
) -> Iterator[tuple[str, pl.DataFrame]]:
    try:
        groups = _by_type(lines)
        frames = [(name, _frame(name, group.events), group) for name, group in groups.items()]
    except (_Unusual, ValueError, TypeError, OverflowError, RecursionError, pl.exceptions.PolarsError):
        pass
    else:
        for name, frame, group in frames:
            yield name, _named(frame, group.nameless, group.contents, ordinals)
        return
    records: dict[str, list[dict[str, Any]]] = {}
    for line in read_lines(lines, source, make_ids=True, first=first, ordinals=ordinals):
        if line.error is None:
            records.setdefault(line.type, []).append(line.record)
        else:
            complain(line.error)
    for record_type, those in records.items():
        yield record_type, frame_of(record_type, those)


@dataclass(slots=True)
class _Group:
    """Parsed objects of one type; the rows of those without an id, and what an id is made of."""

    events: Events = field(default_factory=list)
    nameless: list[int] = field(default_factory=list)
    contents: list[tuple[bytes, bytes]] = field(default_factory=list)


def _by_type(lines: Sequence[bytes]) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    for line in lines:
        try:
            event = orjson.loads(line)
            name = event["type"]
            group = groups.get(name)
            if group is None:
                if name not in INPUT_TYPES:
                    raise _Unusual
                group = groups[name] = _Group()
        except (ValueError, KeyError, TypeError):
            if line.strip():
                raise _Unusual from None
            continue
        if event.get("event_id") is None:
            group.nameless.append(len(group.events))
            group.contents.append(_contents(line))
        group.events.append(event)
    return groups


def _contents(line: bytes) -> tuple[bytes, bytes]:
    """What tells equal lines, and what the id of a line without one is made of: `canonical`, only faster."""
    event = orjson.loads(line)
    given = "event_id" in event
    whole = orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
    if _NUMBERS_DIFFER.search(whole):
        # Numbers that the two write in other ways, among them whole ones too large for orjson.
        event = json.loads(line)
        whole = canonical(event).encode()
        event.pop("event_id", None)
        return whole, canonical(event).encode()
    if not given:
        return whole, whole
    del event["event_id"]
    return whole, orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


def _named(
    frame: pl.DataFrame, rows: Sequence[int], contents: Sequence[tuple[bytes, bytes]], ordinals: Ordinals
) -> pl.DataFrame:
    """The frame, its ``rows`` with ids that are made of their contents."""
    if not rows:
        return frame
    numbers = ordinals.count([key_of(whole) for whole, _ in contents])
    made = [id_of(bare, number) for (_, bare), number in zip(contents, numbers, strict=True)]
    if len(rows) == frame.height:
        return frame.with_columns(event_id=pl.Series(made, dtype=pl.String))
    return frame.with_columns(event_id=frame["event_id"].scatter(list(rows), made))


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
        if field.name in present or field.name == "event_id"
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
    if field.nullable or field.name == "event_id" or not column.null_count():
        return column
    if field.required:
        raise _Unusual
    return column.fill_null(field.default)


def _times(field: Field, values: list[Any], types: set[type]) -> pl.Series:
    if types <= {str, _NONE}:
        text = pl.Series(field.name, values, dtype=pl.String)
        if text.str.contains(USUAL_TIME).all():
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
    value = pairs(field, value)
    if type(value) is not list:
        raise _Unusual
    names = {member.name for member in field.members}
    for item in value:
        if type(item) is not dict or item.keys() != names or not all(type(part) is str for part in item.values()):
            raise _Unusual
    if not all(member.primitive == "string" for member in field.members):
        raise _Unusual
    return value
