"""Tables and sentences for a terminal of any width, in which no word is ever cut: a copied id is a whole id.

A row is a line where all of it fits. Where it does not, cells go on in further lines, between words; and where even the
longest words do not fit beside one another, each row is a paragraph of named values. Text to text; what is printed to
no terminal is a line a row.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from seamwatch.printable import printable

GAP: Final = 2
INDENT: Final = "  "
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """Print a table for a person; ``empty`` when there is nothing in it."""
    width = terminal_width()
    for line in table_lines(columns, rows, empty=empty, width=width, bold=width is not None and _has_styles()):
        print(line)


def print_text(text: str, *, indent: str = "", further: str | None = None) -> None:
    """Print a sentence, on a terminal broken between words; ``further`` indents all lines but the first."""
    for line in text_lines(printable(text), indent=indent, further=further, width=terminal_width()):
        print(line)


def print_note(text: str, *, aside: bool) -> None:
    """Print what is to be said beside an answer: below it, or on standard error when the answer is for a machine."""
    if aside:
        print(printable(text), file=sys.stderr)
    else:
        print_text(text)


def terminal_width() -> int | None:
    """The columns of the terminal; None where the output is for no terminal, and lines have no bound."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table_lines(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str, width: int | None, bold: bool = False
) -> list[str]:
    """The lines of a table that is to be so many columns wide; longer only where a single word is."""
    shown = [[_plain(cell) for cell in row] for row in rows]
    if not shown:
        return [empty]
    heads = [_plain(column) for column in columns]
    cells = [heads, *shown]
    needed = [max(_width(row[index]) for row in cells) for index in range(len(heads))]
    least = [
        max(_width(heads[index]), *(_width(word) for row in shown for word in row[index].split(" ")))
        for index in range(len(heads))
    ]
    gaps = GAP * (len(heads) - 1)
    if width is not None and sum(least) + gaps > width:
        return _paragraphs(heads, shown, width, bold=bold)
    widths = needed if width is None else _shared(needed, least, width - gaps)
    lines = []
    for number, row in enumerate(cells):
        broken = [_broken(cell, room) for cell, room in zip(row, widths, strict=True)]
        for part in range(max(map(len, broken))):
            rows_text = (
                _padded(cell[part] if part < len(cell) else "", room) for cell, room in zip(broken, widths, strict=True)
            )
            line = (" " * GAP).join(rows_text).rstrip()
            lines.append(f"{_BOLD}{line}{_PLAIN}" if bold and number == 0 else line)
    return lines


def text_lines(text: str, *, indent: str = "", further: str | None = None, width: int | None) -> list[str]:
    """A sentence in lines of so many columns, broken between words only."""
    rest = indent if further is None else further
    if width is None:
        return [indent + _plain(text)]
    parts = _broken(_plain(text), width - len(rest), first=width - len(indent))
    return [(rest if number else indent) + part for number, part in enumerate(parts)]


def _shared(needed: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths between the least and what is needed, which together are no more than the room there is."""
    widths = list(least)
    left = room - sum(widths)
    while left > 0 and (wanting := [index for index, width in enumerate(widths) if width < needed[index]]):
        share = max(1, left // len(wanting))
        for index in wanting:
            more = min(share, needed[index] - widths[index], left)
            widths[index] += more
            left -= more
    return widths


def _paragraphs(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int, *, bold: bool) -> list[str]:
    """Each row as its first cell, and below it the others that say something, by their names."""
    lines: list[str] = []
    for row in rows:
        first = _broken(row[0], width) or [""]
        lines += [f"{_BOLD}{line}{_PLAIN}" if bold else line for line in first]
        line = ""
        for head, cell in zip(heads[1:], row[1:], strict=True):
            if not cell.strip():
                continue
            piece = f"{head} {cell}"
            if line and _width(INDENT) + _width(line) + 3 + _width(piece) <= width:
                line += f"   {piece}"
                continue
            lines += text_lines(line, indent=INDENT, further=INDENT * 2, width=width) if line else []
            line = piece
        lines += text_lines(line, indent=INDENT, further=INDENT * 2, width=width) if line else []
    return lines


def _broken(text: str, width: int, first: int | None = None) -> list[str]:
    """A text in lines, broken between words. A word that is longer than a line is a line of its own.

    ``first`` is the width of the first line, where it is another.
    """
    room = width if first is None else first
    if _width(text) <= room:
        return [text]
    words = text.split(" ")
    lines: list[str] = []
    line = words[0]
    for word in words[1:]:
        if line.strip() and _width(line) + 1 + _width(word) > room:
            lines.append(line.rstrip())
            line, room = word, width
        else:
            line = f"{line} {word}"
    return [*lines, line.rstrip()]


def _plain(text: str) -> str:
    # What others wrote must neither move the cursor nor end a line.
    return "".join(character if character.isprintable() else " " for character in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _has_styles() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in (None, "", "dumb")
