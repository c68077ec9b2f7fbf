"""What the judge remembers of one clause, system and part: its entry, and the entry's bytes in the state topic.

Values and their JSON; `seamwatch.judging.judge` decides what they hold.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from seamwatch.clauses import kinds
from seamwatch.judging.episodes import Episode
from seamwatch.judging.windows import earliest


@dataclass(frozen=True, slots=True, order=True)
class EntryKey:
    """Whose state an entry is."""

    contract: str
    clause: str
    system: str
    part: str

    def text(self) -> str:
        """The key in the state topic."""
        return json.dumps([self.contract, self.clause, self.system, self.part], ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One clause's state for one system and part, with its open episodes and when to ask it again.

    ``historic``: what it last heard of came long after its time (a history loaded in bulk, a backlog), so that its
    clock is how far that history has got.
    """

    kind: str
    version: str
    state: Any = None
    episodes: tuple[Episode, ...] = ()
    deadline: int | None = None
    wake: int | None = None
    historic: bool = False

    @property
    def wake_at(self) -> int | None:
        """The stream's time at which it, or an episode's clock to acknowledge, is due."""
        return earliest(self.wake, *(episode.escalate_at for episode in self.episodes))

    @property
    def empty(self) -> bool:
        """Whether there is nothing left to remember."""
        return self.state is None and not self.episodes


@cache
def _state_adapter(kind: str) -> TypeAdapter[Any]:
    nullable: Any = kinds()[kind].state_type | None
    return TypeAdapter(nullable)


@cache
def _episodes_adapter() -> TypeAdapter[tuple[Episode, ...]]:
    return TypeAdapter(tuple[Episode, ...])


def write_entry(entry: Entry) -> bytes:
    """The entry as JSON."""
    head = {"kind": entry.kind, "version": entry.version, "deadline": entry.deadline, "wake": entry.wake}
    head["historic"] = entry.historic
    parts = (
        json.dumps(head).encode(),
        _episodes_adapter().dump_json(entry.episodes),
        _state_adapter(entry.kind).dump_json(entry.state),
    )
    return b'{"head":%b,"episodes":%b,"state":%b}' % parts


def read_entry(value: bytes) -> Entry | None:
    """The entry of such JSON; None when another release of the kind wrote it."""
    saved = json.loads(value)
    try:
        episodes = _episodes_adapter().validate_python(saved["episodes"])
        state = _state_adapter(saved["head"]["kind"]).validate_python(saved["state"])
    except (ValidationError, KeyError):
        # Written by another release of the kind: it starts anew rather than stop the partition.
        return None
    return Entry(state=state, episodes=episodes, **saved["head"])
