"""Arguments: what a tool is called with, as the one JSON text that is both judged and reported.

What cannot be written as JSON cannot be judged, and so is a fault; nothing is guessed at.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from seamwatch.errors import ArgumentsError
from seamwatch.expressions.arguments import UNREADABLE, Unreadable, read_arguments


@dataclass(frozen=True, slots=True)
class Read:
    """Arguments as read: ``fault`` says why they cannot be judged, ``attributes`` what is reported in their place."""

    text: str
    values: Mapping[str, Any] | Unreadable = field(default_factory=dict)
    fault: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


def read(given: Mapping[str, Any] | str | None, largest: int) -> Read:
    """The arguments as text and as values (`read_arguments`); ``largest`` bounds the text's bytes."""
    if given is None:
        return Read("{}")
    try:
        text = given if isinstance(given, str) else _written(given)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        # A surrogate in a text counts here too: it has no UTF-8.
        return Read("{}", fault=f"its arguments cannot be written as JSON, so nothing in them can be judged: {error}")
    if size > largest:
        digest = hashlib.sha256(text.encode()).hexdigest()
        said = {"arguments_bytes": str(size), "arguments_sha256": digest}
        return Read("{}", fault=f"its arguments take {size} bytes; at most {largest} are judged", attributes=said)
    try:
        return Read(text, read_arguments(text))
    except ArgumentsError as error:
        return Read(text, UNREADABLE, fault=f"its arguments {error}, so nothing in them can be judged")


def _written(given: object) -> str:
    if not isinstance(given, Mapping):
        raise TypeError(f"{type(given).__name__} is no mapping of names to values")
    return _ENCODER.encode(given if isinstance(given, dict) else dict(given))


def _plain(value: Any) -> Any:
    """A value that JSON has no form for, in the form that others read it in. Raises TypeError for all else."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        # A whole one keeps its digits: it may be an id.
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID | PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} has no JSON; leave it out of what is judged")


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain)
