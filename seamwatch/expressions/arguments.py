"""Arguments: the JSON text of a tool call, read the way every target reads it.

Numbers are doubles, but for what is written as a whole number of 2^53 or beyond: that is an int, and exact. Nothing
written, and ``null``, are no arguments. What is not one JSON object cannot be read: neither can one in which a key is
given twice, a number is beyond a double, a character is half of a surrogate pair, or that is nested deeper than 127
levels. One that is JSON inside a JSON string is text, and no object.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from seamwatch.errors import ArgumentsError
from seamwatch.expressions.tree import EXACT

MAX_DEPTH: Final = 127
_SPACE: Final = " \t\n\r"


class Unreadable:
    """What is inside arguments that cannot be read."""


UNREADABLE: Final = Unreadable()


def read_arguments(text: str | None) -> Mapping[str, Any]:
    """The object that an arguments text holds; empty when no arguments are given. Numbers are floats, or large ints.

    Raises ArgumentsError, saying why, when they cannot be read.
    """
    if not text or text == "{}":
        return {}
    try:
        value = _READER.decode(text)
        if "\\u" in text:
            # Half a surrogate pair is no character; the escape is the only way to write one.
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ArgumentsError("hold half of a surrogate pair, which is no character") from None
    except json.JSONDecodeError:
        if not text.strip(_SPACE):
            return {}
        raise ArgumentsError("are no JSON") from None
    except RecursionError:
        raise ArgumentsError(f"are nested deeper than {MAX_DEPTH} levels") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ArgumentsError(f"are {_KINDS[type(value)]}, and no JSON object")
    if _brackets(text) > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise ArgumentsError(f"are nested deeper than {MAX_DEPTH} levels")
    return value


def arguments_or_none(text: str | None) -> Mapping[str, Any] | None:
    """As `read_arguments`, but None when they cannot be read."""
    try:
        return read_arguments(text)
    except ArgumentsError:
        return None


def value_at(arguments: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """The value at a path of keys; None where there is none."""
    value: Any = arguments
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


_KINDS: Final[Mapping[type, str]] = {
    str: "text",
    list: "a list",
    bool: "a truth value",
    float: "a number",
    int: "a number",
}


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ArgumentsError(f"hold a number that is too large ({text[:40]})")
    return value


def _whole(text: str) -> float | int:
    value = _number(text)
    return value if -EXACT < value < EXACT else int(text)


def _refuse(text: str) -> float:
    raise ArgumentsError(f"hold {text}, which is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        given: set[str] = set()
        twice = next(key for key, _ in pairs if key in given or given.add(key))  # type: ignore[func-returns-value]
        raise ArgumentsError(f"give the key {twice!r} twice")
    return found


_READER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole, parse_float=_number, parse_constant=_refuse
)
"""Made once: making one takes as long as reading a call's arguments does."""


def _brackets(text: str) -> int:
    return text.count("{") + text.count("[")


def _depth(value: Any) -> int:
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        current, depth = waiting.pop()
        if isinstance(current, dict | list):
            deepest = max(deepest, depth)
            inner = current.values() if isinstance(current, dict) else current
            waiting.extend((item, depth + 1) for item in inner)
    return deepest
