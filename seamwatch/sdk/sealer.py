"""Sealing what is personal before it leaves the process: raw bytes, topic, leaf and store only ever hold ciphertext.

    Emitter("scoring-service", seal=Seal(SubjectKeyFile(path), attributes=("email",), arguments=("iban",)))

Names which attributes and which arguments of tool calls are personal, and finds whose they are. Opening is
`opened`, for whoever holds the keys.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from seamwatch.errors import ArgumentsError, RecordError, SealError
from seamwatch.expressions.arguments import read_arguments
from seamwatch.sdk.subject_keys import Erasure, SubjectKeys
from seamwatch.sealing import SealContext, SubjectKey, key_id_of, seal, unseal

SEALED = "(sealed)"
ERASED = "(erased)"


@dataclass(frozen=True, slots=True)
class Seal:
    """What is sealed, and by whose keys.

    ``attributes`` and ``arguments`` are names; an argument's whole value is sealed, whatever it is made of. The subject
    is the event's field ``subject``; where a type has none, or it is empty, the attribute that ``subject_attribute``
    names.
    """

    keys: SubjectKeys
    attributes: Collection[str] = ()
    arguments: Collection[str] = ()
    subject_attribute: str = "subject"

    def sealed(self, record_type: str, record: dict[str, Any]) -> dict[str, Any]:
        """The record with what is personal sealed.

        Raises RecordError when it says no subject, SealError when there is no key to be had: it must not be sent then.
        """
        attributes = record.get("attributes")
        arguments = _arguments(record.get("arguments")) if self.arguments and record_type == "tool_call" else {}
        named = [each["key"] for each in attributes if each["key"] in self.attributes] if attributes else []
        inside = [name for name in arguments if name in self.arguments]
        if not named and not inside:
            return record
        key = self.keys.key_of(self._subject(record_type, record, named or inside))
        event_id, sealed = str(record["event_id"]), dict(record)
        if named:
            sealed["attributes"] = [self._attribute(each, key, event_id) for each in attributes or ()]
        if inside:
            hidden = {name: seal(json.dumps(arguments[name]), key, argument_of(event_id, name)) for name in inside}
            sealed["arguments"] = json.dumps({**arguments, **hidden}, ensure_ascii=False)
        return sealed

    def _attribute(self, each: dict[str, Any], key: SubjectKey, event_id: str) -> dict[str, Any]:
        name = each["key"]
        if name not in self.attributes:
            return each
        if not isinstance(each["value"], str):
            raise RecordError(f"attribute {name!r} is to be sealed, and is no text")
        return {**each, "value": seal(each["value"], key, attribute_of(event_id, name))}

    def _subject(self, record_type: str, record: dict[str, Any], names: list[str]) -> str:
        own = record.get("subject") if record_type == "inference" else None
        given = (each["value"] for each in record.get("attributes") or () if each["key"] == self.subject_attribute)
        subject = own or next(given, None)
        if not isinstance(subject, str) or not subject:
            raise RecordError(
                f"{names[0]!r} of a {record_type} is to be sealed, and the event names no subject: give it one, in the "
                f"attribute {self.subject_attribute!r} where the type has no such field"
            )
        return subject


def attribute_of(event_id: str, name: str) -> SealContext:
    """Where an attribute is."""
    return SealContext(event_id, f"attributes.{name}")


def argument_of(event_id: str, name: str) -> SealContext:
    """Where an argument of a tool call is."""
    return SealContext(event_id, f"arguments.{name}")


def opened(text: str, place: SealContext, keys: SubjectKeys | None) -> str:
    """A text as a reader may see it: itself where it is not sealed, what it was where the key is at hand.

    Otherwise ``(sealed)``, or ``(erased)`` where the key is known to be destroyed. Raises SealError when the text was
    moved or changed.
    """
    key_id = key_id_of(text)
    if key_id is None:
        return text
    found = None if keys is None else keys.find(key_id)
    if found is None:
        return SEALED
    return ERASED if isinstance(found, Erasure) else unseal(text, found, place)


def _arguments(arguments: Any) -> dict[str, Any]:
    if isinstance(arguments, str):
        try:
            # What cannot be read may hold anything, also what is to be sealed.
            read_arguments(arguments)
        except ArgumentsError as error:
            raise SealError(f"the arguments of a tool call {error}, so nothing in them can be sealed") from None
        arguments = json.loads(arguments) if arguments.strip() else {}
    return dict(arguments) if isinstance(arguments, dict) else {}
