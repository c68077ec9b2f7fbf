"""Composing: the events of libyaml's parser to plain values, each with the lines of its keys and items.

Bounds are kept while events come, so that no text takes more than it is worth: a document's depth, and its values
with those that aliases stand for again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from seamwatch.documents.scalars import WORDS, Spelled, plain_value, tagged_value

MAX_VALUES: Final = 100_000
MAX_DEPTH: Final = 32

Lines = Any
"""The line of a value, and where it holds others (line, those of its items by number, or (line of the key, those of the
value) by key): nested, as the value is. mypy knows no type that holds itself in a tuple."""


class Unreadable(Exception):
    """Stops the reading of one document, at a line; ``deep``: of the whole text, as what follows may be as deep."""

    def __init__(self, line: int, message: str, *, deep: bool = False) -> None:
        super().__init__(message)
        self.line = line
        self.deep = deep


@dataclass(frozen=True, slots=True)
class Composed:
    """One document: its content and lines, and what is wrong in it (line, message) though it could be read."""

    content: Any
    lines: Lines
    wrong: tuple[tuple[int, str], ...] = ()


class _Parser(Protocol):
    def get_event(self) -> Any: ...


def composed(text: str) -> Iterator[Composed | Unreadable]:
    """The documents of a text, or why one has no value; raises YAMLError where the text is no YAML any more."""
    parser = _parser(text)
    parser.get_event()  # the stream begins
    while not isinstance(parser.get_event(), StreamEndEvent):
        reader = _Document(parser.get_event)
        try:
            content, lines = reader.value(parser.get_event(), 0)
        except Unreadable as error:
            yield error
            if error.deep:
                return  # a parser's time for a level may grow with the levels around it
        else:
            yield Composed(content, lines, tuple(reader.wrong))
        while not isinstance(parser.get_event(), DocumentEndEvent):
            pass


def _parser(text: str) -> _Parser:
    try:
        from yaml.cyaml import CParser
    except ImportError:  # PyYAML was built without libyaml: its own parser says the same, more slowly
        return _pure(text)
    parser: _Parser = CParser(text)
    return parser


def _pure(text: str) -> _Parser:
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class Pure(Reader, Scanner, Parser):  # type: ignore[misc]  # PyYAML ships no types
        def __init__(self) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)

    parser: _Parser = Pure()
    return parser


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What an alias stands for, how many values that is and how many levels deep."""

    value: Any
    lines: Lines
    values: int
    height: int


class _Document:
    """Reads the events of one document, from that of its value on."""

    def __init__(self, following: Callable[[], Any]) -> None:
        self.wrong: list[tuple[int, str]] = []
        self._following = following
        self._values = 0
        self._deepest = 0
        self._anchors: dict[str, _Anchored | None] = {}

    def value(self, event: Any, depth: int) -> tuple[Any, Lines]:
        """The value that an event begins, and its lines; raises Unreadable where it has none."""
        if event.anchor is not None:
            return self._anchored(event, depth)
        line = event.start_mark.line + 1
        self._count(line, depth)
        kind = type(event)
        if kind is ScalarEvent:
            return _scalar(event, line), line
        return self._mapping(event, line, depth) if kind is MappingStartEvent else self._sequence(event, line, depth)

    def _count(self, line: int, depth: int) -> None:
        if depth > self._deepest:
            self._deepest = depth
        self._values += 1
        if self._values > MAX_VALUES:
            raise Unreadable(line, f"holds more than {MAX_VALUES} values")
        if depth > MAX_DEPTH:
            raise Unreadable(line, f"is nested deeper than {MAX_DEPTH} levels", deep=True)

    def _anchored(self, event: Any, depth: int) -> tuple[Any, Lines]:
        name, event.anchor = event.anchor, None
        if isinstance(event, AliasEvent):
            return self._alias(name, event.start_mark.line + 1, depth)
        before, deepest, self._deepest = self._values, self._deepest, depth
        self._anchors[name] = None
        value, lines = self.value(event, depth)
        self._anchors[name] = _Anchored(value, lines, self._values - before, self._deepest - depth)
        self._deepest = max(deepest, self._deepest)
        return value, lines

    def _alias(self, name: str, line: int, depth: int) -> tuple[Any, Lines]:
        if name not in self._anchors:
            raise Unreadable(line, f"alias '*{name}' stands for nothing: no '&{name}' is before it")
        known = self._anchors[name]
        if known is None:
            raise Unreadable(line, f"alias '*{name}' stands inside what it stands for")
        # A few lines of aliases can stand for billions of values.
        self._values += known.values
        self._deepest = max(self._deepest, depth + known.height)
        if self._values > MAX_VALUES:
            raise Unreadable(line, f"holds more than {MAX_VALUES} values")
        if self._deepest > MAX_DEPTH:
            raise Unreadable(line, f"is nested deeper than {MAX_DEPTH} levels")
        return known.value, known.lines

    def _sequence(self, event: Any, line: int, depth: int) -> tuple[list[Any], Lines]:
        _plain_tag(event, line, "seq")
        items: list[Any] = []
        lines: list[Lines] = []
        following = self._following
        while type(event := following()) is not SequenceEndEvent:
            item, at = self.value(event, depth + 1)
            items.append(item)
            lines.append(at)
        return items, (line, lines)

    def _mapping(self, event: Any, line: int, depth: int) -> tuple[dict[str, Any], Lines]:
        _plain_tag(event, line, "map")
        content: dict[str, Any] = {}
        lines: dict[str, tuple[int, Lines]] = {}
        following = self._following
        below: Lines
        while type(event := following()) is not MappingEndEvent:
            at = event.start_mark.line + 1
            key = self._key(event, at, depth)
            event = following()
            if type(event) is ScalarEvent and event.anchor is None:  # the same as below, for what there is most of
                below = event.start_mark.line + 1
                self._count(below, depth + 1)
                value = _scalar(event, below)
            else:
                value, below = self.value(event, depth + 1)
            if key in content:
                self.wrong.append((at, f"key {key!r} is given twice: first in line {lines[key][0]}"))
                continue
            content[key] = value
            lines[key] = (at, below)
        return content, (line, lines)

    def _key(self, event: Any, line: int, depth: int) -> str:
        plain = type(event) is ScalarEvent and not event.style and event.tag is None
        if plain and event.anchor is None and event.value.isidentifier() and event.value not in WORDS:
            self._values += 1
            return str(event.value)
        if plain and event.value == "<<":
            raise Unreadable(line, "merge keys (<<) are not supported: write the keys out")
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            raise Unreadable(line, "a key is a list or a mapping: keys are text")
        key, _ = self.value(event, depth)
        if isinstance(key, str):
            return key
        if isinstance(key, int) and not isinstance(key, bool | Spelled):
            return str(key)
        if isinstance(key, list | dict):
            raise Unreadable(line, "a key is a list or a mapping: keys are text")
        shown = repr(event.value) if isinstance(event, ScalarEvent) else "an alias"
        raise Unreadable(line, f"key {shown} is not read as text: write it in quotes")


def _plain_tag(event: Any, line: int, kind: str) -> None:
    if event.tag not in (None, "!", f"tag:yaml.org,2002:{kind}"):
        raise Unreadable(line, f"tag {event.tag.replace('tag:yaml.org,2002:', '!!')!r} is not supported: leave it out")


def _scalar(event: Any, line: int) -> Any:
    try:
        if event.tag is not None:
            return tagged_value(event.tag, event.value)
        return event.value if event.style else plain_value(event.value)
    except ValueError as error:
        raise Unreadable(line, str(error)) from None
