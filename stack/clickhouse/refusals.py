"""Errors as ClickHouse words them: a code, a name and a text, and the HTTP status each goes out with.

Used by the local ClickHouse server only; what it raises ends in a reply, never at a caller of ours.
"""

from __future__ import annotations

import errno
import re
from typing import Final

_STATUS: Final = {
    400: (6, 7, 15, 26, 27, 34, 36, 41, 42, 43, 44, 53, 62, 69, 70, 72, 117, 131, 456, 457),
    401: (194,),
    403: (192, 193, 291, 497, 516),
    404: (46, 47, 50, 60, 63, 73, 81, 115, 568),
    408: (159, 160),
    413: (223,),
    501: (48,),
    503: (76, 210),
}
_STATUS_OF: Final = {code: status for status, codes in _STATUS.items() for code in codes}
_ENGINE = re.compile(r"Code: (?P<code>\d+)\. DB::Exception: (?P<text>.*)", re.DOTALL)
_PREFIXES = re.compile(r"^(?:Streaming \w+ (?:\w+ )?failed: )+")
_NO_SPACE = re.compile(r"No space left on device|Disk quota exceeded|errno: (?:28|122)\b|NOT_ENOUGH_SPACE")
_VERSION_SUFFIX = re.compile(r" \(version [^)]*(?:\([^)]*\))?\)\s*$")


class Refusal(Exception):
    """A statement that is not carried out, with ClickHouse's code and name for why."""

    def __init__(self, code: int, name: str, text: str) -> None:
        super().__init__(f"{text}. ({name})" if name else text)
        self.code = code

    @property
    def status(self) -> int:
        """The HTTP status that ClickHouse gives this code."""
        return _STATUS_OF.get(self.code, 500)

    def body(self, version: str) -> str:
        """The reply's text, as ClickHouse writes it."""
        return f"Code: {self.code}. DB::Exception: {self} (version {version} (local stack))\n"


def of_engine(error: BaseException) -> Refusal:
    """The refusal that an exception of the engine stands for; code 1002 (UNKNOWN_EXCEPTION) when it has none.

    A disk that is full, or a quota that is used up, comes in many guises, those of the system's own errors among them:
    it is always NOT_ENOUGH_SPACE, so that clients wait.
    """
    text = _PREFIXES.sub("", str(error))
    match = _ENGINE.search(text)
    said = text if match is None else _VERSION_SUFFIX.sub("", match["text"].strip())
    if _NO_SPACE.search(text) or (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)):
        return Refusal(243, "" if "(NOT_ENOUGH_SPACE)" in said else "NOT_ENOUGH_SPACE", said)
    if match is None:
        return Refusal(1002, "UNKNOWN_EXCEPTION", text or type(error).__name__)
    return Refusal(int(match["code"]), "", said)
