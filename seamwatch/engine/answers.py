"""Answers that came before what they answer: acknowledgements of a violation that has not been opened here yet.

In a history that is loaded in bulk, and in a replay, an acknowledgement may be read before the clause has found what
was acknowledged. It is kept until then, the latest `MOST` of them for a day. Values only; what an answer does to an
episode is in `seamwatch.engine.episodes`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from seamwatch.durations import DAY
from seamwatch.signatures import ACKNOWLEDGEMENT_FIELDS, evidence_digest

MOST = 500
MOST_BYTES = 500_000
MOST_OVER = 1_000
_KEY, _OVER_KEY = "\x00answers", "\x00over"
_FIELDS = (
    *ACKNOWLEDGEMENT_FIELDS, "event_id", "key_id", "signature", "change_digest", "relayed_by", "evidence_digest",
)  # fmt: skip
_ADDED: dict[str, Any] = {"event_id": "", "change_digest": None, "relayed_by": None, "evidence_digest": None}
"""What releases before did not keep. Without its id an answer is judged, and nothing is told of it."""


class Answers:
    """Acknowledgements that wait for their violation, and the violations that ended last."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, dict[str, Any]]] = []
        self._over: dict[tuple[str, str], int] = {}
        self._dirty = False
        self._ended = False

    def end(self, system: str, violation_id: str, at: int) -> None:
        """Remember that a violation is over since ``at`` (event time); of the last `MOST_OVER` it is known."""
        self._over.pop((system, violation_id), None)
        self._over[system, violation_id] = at
        while len(self._over) > MOST_OVER:
            del self._over[next(iter(self._over))]
        self._ended = True

    def over_since(self, system: str, violation_id: str) -> int | None:
        """Since when a violation is over; None where it is not, or that was too long ago to be known."""
        return self._over.get((system, violation_id))

    def keep(self, record: Mapping[str, Any], now: int) -> None:
        """Keep an answer that came at ``now`` (stream time)."""
        kept = [(came, answer) for came, answer in self._waiting if now - came < DAY]
        # Of the evidence, which may be long, what the relay signed of it.
        answer = {**record, "evidence_digest": evidence_digest(record)}
        self._waiting = [*kept, (now, {name: answer.get(name) for name in _FIELDS})][-MOST:]
        self._dirty = True

    def take(self, violation_id: str) -> list[dict[str, Any]]:
        """The answers to a violation that has just been opened, in the order in which they came."""
        if not self._waiting:
            return []
        taken = [answer for _, answer in self._waiting if answer["reference"] == violation_id]
        if taken:
            self._waiting = [(came, answer) for came, answer in self._waiting if answer["reference"] != violation_id]
            self._dirty = True
        return taken

    def restore(self, key: str, value: bytes) -> bool:
        """Take back a record of the state topic; False when it is none of the answers'.

        Raises ValueError, TypeError or KeyError when it cannot be read, and changes nothing then.
        """
        if key == _OVER_KEY:
            self._over = {
                (str(system), str(violation_id)): int(at) for system, violation_id, at, *_ in json.loads(value)
            }
            return True
        if key != _KEY:
            return False
        kept = [(came, {**_ADDED, **answer}) for came, answer in json.loads(value)]
        self._waiting = [(int(came), {name: answer[name] for name in _FIELDS}) for came, answer in kept]
        return True

    def saved(self) -> dict[str, bytes | None]:
        """What changed since the last call, for the state topic."""
        saved: dict[str, bytes | None] = {}
        if self._ended:
            self._ended = False
            saved[_OVER_KEY] = json.dumps([(*name, at) for name, at in self._over.items()]).encode()
        if self._dirty:
            self._dirty = False
            sizes = [len(json.dumps(waiting)) for waiting in self._waiting]
            while sum(sizes) > MOST_BYTES:
                del sizes[0], self._waiting[0]
            saved[_KEY] = json.dumps(self._waiting).encode() if self._waiting else None
        return saved
