"""Marks: from where a pager that starts reads on, and which older records it needs, so that it need not read all.

A mark is committed with the offset of its partition, under the follower's group: the offset is from where everything is
read, the metadata are the offsets of those records before it that still matter. Without a mark (none was committed, or
it has expired) all is read. Text and numbers only.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

_LONGEST: Final = 4_000
"""A broker takes 4096 bytes of metadata, unless it is told otherwise."""
_VERSION: Final = "1"
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Mark:
    """From where a partition is read, and the offsets of the records before that are needed, in order."""

    position: int
    needed: tuple[int, ...] = ()


def mark_of(position: int, needed: Collection[int]) -> Mark:
    """The mark of a partition of which these records are needed, and all from ``position`` on.

    Where more are needed than there is room for, it is read from the first that is left out.
    """
    before = sorted({offset for offset in needed if offset < position})
    length, last = len(_VERSION), 0
    for index, offset in enumerate(before):
        length += 1 + len(_text(offset - last))
        if length > _LONGEST:
            return Mark(offset, tuple(before[:index]))
        last = offset
    return Mark(position, tuple(before))


def written(mark: Mark) -> str:
    """The metadata of a mark: how far each needed offset is from the one before, in base 36."""
    parts, last = [_VERSION], 0
    for offset in mark.needed:
        parts.append(_text(offset - last))
        last = offset
    return ",".join(parts)


def read(position: int, metadata: str | None) -> Mark | None:
    """The mark that was committed; None where it was none, or is of a version that is not known."""
    version, *parts = (metadata or "").split(",")
    if version != _VERSION or position < 0:
        return None
    needed, last = [], 0
    for part in parts:
        try:
            last += int(part, 36)
        except ValueError:
            return None
        needed.append(last)
    return Mark(position, tuple(needed))


def _text(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
        if not number:
            return digits
