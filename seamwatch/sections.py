"""Sections: what a message says in parts with a heading each, and the same as plain text. Knows no channel.

Where a service shows headings and lists, its channel makes them of the sections; all others are sent the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from seamwatch.printable import on_one_line

Mark = Literal["", "breach", "warning", "overdue"]
"""What is to be seen first of an item; nothing of most."""


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list: what it is, a mark before it, what is added in a second line, and where to look at it."""

    text: str
    mark: Mark = ""
    more: str = ""
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a message: a heading, sentences, and a list; ``number`` is how many entries the list would have.

    ``fixed`` are lines that must stand as they are, such as commands, and ``button`` is an address with its words.
    """

    title: str = ""
    sentences: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    number: int = 0
    fixed: tuple[str, ...] = ()
    button: tuple[str, str] | None = None

    @property
    def left_out(self) -> int:
        """How many entries are not in the list."""
        return max(0, self.number - len(self.items))


def printable_section(section: Section) -> Section:
    """The same, in which nothing that others named moves a cursor, or begins a line that looks like one of ours."""
    return replace(
        section,
        title=on_one_line(section.title),
        sentences=tuple(map(on_one_line, section.sentences)),
        items=tuple(replace(each, text=on_one_line(each.text), more=on_one_line(each.more)) for each in section.items),
        fixed=tuple(map(on_one_line, section.fixed)),
    )


def text_of(sections: Sequence[Section]) -> str:
    """Sections as plain text, an empty line between two."""
    return "\n\n".join("\n".join(_lines(section)) for section in sections)


def with_at_most(sections: Sequence[Section], most: int) -> tuple[Section, ...]:
    """The sections, no list longer than so many entries; how many there are is said all the same."""
    return tuple(
        replace(section, items=section.items[:most], number=max(section.number, len(section.items)))
        for section in sections
    )


def _lines(section: Section) -> list[str]:
    lines = [section.title] if section.title else []
    lines += section.sentences
    for item in section.items:
        lines.append(f"  {item.mark.upper() + ' ' if item.mark else '- '}{item.text}")
        lines += [f"      {item.more}"] if item.more else []
    if section.left_out:
        lines.append(f"  and {section.left_out} more")
    lines += section.fixed
    return lines
