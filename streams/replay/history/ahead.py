"""Ahead: while one item is worked on, the next is made on a thread of its own.

What makes them (parsers, expressions over columns) mostly runs without the interpreter's lock, and so beside what is
done with them, which is Python. One item is ahead and no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The items in order. What making one raises is raised where it would have come."""
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as helper:
        waiting = helper.submit(next, items, None)
        while (item := waiting.result()) is not None:
            waiting = helper.submit(next, items, None)
            yield item
