"""Just enough ClickHouse SQL to serve it over HTTP: where a statement ends, its FORMAT, where an insert's data begin.

A lexer over bytes, because the data of an insert follow its text in the same body and need not be UTF-8. It does not
parse: what a statement may do is asked of the engine's own parser (``stack.clickhouse.readonly``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_TOKEN = re.compile(
    rb"""
    (?P<space>\s+)
  | (?P<comment>--[^\n]*|\#[ !][^\n]*|/\*.*?\*/)
  | (?P<quoted>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`)
  | (?P<heredoc>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
  | (?P<word>\w+)
  | (?P<other>.)
    """,
    re.DOTALL | re.VERBOSE,
)
_ESCAPES = str.maketrans(
    {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0", "\b": "\\b", "\f": "\\f"}
)
_BLANK = frozenset({"space", "comment"})


class Token(NamedTuple):
    """A word, a quoted text or one other character, at ``start`` to ``end`` in the statement's bytes."""

    kind: str
    text: bytes
    start: int
    end: int

    @property
    def keyword(self) -> str:
        """The word in capitals; empty for anything that is no bare word."""
        return self.text.decode("ascii", "replace").upper() if self.kind == "word" else ""


@dataclass(frozen=True, slots=True)
class InsertHead:
    """An insert whose data follow: what it says up to them, in parts, and where they start."""

    into: str
    settings: str
    format: str
    data_start: int

    def from_file(self, path: str) -> str:
        """The same insert, of the data in a file."""
        # Lines of their own: the text may end in a comment.
        return f"{self.into}\nFROM INFILE {quoted(path)}\n{self.settings}\nFORMAT {self.format}"


def quoted(text: str) -> str:
    """A text as a string literal."""
    return f"'{text.translate(_ESCAPES)}'"


def tokens(sql: bytes) -> Iterator[Token]:
    """The tokens of a statement in order, without blanks and comments."""
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup if match.lastgroup != "tag" else "heredoc"
        assert kind is not None
        if kind not in _BLANK:
            yield Token(kind, match.group(), match.start(), match.end())


def first_keyword(sql: bytes) -> str:
    """The word a statement starts with, in capitals, past any opening brackets; empty when there is none."""
    return next((token.keyword for token in tokens(sql) if token.text != b"("), "")


def trailing_statement(sql: bytes) -> str | None:
    """What follows the first ``;`` of the text, when that is more than blanks and further semicolons."""
    ended = False
    for token in tokens(sql):
        if token.text == b";":
            ended = True
        elif ended:
            return sql[token.start :].decode("utf-8", "replace")
    return None


def output_format(sql: bytes) -> str | None:
    """The name after the last FORMAT outside brackets of a query, or None when it names none."""
    depth, found, previous = 0, None, None
    for token in tokens(sql):
        depth += {b"(": 1, b")": -1}.get(token.text, 0)
        if depth == 0 and token.kind == "word" and previous is not None and previous.keyword == "FORMAT":
            found = token.text.decode("ascii", "replace")
        previous = token
    return found


def insert_head(sql: bytes) -> InsertHead | None:
    """The head of an ``INSERT … FORMAT name`` or ``INSERT … VALUES``, or None when no data are to follow it.

    ``INSERT … SELECT`` has no data of its own; nor has a text that ends before its format (there None means
    "not yet": call again with more).
    """
    stream = iter(tokens(sql))
    if next(stream, _END).keyword != "INSERT" or next(stream, _END).keyword != "INTO":
        return None
    depth, named, settings = 0, False, None
    for token in stream:
        depth += {b"(": 1, b")": -1}.get(token.text, 0)
        if not named:
            # The table may itself be called format or values; TABLE and FUNCTION stand before its name.
            named = token.keyword not in {"TABLE", "FUNCTION"}
        elif depth == 0 and token.keyword in {"SELECT", "WITH", "FROM"}:
            return None
        elif depth == 0 and token.keyword == "SETTINGS" and settings is None:
            settings = token.start
        elif depth == 0 and token.keyword == "VALUES":
            return _head(sql, settings, token.start, "Values", token.end)
        elif depth == 0 and token.keyword == "FORMAT":
            name = next(stream, _END)
            if name.kind != "word":
                return None
            return _head(sql, settings, token.start, name.text.decode(), _data_start(sql, name.end))
    return None


def _head(sql: bytes, settings: int | None, end: int, name: str, data_start: int) -> InsertHead:
    middle = end if settings is None else settings
    return InsertHead(sql[:middle].decode().strip(), sql[middle:end].decode().strip(), name, data_start)


_END = Token("end", b"", 0, 0)


def _data_start(sql: bytes, position: int) -> int:
    # ClickHouse's own rule: blanks on the line of the format, then at most one line break, belong to the text.
    while sql[position : position + 1] in {b" ", b"\t", b"\f"}:
        position += 1
    for character in (b"\r", b"\n"):
        if sql[position : position + 1] == character:
            position += 1
    return position
