"""Silences: which violations are not to be told for now, by the silences that the judge has told of.

Pure: it is handed violations as they are received, in any order and as often as they like, and the time. A silence ends
at its time even where no judge says so.
"""

from __future__ import annotations

from typing import Final

from seamwatch.durations import SECOND
from seamwatch.judging.model.facts import DRILL, Violation
from seamwatch.paging import NOTICE

SILENCE: Final = "silence"
"""The kind of the episodes that are silences."""


class Silences:
    """The silences in force."""

    def __init__(self) -> None:
        self._open: dict[str, Violation] = {}

    def receive(self, violation: Violation) -> None:
        """Take note of a state of a violation, if it is a silence; once it is over it is never in force again."""
        if violation.kind != SILENCE:
            return
        if violation.state == "resolved":
            self._open.pop(violation.violation_id, None)
        else:
            self._open[violation.violation_id] = violation

    def hold(self, violation: Violation, now: int) -> bool:
        """Whether what is to be told of a violation is held back at a time (micros)."""
        if not self._open or violation.kind == SILENCE or violation.severity in (DRILL, NOTICE):
            return False
        self._forget(now)
        return any(
            (one.contract, one.system) == (violation.contract, violation.system)
            and one.slice in (None, violation.clause)
            for one in self._open.values()
        )

    def _forget(self, now: int) -> None:
        for identity in [identity for identity, one in self._open.items() if _until(one) <= now]:
            del self._open[identity]


def _until(silence: Violation) -> int:
    return (silence.since or silence.opened_at) + round((silence.limit or 0) * SECOND)
