"""Listing: long lists in pages, by the address alone, so that it works without JavaScript. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from urllib.parse import urlencode

Item = TypeVar("Item")

PAGE: Final = 50
"""So many rows are on a page at most."""


@dataclass(frozen=True, slots=True)
class Listed(Generic[Item]):
    """One page of a list. ``number`` counts from 1; ``total`` is how many there are on all pages, each of ``size``."""

    items: Sequence[Item]
    number: int
    total: int
    size: int = PAGE

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        """The number of the first item shown, from 1; 0 of an empty list."""
        return (self.number - 1) * self.size + 1 if self.total else 0

    @property
    def last(self) -> int:
        """The number of the last item shown."""
        return min(self.first + self.size - 1, self.total) if self.total else 0


def listed(items: Sequence[Item], number: int) -> Listed[Item]:
    """The page of this number; the last one where there are fewer."""
    pages = max(1, -(-len(items) // PAGE))
    number = min(max(number, 1), pages)
    return Listed(items[(number - 1) * PAGE : number * PAGE], number, len(items))


def address(path: str, **asked: object) -> str:
    """An address with what is asked there; what is None or empty is left out."""
    given = {name: str(value) for name, value in asked.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(given)}" if given else path


def with_or_after(
    path: str, shown: Callable[[], Mapping[str, object]], *, whole: bool, **asked: object
) -> dict[str, object]:
    """What the page at a path is rendered with: its list where ``whole``, and else where the list alone comes from."""
    given = dict(shown()) if whole else {}
    places = {"part": address(f"/parts{path}", **asked), "plain": address(path, **asked, whole=1)}
    return given | {"whole": whole} | places
