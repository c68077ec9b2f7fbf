"""The last verification: when somebody on this machine held the whole record to its checkpoints, and what came of it.

A file in the data folder, for the board to tell. It proves nothing: whoever doubts it verifies for themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bus.partitions import Partition

_FILE: Final = "verified.json"


@dataclass(frozen=True, slots=True)
class Verified:
    """One verification of the whole record. ``at``: when it began (micros); ``wrong``: how many faults it found.

    ``positions``: by topic partition the offset up to which all was on record then, that one excluded.
    """

    at: int
    rows: int
    wrong: int
    positions: Mapping[Partition, int]

    def covers(self, topic: str, partition: int, offset: int) -> bool:
        """Whether a record was among what was held to its checkpoints."""
        return offset < self.positions.get((topic, partition), 0)


def keep(folder: Path, verified: Verified) -> None:
    """Write the last verification down, where there is a data folder. Raises OSError when it cannot be written."""
    if not folder.is_dir():
        return
    positions = [[topic, partition, offset] for (topic, partition), offset in sorted(verified.positions.items())]
    content = {"at": verified.at, "rows": verified.rows, "wrong": verified.wrong, "positions": positions}
    staged = folder / f"{_FILE}.new"
    staged.write_text(json.dumps(content))
    staged.replace(folder / _FILE)


def last(folder: Path) -> Verified | None:
    """The last verification on this machine; None where there was none, or nothing can be read of it."""
    try:
        content = json.loads((folder / _FILE).read_text())
        positions = {(str(topic), int(number)): int(offset) for topic, number, offset in content["positions"]}
        return Verified(int(content["at"]), int(content["rows"]), int(content["wrong"]), positions)
    except (OSError, ValueError, KeyError, TypeError):
        return None
