"""Reading: YAML text to plain values, with the line of every key and item.

YAML 1.2, core schema: text, numbers, true/false, null, lists, mappings with text keys. A time stays the text that it
is. Whatever is written, the answer is values and problems, never a traceback.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from yaml.error import MarkedYAMLError, YAMLError

from seamwatch.documents.composing import Composed, Lines, Unreadable, composed
from seamwatch.documents.problems import Problem

MAX_BYTES: Final = 2_000_000

Place = tuple[str | int, ...]

# Line breaks to YAML 1.1, which libyaml was written for; characters like any other to YAML 1.2.
_BREAKS: Final = "\x85\u2028\u2029"
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Written:
    """One document as written: its plain content, the file, and the line of each place in it."""

    content: Any
    file: str
    lines: Lines = field(repr=False)

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest one around it that has a line."""
        below = self.lines
        line = _line(below)
        for part in place:
            children = below[1] if isinstance(below, tuple) else None
            if isinstance(children, dict) and part in children:
                line, below = children[part]
            elif isinstance(children, list) and isinstance(part, int) and part < len(children):
                below = children[part]
                line = _line(below)
            else:
                break
        return line


def _line(lines: Lines) -> int:
    line: int = lines[0] if isinstance(lines, tuple) else lines
    return line


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
        for found in _documents(text):
            if isinstance(found, Unreadable):
                problems.append(Problem(shown, found.line, str(found)))
                continue
            problems.extend(Problem(shown, line, message) for line, message in found.wrong)
            if found.content is not None:
                documents.append(Written(found.content, shown, found.lines))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        problems.append(Problem(shown, line, f"is not YAML: {_said(error, text, line)}"))
    except (YAMLError, UnicodeEncodeError) as error:
        problems.append(_unprintable(text, shown, error))
    except Exception as error:  # noqa: BLE001  the parser is a third party's, the text anybody's
        problems.append(Problem(shown, 1, f"is not YAML ({type(error).__name__}: {error})"))
    return documents, problems


def _documents(text: str) -> Iterator[Composed | Unreadable]:
    breaks = [character for character in _BREAKS if character in text]
    if not breaks:
        yield from composed(text)
        return
    # The parser is shown other characters instead, of those that nobody else gives a meaning.
    private = (chr(code) for code in range(0xE000, 0xF900) if chr(code) not in text)
    shown: dict[str, str | int | None] = dict(zip(breaks, private, strict=False))
    meant = {ord(str(other)): character for character, other in shown.items()}

    def said(message: str) -> str:
        for character, other in shown.items():
            message = message.replace(repr(other)[1:-1], repr(character)[1:-1])
        return message

    for found in composed(text.translate(str.maketrans(shown))):
        if isinstance(found, Unreadable):
            yield Unreadable(found.line, said(str(found)))
        else:
            wrong = tuple((line, said(message)) for line, message in found.wrong)
            yield Composed(_translated(found.content, meant), _translated(found.lines, meant), wrong)


def _translated(value: Any, meant: Mapping[int, str]) -> Any:
    if isinstance(value, str):
        return value.translate(meant)
    if isinstance(value, dict):
        return {_translated(key, meant): _translated(inner, meant) for key, inner in value.items()}
    if isinstance(value, list):
        return [_translated(item, meant) for item in value]
    return tuple(_translated(item, meant) for item in value) if isinstance(value, tuple) else value


def _unprintable(text: str, shown: str, error: Exception) -> Problem:
    found = _FORBIDDEN.search(text)
    if found is None:
        return Problem(shown, 1, f"is not YAML ({error})")
    line = text.count("\n", 0, found.start()) + 1
    code = ord(found.group())
    written = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    message = f'it holds a character that no YAML may hold, U+{code:04X}: write "{written}", in double quotes'
    return Problem(shown, line, f"is not YAML: {message}")


def _said(error: MarkedYAMLError, text: str, line: int) -> str:
    lines = text.splitlines()
    if line <= len(lines) and "\t" in lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]:
        return "it is indented with a tab; use spaces"
    parts = (error.context, error.problem)
    return ", ".join(" ".join(str(part).split()) for part in parts if part)
