"""Printable: text that others wrote, made fit for a terminal, a log or a page. It changes nothing that is recorded.

What moves a cursor, sets a colour, turns the direction of writing or is half a character is shown as its escape, of a
backslash, `u` and four digits: it can neither hide what stands beside it nor pretend to be a line of ours. In JSON the
escape means the character, so what a machine reads is unchanged.
"""

from __future__ import annotations

import re
from typing import Any, Final, TextIO

_UNFIT: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
_STYLE: Final = re.compile(r"(\x1b\[[0-79;]*m)")
"""Colours and weights as we print them; not 8, which hides."""


def printable(text: str) -> str:
    """The text with an escape for each character that shows nothing but does something; line ends and tabs are kept."""
    return _UNFIT.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def on_one_line(text: str) -> str:
    """The same without line ends, which in a list of facts would begin what looks like another of them."""
    return printable(" ".join(text.split("\n")))


class Printed:
    """A stream of text on which nothing unprintable arrives; the styles of our own only where ``styled``, a terminal.

    Everything else is the stream's. ``unguarded`` is the stream itself, for what draws on a terminal by itself.
    """

    def __init__(self, stream: TextIO) -> None:
        self.unguarded: Final = stream
        self._styled = stream.isatty()

    def write(self, text: str) -> int:
        """Write it; returns how many characters were asked for."""
        if _UNFIT.search(text):
            parts = _STYLE.split(text) if self._styled else [text]
            shown = [part if number % 2 else printable(part) for number, part in enumerate(parts)]
            self.unguarded.write("".join(shown))
        else:
            self.unguarded.write(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Each of them."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unguarded, name)


def unguarded(stream: TextIO) -> TextIO:
    """The stream itself, for what draws on a terminal, of texts that are all ours."""
    return stream.unguarded if isinstance(stream, Printed) else stream
