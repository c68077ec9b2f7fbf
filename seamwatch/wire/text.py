"""Text: records as JSON objects, one a line (NDJSON), and back.

``{"type": "inference", "system": …}``; times are RFC 3339 or whole microseconds, bytes are base64, absent fields
take their defaults. Strict: an unknown type or field or a value of the wrong type is an error that names the
nearest known word. Reads and writes text; files and topics are others'.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from seamwatch.errors import RecordError
from seamwatch.instants import parse_time
from seamwatch.record_types import INPUT_TYPES
from seamwatch.wire.checks import checked, moment_text
from seamwatch.wire.codec import LONG, demand_size
from seamwatch.wire.events import new_event_id
from seamwatch.wire.identities import hyphenated
from seamwatch.wire.schemas import Field, nearest, schema


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a source: a whole record of a type, or why it is none."""

    source: str
    number: int
    type: str
    record: dict[str, Any]
    error: RecordError | None = None

    def whole(self) -> tuple[str, dict[str, Any]]:
        """The record type and the record; raises the error of a line that holds none."""
        if self.error is not None:
            raise self.error
        return self.type, self.record


class Ordinals(Protocol):
    """What counts the lines that come without an event_id."""

    def before(self, content: str) -> int:
        """How many lines of equal content came before this one, which is counted from now on."""
        ...


class _Ordinals:
    """Counts in memory that grows with the lines."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def before(self, content: str) -> int:
        self._seen[content] += 1
        return self._seen[content] - 1


def read_lines(
    lines: Iterable[str | bytes],
    source: str = "-",
    *,
    make_ids: bool = False,
    first: int = 1,
    ordinals: Ordinals | None = None,
) -> Iterator[Line]:
    """Each line that is not blank, as a record or with the error, which starts with ``<source>:<number>:``.

    With ``make_ids`` an absent event_id is made of the line's content, and of how many equal lines came before:
    the same history gives the same ids. Otherwise it is a new UUIDv7. For a source that is read in parts, ``first`` is
    the number of the first of these lines, and ``ordinals`` counts the lines without event_id of all its parts.
    """
    ordinals = _Ordinals() if ordinals is None else ordinals
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        record_type = ""
        try:
            event = _parsed(line)
            record_type = str(event.get("type", ""))
            ordinal = 0
            if make_ids and event.get("event_id") is None:
                ordinal = ordinals.before(canonical(event))
            record_type, record = record_of(event, make_ids=make_ids, ordinal=ordinal)
            if len(line) > LONG:
                demand_size(record_type, record)
        except RecordError as error:
            yield Line(source, number, record_type, {}, type(error)(f"{source}:{number}: {error}"))
        except RecursionError:
            yield Line(source, number, record_type, {}, RecordError(f"{source}:{number}: nested too deeply"))
        else:
            yield Line(source, number, record_type, record)


def record_of(event: Mapping[str, Any], *, make_ids: bool = False, ordinal: int = 0) -> tuple[str, dict[str, Any]]:
    """The record type and the whole record of an event as text has it.

    An absent event_id is made: of the content and ``ordinal`` with ``make_ids``, else a new UUIDv7. Raises
    RecordError that names the field and what it must be, and OutOfBounds.
    """
    record_type = event.get("type")
    if record_type is None:
        raise RecordError(f"the object has no type: give one of {', '.join(INPUT_TYPES)}")
    if record_type not in INPUT_TYPES:
        raise RecordError(f"{record_type!r} is no type of event{nearest(str(record_type), INPUT_TYPES)}")
    form = schema(str(record_type))
    record = {name: value for name, value in event.items() if name != "type"}
    for field in form.fields:
        if field.time and isinstance(record.get(field.name), str):
            try:
                record[field.name] = parse_time(record[field.name])
            except ValueError as error:
                raise RecordError(f"{field.name}: {error}") from None
        elif field.name in record and record[field.name] is None and not field.nullable and not field.required:
            del record[field.name]
    if record.get("event_id") is None:
        record["event_id"] = made_id(event, ordinal) if make_ids else new_event_id()
    return form.name, checked(form, record)


def canonical(event: Mapping[str, Any]) -> str:
    """An event as one text, whatever the order of its fields: what tells equal lines. It may hold half characters."""
    return json.dumps(event, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)


def made_id(event: Mapping[str, Any], ordinal: int) -> str:
    """The event_id of an event that came without one; ``ordinal`` is how many equal ones came before it."""
    content = {name: value for name, value in event.items() if name != "event_id"}
    return id_of(canonical(content).encode("utf-8", "surrogatepass"), ordinal)


def id_of(content: bytes, ordinal: int, hashed: hashlib._Hash | None = None) -> str:
    """The event_id that is made of a content, which is `canonical` and has no event_id.

    ``hashed`` is its SHA-256 where that was taken already; it is of no other use then.
    """
    made = hashlib.sha256(content) if hashed is None else hashed
    made.update(b"\n%d" % ordinal)
    return hyphenated(made.hexdigest()[:32])


def text_of(record_type: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """A record as an object for JSON, its type first: times in RFC 3339, bytes in base64."""
    form = schema(record_type)
    return {"type": record_type, **_texts(form.fields, record)}


def _texts(fields: Iterable[Field], record: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: _text(field, record[field.name]) for field in fields if field.name in record}


def _text(field: Field, value: Any) -> Any:
    if value is None:
        return None
    if field.time:
        return moment_text(value)
    if field.members:
        return [_texts(field.members, item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value


def _parsed(line: str | bytes) -> dict[str, Any]:
    try:
        text = line.decode("utf-8-sig") if isinstance(line, bytes) else line
    except UnicodeDecodeError as error:
        byte = line[error.start]
        raise RecordError(f"not UTF-8: byte {byte:#04x} at {error.start} of the line is no character") from None
    try:
        event = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_single_keys)
    except json.JSONDecodeError as error:
        raise RecordError(f"not JSON: {error}") from None
    except RecursionError:
        raise RecordError("not JSON that can be read: it is nested too deeply") from None
    except ValueError as error:
        raise RecordError(str(error)) from None
    if not isinstance(event, dict):
        raise RecordError(f"not a JSON object: {text[:40]!r}")
    return event


def _single_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Raises ValueError where a key stands twice: which of the two holds, readers see differently."""
    made = dict(pairs)
    if len(made) < len(pairs):
        (name, times), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{name!r} is given {times} times in one object: which of them holds cannot be told")
    return made


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON value; leave a missing number out or write null")
