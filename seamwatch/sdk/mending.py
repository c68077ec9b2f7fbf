"""Mending: what is to be reported although a text in it holds half a character, which no encoding of text can carry.

A service that cuts a text in the middle of an emoji must not lose the evidence of what it did, and an agent must not be
able to hide a call by it. So half a character is sent as U+FFFD, and that is counted. Nothing else is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from seamwatch.errors import BrokenText

T = TypeVar("T")


def mended(value: Any) -> Any:
    """A value with U+FFFD in the place of every half character in its texts; two halves of one are put together."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, Mapping):
        return {mended(key): mended(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mended(item) for item in value]
    return value


def reported(make: Callable[[dict[str, Any]], T], record: dict[str, Any], note: Callable[[BrokenText], None]) -> T:
    """What ``make`` makes of a record, or else of the mended one, of which ``note`` is told first; it may raise."""
    try:
        return make(record)
    except UnicodeEncodeError as error:
        # Whoever seals a text, or writes a key, encodes it before the codec looks at it.
        broken = BrokenText(f"a text of the event cannot be encoded: {error.reason}")
    except BrokenText as error:
        broken = error
    note(broken)
    return make(mended(record))
