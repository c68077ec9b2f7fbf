"""Scalars: what a single YAML value stands for, by the core schema of YAML 1.2. A time stays the text that it is."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Self

_DIGITS: Final = 18
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
WORDS: Final[Mapping[str, bool | None]] = MappingProxyType(
    {
        "": None, "~": None, "null": None, "Null": None, "NULL": None,
        "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    }
)  # fmt: skip
"""What stands for something other than text though it has letters, or nothing at all."""
# What no number begins with is text, unless it is one of the words.
_BEGIN_NUMBERS: Final = frozenset("+-.0123456789")


class Spelled(int):
    """A whole number that was not written as its plain digits, such as 007 or 0x1F: as a text it would be another."""

    written: str

    def __new__(cls, value: int, written: str) -> Self:  # noqa: D102
        number = super().__new__(cls, value)
        number.written = written
        return number

    def __reduce__(self) -> tuple[type[Spelled], tuple[int, str]]:
        return Spelled, (int(self), self.written)


def plain_value(text: str) -> Any:
    """The value of a text that stands without quotes and tag; raises ValueError where that has none."""
    if text in WORDS:
        return WORDS[text]
    if text[0] not in _BEGIN_NUMBERS:
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a finite number")
    if _FLOAT.fullmatch(text):
        return _float(text)
    return text


def tagged_value(tag: str, text: str) -> Any:
    """The value of a text with a tag (the whole of it, or ``!``); raises ValueError where that has none."""
    kind = tag.removeprefix("tag:yaml.org,2002:") if tag != "!" else "str"
    value: Any = text
    match kind:
        case "str" | "timestamp":
            return text
        case "int" if _INTEGER.fullmatch(text):
            return _integer(text)
        case "float" if _FLOAT.fullmatch(text):
            return _float(text)
        case "bool" if isinstance(value := WORDS.get(text), bool):
            return value
        case "null" if text in WORDS and WORDS[text] is None:
            return None
        case "int" | "float" | "bool" | "null":
            raise ValueError(f"{text[:40]!r} is no {kind}, which its tag says")
    raise ValueError(f"tag {tag.replace('tag:yaml.org,2002:', '!!')!r} is not supported: write a plain value")


def _integer(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"{text[:40]} is too large for a number: write it in quotes")
    value = int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    return value if str(value) == text else Spelled(value, text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is too large for a number")
    return value
