"""NDJSON in bulk: parts of lines as frames, the same records as `seamwatch.wire.text` gives line by line.

Lines of one measured type are read by `streams.replay.history.json_columns`; what it does not take is parsed line by
line and checked column by column. A part that holds anything out of the ordinary (a line that is no event, a value that
needs more than the usual conversion) is read again by the strict reader, which has the last word and names the line.
Reads no files.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

import orjson
import polars as pl

from seamwatch.columnar.columns import columns, frame_of, keeps_bounds
from seamwatch.columnar.identities import identified
from seamwatch.columnar.sizes import too_large_rows
from seamwatch.errors import RecordError
from seamwatch.instants import parse_time
from seamwatch.record_types import INPUT_TYPES
from seamwatch.wire.checks import pairs
from seamwatch.wire.schemas import Field, schema
from seamwatch.wire.text import canonical, id_of, read_lines
from streams.replay.history.gathering import MEASURED
from streams.replay.history.json_columns import columns_of, instants
from streams.replay.history.ordinals import Ordinals, keys_of

ATTEMPTS, SELDOM = 3, 16
"""Where so many parts one after the other were none for the quickest way, only every so manieth is tried again."""
_DIFFERING = r"[:,\[]-?(?:[0-9]+\.?[0-9]*[eE]|0\.0000)"
_NUMBERS_DIFFER = re.compile(_DIFFERING.encode())
_WRITTEN_MARK = re.compile(rb"\\u00(?:22|3[aA])")
_BLANK_BEFORE_COLON = re.compile(rb'"[ \t\r]+:')
_NONE = type(None)
_INPUT_TYPES = frozenset(INPUT_TYPES)
_type_of = itemgetter("type")
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
            those = [lines[row] for row in nameless] if lines else []
            yield read[0], _named(frame, nameless, _contents(those, list(map(orjson.loads, those))), ordinals)
            first += frame.height
        elif lines is not None:
            yield from _frames(data, lines, source, first, ordinals, complain)
            first += len(lines)


def _frames(
    data: bytes,
    lines: Sequence[bytes],
    source: str,
    first: int,
    ordinals: Ordinals,
    complain: Callable[[RecordError], None],
) -> Iterator[tuple[str, pl.DataFrame]]:
    try:
        groups = _by_type(data, lines)
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


@dataclass(frozen=True, slots=True)
class _Group:
    """Parsed objects of one type; the rows of those without an id, and what an id is made of."""

    events: Events
    nameless: Sequence[int]
    contents: Sequence[tuple[bytes, bytes]]


def _by_type(data: bytes, lines: Sequence[bytes]) -> dict[str, _Group]:
    try:
        events = list(map(orjson.loads, lines))
    except ValueError:
        lines = [line for line in lines if line.strip()]
        events = list(map(orjson.loads, lines))
    if _may_repeat_keys(data, events):
        raise _Unusual
    try:
        names = list(map(_type_of, events))
    except KeyError:
        raise _Unusual from None
    rows: dict[str, list[int]] = {}
    kinds = dict.fromkeys(names)
    if not kinds.keys() <= _INPUT_TYPES:
        raise _Unusual
    if len(kinds) == 1:
        return {name: _group(lines, events) for name in kinds}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return {name: _group([lines[row] for row in those], [events[row] for row in those]) for name, those in rows.items()}


def _may_repeat_keys(data: bytes, events: Events) -> bool:
    """Whether a key may stand twice in one object, of which a parser keeps the last without a word.

    Each key is followed by a colon right behind its quotation mark, and what was parsed has as many of these as the
    text, as long as nothing stands between the two, and neither is written as a number.
    """
    if b"\\u00" in data and _WRITTEN_MARK.search(data):
        return True
    if any(blank in data for blank in (b" :", b"\t:", b"\r:")) and _BLANK_BEFORE_COLON.search(data):
        return True
    keys = data.count(b'":')
    return keys != sum(map(len, events)) and keys != orjson.dumps(events).count(b'":')


def _group(lines: Sequence[bytes], events: Events) -> _Group:
    nameless = [row for row, event in enumerate(events) if event.get("event_id") is None]
    contents = _contents([lines[row] for row in nameless], [events[row] for row in nameless])
    return _Group(events, nameless, contents)


def _contents(lines: Sequence[bytes], events: Events) -> list[tuple[bytes, bytes]]:
    """What tells equal lines, and what the id of a line without one is made of: `canonical`, only faster."""
    if not lines:
        return []
    written, between = _written(events, orjson.OPT_SORT_KEYS)
    wholes, usual = written.split(between), not _numbers_differ(written)
    if usual and not any("event_id" in event for event in events):
        return list(zip(wholes, wholes, strict=True))
    contents = []
    for line, event, whole in zip(lines, events, wholes, strict=True):
        if not usual and _NUMBERS_DIFFER.search(whole):
            # Numbers that the two write in other ways, among them whole ones too large for orjson.
            exact = json.loads(line)
            text = canonical(exact).encode()
            exact.pop("event_id", None)
            contents.append((text, canonical(exact).encode()))
        elif "event_id" in event:
            bare = {name: value for name, value in event.items() if name != "event_id"}
            contents.append((whole, orjson.dumps(bare, option=orjson.OPT_SORT_KEYS)))
        else:
            contents.append((whole, whole))
    return contents


def _named(
    frame: pl.DataFrame, rows: Sequence[int], contents: Sequence[tuple[bytes, bytes]], ordinals: Ordinals
) -> pl.DataFrame:
    """The frame, its ``rows`` with ids that are made of their contents."""
    if not rows:
        return frame
    hashes = [hashlib.sha256(whole) for whole, _ in contents]
    numbers = ordinals.count(keys_of(hashes))
    made = [
        id_of(bare, number, hashed if bare is whole else None)
        for (whole, bare), hashed, number in zip(contents, hashes, numbers, strict=True)
    ]
    if len(rows) == frame.height:
        return frame.with_columns(event_id=pl.Series(made, dtype=pl.String))
    return frame.with_columns(event_id=frame["event_id"].scatter(list(rows), made))


def _frame(record_type: str, events: Events) -> pl.DataFrame:
    if record_type not in MEASURED:
        # These are few, and have more in them.
        return frame_of(record_type, [_strict(event) for event in events])
    form = schema(record_type)
    shapes = set(map(tuple, events))
    present = frozenset().union(*shapes) - {"type"}
    if not present <= _names(record_type):
        raise _Unusual
    types = columns(record_type)
    # Where all have the same fields in the same order, which is how programs write, columns are there for the taking.
    given: Mapping[str, Sequence[Any]] = {}
    if len(shapes) == 1:
        given = dict(zip(shapes.pop(), zip(*map(dict.values, events), strict=True), strict=True))
    made = [
        _column(field, given.get(field.name) or [event.get(field.name) for event in events], types[field.name])
        if field.name in present or field.name == "event_id"
        else _absent(field, len(events), types[field.name])
        for field in form.fields
    ]
    frame, lacking = identified(record_type, pl.DataFrame(made))
    if lacking is not None or not frame.select(keeps_bounds(record_type).all()).item():
        raise _Unusual
    if any(too_large_rows(record_type, frame)):
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


def _column(field: Field, values: Sequence[Any], kind: pl.DataType) -> pl.Series:
    types = set(map(type, values))
    if field.primitive == "array":
        return pl.Series(field.name, [_items(field, value) for value in values], dtype=kind, strict=True)
    if field.name == "arguments" and dict in types:
        values = _arguments(values) if len(types) == 1 else [_singly(value) for value in values]
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


def _times(field: Field, values: Sequence[Any], types: set[type]) -> pl.Series:
    if types <= {str, _NONE}:
        read = instants(pl.Series(field.name, values, dtype=pl.String))
        if read is not None:
            return read
    if not types <= {str, int, _NONE}:
        raise _Unusual
    read_singly = [parse_time(value) if type(value) is str else value for value in values]
    return pl.Series(field.name, read_singly, dtype=pl.Int64, strict=True)


def _arguments(values: Sequence[dict[str, Any]]) -> list[str]:
    # What orjson writes is what the strict reader writes, but for some numbers.
    written, between = _written(values)
    if not _numbers_differ(written):
        return written.decode().split(between.decode())
    return [_singly(value) for value in values]


def _numbers_differ(written: bytes) -> bool:
    """Whether any number in so much text may be one that the strict reader writes in another way."""
    # Polars looks through it in half the time, and while others use the interpreter.
    return bool(pl.Series([written], dtype=pl.Binary).cast(pl.String).str.contains(_DIFFERING)[0])


def _written(values: Sequence[dict[str, Any]], option: int = 0) -> tuple[bytes, bytes]:
    """The objects as JSON, and what stands between them, which nobody can foresee; there is one at least."""
    # All at once: a text each takes as long as reading the line did.
    name = os.urandom(16).hex()
    several: list[Any] = [name] * (2 * len(values) - 1)
    several[::2] = values
    return orjson.dumps(several, option=option)[1:-1], b',"%b",' % name.encode()


def _singly(value: Any) -> Any:
    if type(value) is not dict:
        return value
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
