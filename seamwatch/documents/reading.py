"""Reading: YAML text to plain values, with the line of every key and item.

YAML 1.2 in its JSON-like part: text, numbers, true/false, null, lists, mappings with text keys. A time stays the text
that it is. Whatever is written, the answer is values and problems, never a traceback.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from seamwatch.documents.problems import Problem

MAX_BYTES: Final = 2_000_000
MAX_VALUES: Final = 100_000
MAX_DEPTH: Final = 32

Place = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: Final[dict[str, Any]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_PLAIN_TAGS: Final = tuple(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp"))


@dataclass(frozen=True, slots=True)
class Written:
    """One document as written: its plain content, the file, and the line of each place in it."""

    content: Any
    file: str
    lines: dict[Place, int] = field(repr=False)

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest one around it that has a line."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


class _Unreadable(Exception):
    """Stops the reading of a document at a line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def read_file(path: Path, shown: str) -> tuple[list[Written], list[Problem]]:
    """The documents of a file, and what is wrong with its YAML. ``shown`` names the file in problems."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return [], [Problem(shown, 1, f"cannot be read: {error.strerror or error}")]
    if len(raw) > MAX_BYTES:
        return [], [Problem(shown, 1, f"is larger than {MAX_BYTES // 1_000_000} MB: no contract is; split it")]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return [], [Problem(shown, line, "is not UTF-8 text: save it as UTF-8")]
    return read_text(text, shown)


def read_text(text: str, shown: str) -> tuple[list[Written], list[Problem]]:
    """The documents of a text, and what is wrong with its YAML."""
    documents: list[Written] = []
    problems: list[Problem] = []
    try:
        for node in _composed(text):
            reader = _Reader(shown)
            try:
                content = reader.value(node, (), 0)
            except _Unreadable as error:
                problems.append(Problem(shown, error.line, str(error)))
                continue
            problems.extend(reader.problems)
            if content is not None:
                documents.append(Written(content, shown, reader.lines))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        problems.append(Problem(shown, line, f"is not YAML: {_said(error, text, line)}"))
    except YAMLError as error:
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        problems.append(Problem(shown, line, "is not YAML: it holds a character that no YAML may hold"))
    except RecursionError:
        problems.append(Problem(shown, 1, f"is nested deeper than {MAX_DEPTH} levels"))
    except Exception as error:  # noqa: BLE001  the parser is a third party's, the text anybody's
        problems.append(Problem(shown, 1, f"is not YAML ({type(error).__name__}: {error})"))
    return documents, problems


def _composed(text: str) -> Iterator[Node]:
    yaml = YAML(typ="rt", pure=True)
    yield from (node for node in yaml.compose_all(text) if node is not None)


def _said(error: MarkedYAMLError, text: str, line: int) -> str:
    lines = text.splitlines()
    if line <= len(lines) and "\t" in lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]:
        return "it is indented with a tab; use spaces"
    parts = (error.context, error.problem)
    return ", ".join(" ".join(str(part).split()) for part in parts if part)


class _Reader:
    """Turns the nodes of one document into plain values, keeping lines."""

    def __init__(self, file: str) -> None:
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []
        self._file = file
        self._values = 0

    def value(self, node: Node, place: Place, depth: int) -> Any:
        """The plain value of a node; raises _Unreadable where there is none."""
        line = node.start_mark.line + 1
        self.lines.setdefault(place, line)
        self._values += 1
        # An alias stands for its anchor's whole value; a few lines of them can stand for billions.
        if self._values > MAX_VALUES:
            raise _Unreadable(line, f"holds more than {MAX_VALUES} values")
        if depth > MAX_DEPTH:
            raise _Unreadable(line, f"is nested deeper than {MAX_DEPTH} levels")
        if isinstance(node, MappingNode):
            return self._mapping(node, place, depth)
        if isinstance(node, SequenceNode):
            return [self._item(item, (*place, index), depth) for index, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return _scalar(node, line)

    def _item(self, node: Node, place: Place, depth: int) -> Any:
        return self.value(node, place, depth + 1)

    def _mapping(self, node: MappingNode, place: Place, depth: int) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                raise _Unreadable(line, "a key is a list or a mapping: keys are text")
            key = str(key_node.value)
            if key == "<<":
                raise _Unreadable(line, "merge keys (<<) are not supported: write the keys out")
            if key in content:
                first = self.lines[(*place, key)]
                self.problems.append(Problem(self._file, line, f"key {key!r} is given twice: first in line {first}"))
                continue
            self.lines[(*place, key)] = line
            content[key] = self.value(value_node, (*place, key), depth + 1)
        return content


def _scalar(node: ScalarNode, line: int) -> Any:
    text = str(node.value)
    tag = str(node.tag) if node.tag is not None else _PLAIN_TAGS[0]
    if tag not in _PLAIN_TAGS:
        raise _Unreadable(
            line, f"tag {tag.replace('tag:yaml.org,2002:', '!!')!r} is not supported: write a plain value"
        )
    if node.style in ("'", '"', "|", ">"):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        if len(text) > 18:
            raise _Unreadable(line, f"{text[:40]} is too large for a number: write it in quotes")
        return int(text)
    if _NOT_FINITE.fullmatch(text):
        raise _Unreadable(line, f"{text} is not a finite number")
    if _FLOAT.fullmatch(text):
        value = float(text)
        if not math.isfinite(value):
            raise _Unreadable(line, f"{text[:40]} is too large for a number")
        return value
    return text
