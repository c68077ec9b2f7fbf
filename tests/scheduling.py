"""In which order files are run, and which of them by one worker.

With several workers the run is over when the last one is: so what starts systems of its own comes first, then what
uses a server, and the thousands of quick tests fill what is left. Files of one folder that share a running system stay
together, for each worker would start it anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pytest
from xdist.scheduler import LoadFileScheduling

_TOGETHER: Final = ("tests/stories/",)
_SERVERS: Final = frozenset({"kafka", "clickhouse", "clickhouse_urls", "auditor_url", "docker_engine"})


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """By file, but for folders whose files share what they run on."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in _TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))


def heaviest_first(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """The tests with those of heavier files first; within a weight, and within a file, in the order they came."""
    weights: dict[str, int] = {}
    kept = list(items)
    for item in kept:
        file = item.nodeid.partition("::")[0]
        weights[file] = min(weights.get(file, 2), _weight(item))
    return sorted(kept, key=lambda item: weights[item.nodeid.partition("::")[0]])


def _weight(item: pytest.Item) -> int:
    if item.get_closest_marker("slow") is not None or item.get_closest_marker("timeout") is not None:
        return 0
    return 1 if _SERVERS & set(getattr(item, "fixturenames", ())) else 2
