"""In which order files are run, which of them by one worker, and which of them beside one another.

With several workers the run is over when the last one is: so what starts systems of its own comes first, then what
uses a server, and the thousands of quick tests fill what is left. Files of one folder that share a running system stay
together, for each worker would start it anew. Of the heavy ones a machine carries two at once, and one beside which
there is no other: a history that is played at a scaled clock is told late by every second for which others hold it up.
Tests that follow stages mostly wait, and others mostly compute: two that wait beside one that computes leave little
of two processors idle.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from xdist.scheduler import LoadFileScheduling

_TOGETHER: Final = ("tests/stories/",)
_ALONE: Final = ("tests/demo/test_demo.py",)
_HEAVY_AT_ONCE: Final = 2
_HEAVY_MARKS: Final = ("slow", "timeout")
_WAITING_AT_ONCE: Final = 2
_WAITING: Final = re.compile(r"\bscene\b|\bwait_for\(")
_SERVERS: Final = frozenset({"kafka", "clickhouse", "clickhouse_urls", "auditor_url", "docker_engine"})


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """By file, but for folders whose files share what they run on; the heavy ones not all at once."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in _TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))

    def _assign_work_unit(self, node: Any) -> None:
        others = [self._unfinished(other) for other in self.nodes if other is not node]
        self.workqueue.move_to_end(next_scope(list(self.workqueue), others), last=False)
        super()._assign_work_unit(node)

    def _unfinished(self, node: Any) -> list[str]:
        return [scope for scope, tests in self.assigned_work[node].items() if not all(tests.values())]


def next_scope(waiting: list[str], others: list[list[str]]) -> str:
    """Which of the waiting scopes a worker takes next, given those that each other worker has not finished."""
    busy = sum(any(map(is_heavy, scopes)) for scopes in others)
    is_alone_at_work = any(scope in _ALONE for scopes in others for scope in scopes)

    def fits(scope: str) -> bool:
        if not is_heavy(scope):
            return True
        return not is_alone_at_work and busy < (1 if scope in _ALONE else _HEAVY_AT_ONCE)

    follows = sum(any(map(waits, scopes)) for scopes in others) < _WAITING_AT_ONCE
    fitting = list(filter(fits, waiting))
    return next((scope for scope in fitting if waits(scope) == follows), (fitting or waiting)[0])


@cache
def is_heavy(scope: str) -> bool:
    """Whether a file, or one of a folder, marks tests that start systems of their own."""
    return any(f"mark.{mark}" in text for text in _texts(scope) for mark in _HEAVY_MARKS)


@cache
def waits(scope: str) -> bool:
    """Whether a file, or one of a folder, mostly waits: for stages, or for systems of its own."""
    return is_heavy(scope) or any(map(_WAITING.search, _texts(scope)))


def _texts(scope: str) -> list[str]:
    """What the process that hands out the files tells them by: it imports none of them."""
    path = Path(__file__).parent.parent / scope
    files = sorted(path.rglob("test_*.py")) if path.is_dir() else [path]
    return [file.read_text("utf-8") for file in files if file.is_file()]


def heaviest_first(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """The tests with those of heavier files first; within a weight, and within a file, in the order they came."""
    weights: dict[str, int] = {}
    kept = list(items)
    for item in kept:
        file = item.nodeid.partition("::")[0]
        weights[file] = min(weights.get(file, 3), _weight(item))
    return sorted(kept, key=lambda item: weights[item.nodeid.partition("::")[0]])


def _weight(item: pytest.Item) -> int:
    if item.nodeid.startswith(_ALONE):
        return 0
    if any(item.get_closest_marker(mark) is not None for mark in _HEAVY_MARKS):
        return 1
    return 2 if _SERVERS & set(getattr(item, "fixturenames", ())) else 3
