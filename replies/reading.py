"""Reading: JSON that services send, its times among it, told from what is none. Knows no service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from replies.reply import malformed
from seamwatch.instants import parse_time


def content_of(body: bytes) -> tuple[str, Mapping[str, Any]]:
    """A body as text, and the JSON object that it is. Raises NotRelayedError for what is none."""
    try:
        text = body.decode()
        content = json.loads(text)
        # Half a character, written as an escape, is text in no encoding.
        json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise malformed("the body is no JSON") from None
    if not isinstance(content, Mapping):
        raise malformed("the body is no JSON object")
    return text, content


def moment_of(value: Any, name: str) -> int:
    """A time of RFC 3339, as micros. Raises NotRelayedError for what is none."""
    try:
        return parse_time(value)
    except (ValueError, TypeError, AttributeError):
        raise malformed(f"{name} is no time as RFC 3339 writes it") from None
