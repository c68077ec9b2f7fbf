"""Arguments: the JSON text of a tool call, read the way every target reads it.

Numbers are doubles; of a key given twice the last counts. A text that is no JSON object, holds a number beyond a
double or half a surrogate pair, or is nested deeper than 127 levels, has nothing inside: every path is NULL.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

MAX_DEPTH: Final = 127


def read_arguments(text: str | None) -> Mapping[str, Any]:
    """The object that an arguments text holds; empty when it holds none. Numbers are floats."""
    if not text:
        return {}
    try:
        value = _READER.decode(text)
        if "\\u" in text:
            # Half a surrogate pair is no character; the escape is the only way to write one.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return {}
    if not isinstance(value, dict) or (_brackets(text) > MAX_DEPTH and _depth(value) > MAX_DEPTH):
        return {}
    return value


def value_at(arguments: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """The value at a path of keys; None where there is none."""
    value: Any = arguments
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is beyond a double")
    return value


def _refuse(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


_READER: Final = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_refuse)
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
