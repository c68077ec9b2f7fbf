"""Aside: records of the state topic that this release cannot read, kept as they are.

Such a record stays where it lies, so that a release that can read it finds it. When its clause is judged anew and its
key is written again, what lay there is written beside, under a key of its own, in the same transaction; there it stays
for `KEPT`. What is told of each says why, and which episodes are open in it as far as that can be made out.

Keeps bytes and names; reads no entry and judges nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from seamwatch.durations import DAY

KEPT: Final = 30 * DAY
PREFIX: Final = "\x00aside/"
EPISODES_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One record: its key, its bytes, why it could not be read, and the ids of violations that it has open."""

    key: str
    value: bytes
    why: str
    episodes: tuple[str, ...] = ()


class Aside:
    """The unreadable records of one partition."""

    def __init__(self) -> None:
        self._lying: dict[str, Unreadable] = {}
        self._beside: dict[str, tuple[int, Unreadable]] = {}
        self._found: list[Unreadable] = []
        self._changed = False

    def __len__(self) -> int:
        return len(self._lying) + len(self._beside)

    def __iter__(self) -> Iterator[Unreadable]:
        """All of them, by their own keys; of those that lie beside by now without their bytes."""
        yield from self._lying.values()
        for _, unreadable in self._beside.values():
            yield unreadable

    def put(self, key: str, value: bytes, why: str) -> None:
        """A record could not be read."""
        unreadable = Unreadable(key, value, why, _open_in(value))
        self._lying[key] = unreadable
        self._found.append(unreadable)
        self._changed = True

    def take_found(self) -> list[Unreadable]:
        """Those that were put since the last call, for whoever says it aloud."""
        found, self._found = self._found, []
        return found

    def take_changed(self) -> bool:
        """Whether there are others of them than at the last call."""
        changed, self._changed = self._changed, False
        return changed

    def restore(self, key: str, value: bytes) -> bool:
        """Take back a record that was written beside; False when it is none. Raises ValueError, TypeError, KeyError."""
        if not key.startswith(PREFIX):
            return False
        kept = json.loads(value)
        episodes = tuple(str(name) for name in kept["episodes"])
        self._beside[key] = int(kept["at"]), Unreadable(str(kept["key"]), b"", str(kept["why"]), episodes)
        self._changed = True
        return True

    def beside(self, written: Collection[str], now: int) -> dict[str, bytes | None]:
        """What is to be written beside because these keys are written at ``now``; and what has been kept for long."""
        records: dict[str, bytes | None] = {}
        for key in sorted(self._lying.keys() & set(written)):
            lost = self._lying.pop(key)
            place = self._place(key)
            records[place] = json.dumps(
                {
                    "key": key,
                    "at": now,
                    "why": lost.why,
                    "episodes": lost.episodes,
                    "value": base64.b64encode(lost.value).decode(),
                }
            ).encode()
            self._beside[place] = now, Unreadable(key, b"", lost.why, lost.episodes)
        for place in [place for place, (at, _) in self._beside.items() if now - at > KEPT]:
            del self._beside[place]
            self._changed = True
            records[place] = None
        return records

    def _place(self, key: str) -> str:
        # One key may be lost again, by another release. A zero character in the middle would make a piece of it.
        number, name = 0, key.replace("\x00", "")
        while (place := f"{PREFIX}{number}/{name}") in self._beside:
            number += 1
        return place


def _open_in(value: bytes) -> tuple[str, ...]:
    """The ids of violations that a saved entry has open, whatever else is wrong with it."""
    try:
        saved = json.loads(value)
    except (ValueError, RecursionError):
        return ()
    return tuple(dict.fromkeys(_ids(saved.get("episodes") if isinstance(saved, dict) else None)))[:EPISODES_NAMED]


def _ids(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(found := part.get("violation_id"), str):
            yield found
        for value in part.values():
            yield from _ids(value)
    elif isinstance(part, list):
        for value in part:
            yield from _ids(value)
