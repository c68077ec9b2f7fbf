"""Identities: which text identifies an event, a system, a person or anything else, and which is none.

One rule for every kind of identity, at every door; docs/wire.md says it to producers:

- An event's own id (``uuid``) is a UUID. Capitals, and a UUID without its hyphens, are other spellings of the same id:
  it is held in lower case, with hyphens. The nil and the max UUID identify nothing.
- A reference to another event (``event``) may be any text; one that is a UUID is held as ids are.
- Text of nothing but blanks, control characters and others that show nothing identifies nothing. Where an identity is
  required the record is refused; where it is not, the field reads as absent.
- All else is kept to the letter: blanks at its ends too, and capitals.

Which fields are identities is in their schemas. Single records only; `seamwatch.columnar.identities` does it in bulk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from seamwatch.errors import Unidentified
from seamwatch.wire.schemas import Field, schema

HELD: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
"""What a UUID looks like as it is held, as a regular expression."""
SPELT: Final = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9A-Fa-f]{32}"
"""What a UUID may look like where it comes in."""
NIL: Final = "00000000-0000-0000-0000-000000000000"
MAX: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"

_INVISIBLE: Final = (
    *((0x00, 0x20), (0x7F, 0xA0), (0xAD, 0xAD), (0x115F, 0x1160), (0x1680, 0x1680), (0x180E, 0x180E)),
    *((0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F), (0x2800, 0x2800), (0x3000, 0x3000), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0)),
)
BLANKS: Final = "".join(chr(code) for first, last in _INVISIBLE for code in range(first, last + 1))
"""The characters that show nothing: blanks of all kinds, controls, joiners, fillers and marks of direction."""

_HELD: Final = re.compile(HELD)
_SPELT: Final = re.compile(SPELT)
_SHOWN: Final = 60


@cache
def identities(record_type: str) -> tuple[Field, ...]:
    """The fields of a record type that are identities, or lists with identities in them."""
    return tuple(field for field in schema(record_type).fields if has_identity(field))


def has_identity(field: Field) -> bool:
    """Whether a field is an identity, or a list that holds any."""
    return field.identity is not None or any(member.identity for member in field.members)


def held(text: str) -> str | None:
    """A UUID as it is held; None when the text is no UUID."""
    if _HELD.fullmatch(text):
        return text
    if not _SPELT.fullmatch(text):
        return None
    return hyphenated(text.lower().replace("-", ""))


def hyphenated(digits: str) -> str:
    """A UUID of its 32 hexadecimal digits."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def is_blank(text: str) -> bool:
    """Whether a text shows nothing, so that it identifies nothing."""
    return not text.strip(BLANKS)


def identify(record_type: str, record: dict[str, Any]) -> None:
    """Put a whole record's identities as they are held, in place.

    Raises Unidentified that names the field, when one that is required identifies nothing.
    """
    for field in identities(record_type):
        value = record.get(field.name)
        if value is None:
            continue
        if type(value) is str:
            record[field.name] = _identified(field, value, field.name)
        elif field.members:
            _identify_members(field, value)
        else:
            for index, item in enumerate(value):
                if is_blank(item):
                    raise _empty(f"{field.name}[{index}]", item)


def unidentified(record_type: str, row: Mapping[str, Any]) -> str:
    """Why a row's record has no identity, in the words of `identify`; it must be one that has none."""
    try:
        identify(record_type, dict(row))
    except Unidentified as error:
        return str(error)
    return "no identity"


def _identify_members(field: Field, items: Sequence[dict[str, Any]]) -> None:
    for index, item in enumerate(items):
        for member in field.members:
            if member.identity and item[member.name] is not None:
                item[member.name] = _identified(member, item[member.name], f"{field.name}[{index}].{member.name}")


def _identified(field: Field, text: str, path: str) -> str | None:
    if field.identity == "uuid":
        return _own_id(text, path)
    if is_blank(text):
        if field.required:
            raise _empty(path, text)
        default: str | None = field.default
        return default
    return held(text) or text if field.identity == "event" else text


def _own_id(text: str, path: str) -> str:
    found = held(text)
    if found is None:
        raise Unidentified(f"{path} is {_quoted(text)}, which is no UUID: give each event one of its own")
    if found in (NIL, MAX):
        raise Unidentified(f"{path} is {found}, which identifies no event: give each event a UUID of its own")
    return found


def _empty(path: str, text: str) -> Unidentified:
    return Unidentified(f"{path} is {_quoted(text)}: it must name something")


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…")
