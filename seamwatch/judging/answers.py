"""Answers that came before what they answer: acknowledgements of a violation that has not been opened here yet.

In a history that is loaded in bulk, and in a replay, an acknowledgement may be read before the clause has found what
was acknowledged. It is kept until then, the latest `MOST` of them for a day. Values only; what an answer does to an
episode is in `seamwatch.judging.episodes`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from seamwatch.durations import DAY
from seamwatch.signatures import ACKNOWLEDGEMENT_FIELDS

MOST = 500
MOST_BYTES = 500_000
_KEY = "\x00answers"
_FIELDS = (*ACKNOWLEDGEMENT_FIELDS, "key_id", "signature")


class Answers:
    """Acknowledgements that wait for their violation."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, dict[str, Any]]] = []
        self._dirty = False

    def keep(self, record: Mapping[str, Any], now: int) -> None:
        """Keep an answer that came at ``now`` (stream time)."""
        kept = [(came, answer) for came, answer in self._waiting if now - came < DAY]
        self._waiting = [*kept, (now, {name: record[name] for name in _FIELDS})][-MOST:]
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
        if key != _KEY:
            return False
        self._waiting = [(int(came), {name: answer[name] for name in _FIELDS}) for came, answer in json.loads(value)]
        return True

    def saved(self) -> dict[str, bytes | None]:
        """What changed since the last call, for the state topic."""
        if not self._dirty:
            return {}
        self._dirty = False
        sizes = [len(json.dumps(waiting)) for waiting in self._waiting]
        while sum(sizes) > MOST_BYTES:
            del sizes[0], self._waiting[0]
        return {_KEY: json.dumps(self._waiting).encode() if self._waiting else None}
