"""Covering: which `covers` match which system, found by an index and not by asking every pair.

An id without `*`, `?` or `[` is looked up; a glob is asked only where its literal beginning or end fits.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

Item = TypeVar("Item")

_SPECIAL: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Glob:
    """A pattern of `covers`, as in file names; what is literal at its beginning and its end."""

    pattern: str

    @cached_property
    def start(self) -> str:
        """What every system that it matches begins with."""
        found = _SPECIAL.search(self.pattern)
        return self.pattern if found is None else self.pattern[: found.start()]

    @cached_property
    def end(self) -> str:
        """What every system that it matches ends with; nothing where that is not plain."""
        return "" if "[" in self.pattern else re.split(r"[*?]", self.pattern)[-1]

    @property
    def literal(self) -> bool:
        """Whether it is an id and nothing else."""
        return _SPECIAL.search(self.pattern) is None

    def matches(self, system: str) -> bool:
        """Whether it stands for the system's id."""
        if self.literal:
            return system == self.pattern
        if self.pattern == f"{self.start}*":
            return system.startswith(self.start)
        return self._match(system) is not None

    @cached_property
    def _match(self) -> Callable[[str], Any]:
        return re.compile(translate(self.pattern)).match


class Covering(Generic[Item]):
    """What covers a system: items by their patterns. An item may have several, and is found once."""

    def __init__(self, patterns: Iterable[tuple[str, Item]]) -> None:
        self._items: list[Item] = []
        self._exact: dict[str, list[int]] = {}
        self._by_start: dict[str, list[tuple[int, Glob]]] = {}
        self._by_end: dict[str, list[tuple[int, Glob]]] = {}
        for pattern, item in patterns:
            self.add(pattern, item)

    def add(self, pattern: str, item: Item) -> None:
        """Put an item behind the others."""
        glob, number = Glob(pattern), len(self._items)
        self._items.append(item)
        if glob.literal:
            self._exact.setdefault(pattern, []).append(number)
        elif glob.start or not glob.end:
            self._by_start.setdefault(glob.start, []).append((number, glob))
        else:
            self._by_end.setdefault(glob.end, []).append((number, glob))

    def of(self, system: str) -> tuple[Item, ...]:
        """The items that cover a system, in the order in which they were given, each once."""
        found = list(self._exact.get(system, ()))
        if self._by_start:
            for length in range(len(system) + 1):
                found += [n for n, glob in self._by_start.get(system[:length], ()) if glob.matches(system)]
        if self._by_end:
            for length in range(1, len(system) + 1):
                found += [n for n, glob in self._by_end.get(system[-length:], ()) if glob.matches(system)]
        if len(found) == 1:
            return (self._items[found[0]],)
        items = (self._items[number] for number in sorted(found))
        return tuple({id(item): item for item in items}.values())


class Ids:
    """Ids of systems, to be asked whether a pattern matches any."""

    def __init__(self, ids: Collection[str]) -> None:
        self._known = frozenset(ids)

    @cached_property
    def _ordered(self) -> list[str]:
        return sorted(self._known)

    @cached_property
    def _backwards(self) -> list[str]:
        return sorted(known[::-1] for known in self._known)

    def any_matching(self, pattern: str) -> bool:
        """Whether a pattern stands for any of them."""
        glob = Glob(pattern)
        if glob.literal:
            return pattern in self._known
        from_start = _beginning(self._ordered, glob.start)
        from_end = _beginning(self._backwards, glob.end[::-1])
        if len(from_start) <= len(from_end):
            return any(glob.matches(self._ordered[at]) for at in from_start)
        return any(glob.matches(self._backwards[at][::-1]) for at in from_end)


def _beginning(ordered: list[str], start: str) -> range:
    def cut(known: str) -> str:
        return known[: len(start)]

    return range(bisect_left(ordered, start, key=cut), bisect_right(ordered, start, key=cut))
