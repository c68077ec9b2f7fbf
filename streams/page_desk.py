"""The pager's desk: what is open, what was delivered, and so what is due.

Pure: it is told of violations and pages, by whoever hears of them first and as often as they like, and is handed
the time. It sends nothing and reads nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from seamwatch.judging.facts import Violation
from seamwatch.paging import DELIVERED, NOTICE, is_open

Step = tuple[str, int]
"""A violation's id and the step of its escalation list."""

_EVER = -(2**62)
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Standing:
    """The latest state of a violation that the desk has heard of, and where it was said.

    ``violation`` is None once it is closed: then only the offset matters, so that older news stays old. A breach
    that was over before anybody was told is kept until somebody is. ``over``: it was said to be resolved; ``since``:
    the judge's clock when it was found, of one that was over before: what was delivered earlier was another episode's.
    """

    topic: str
    partition: int
    offset: int
    violation: Violation | None
    over: bool = False
    since: int = _EVER


@dataclass(frozen=True, slots=True)
class _Trouble:
    failures: int
    not_before: float


class Desk:
    """Which (violation, step) is still to be told to its person."""

    def __init__(self) -> None:
        self._standing: dict[str, Standing] = {}
        self._delivered: dict[Step, int] = {}
        self._in_hand: set[Step] = set()
        self._trouble: dict[Step, _Trouble] = {}
        self._live = False

    def go_live(self) -> None:
        """From now on what is heard is news: all that was ever said has been heard."""
        self._live = True

    def hear(self, violation: Violation, topic: str, partition: int, offset: int) -> bool:
        """Take note of a state of a violation; False when something newer was heard already."""
        known = self._standing.get(violation.violation_id)
        if known is not None and known.topic == topic and known.offset >= offset:
            return False
        kept = violation if is_open(violation) or self._was_missed(known, violation) else None
        since = _EVER if known is None else known.since
        if known is not None and known.over and is_open(violation):
            # An id is never given twice by a judge that remembers; by one that had to let go of a system it may be.
            since = violation.detected_at
            self._forget_delivered(violation.violation_id, since)
        over = violation.state == "resolved"
        self._standing[violation.violation_id] = Standing(topic, partition, offset, kept, over, since)
        if kept is None:
            self._forget(violation.violation_id)
        return True

    def hear_page(self, violation_id: str, step: int, result: str, sent_at: int = 2**62) -> None:
        """Take note of a page record: only a delivered one counts, and only for the episode it was sent of."""
        known = self._standing.get(violation_id)
        if result == DELIVERED and (known is None or sent_at >= known.since):
            self._settle(violation_id, step, sent_at)

    def due(self, now: float, mine: Callable[[str, int], bool] = lambda _topic, _partition: True) -> list[Violation]:
        """What is to be told now, longest open first; ``now`` in seconds of any steady clock.

        ``mine`` says whether a topic partition is this pager's to look after.
        """
        found = []
        for standing in self._standing.values():
            violation = standing.violation
            if violation is None or not mine(standing.topic, standing.partition):
                continue
            step = (violation.violation_id, violation.step)
            trouble = self._trouble.get(step)
            waiting = trouble is not None and now < trouble.not_before
            if step not in self._delivered and step not in self._in_hand and not waiting:
                found.append(violation)
        return sorted(found, key=lambda violation: (violation.opened_at, violation.violation_id))

    def take(self, violations: Iterable[Violation]) -> list[Violation]:
        """Take what is still due in hand, so that it is not due again until it is put back."""
        taken = [violation for violation in violations if self._is_current(violation)]
        self._in_hand.update((violation.violation_id, violation.step) for violation in taken)
        return taken

    def put_back(self, violations: Sequence[Violation], *, delivered: bool, now: float) -> None:
        """Say what came of what was in hand; what failed is due again after a pause that doubles up to 5 min."""
        for violation in violations:
            step = (violation.violation_id, violation.step)
            self._in_hand.discard(step)
            if delivered:
                self._settle(*step, violation.detected_at)
                self._trouble.pop(step, None)
            elif self._is_current(violation):
                failures = self._trouble[step].failures + 1 if step in self._trouble else 1
                pause = min(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), LONGEST_PAUSE_SECONDS)
                self._trouble[step] = _Trouble(failures, now + pause)

    @property
    def open(self) -> int:
        """How many violations are open and unacknowledged."""
        return sum(standing.violation is not None for standing in self._standing.values())

    def _was_missed(self, known: Standing | None, violation: Violation) -> bool:
        # A breach that was over before its person could be told is told all the same: a conversation in which an
        # agent strayed may end within the minute. What was over when we started is history, and wakes nobody.
        step = (violation.violation_id, violation.step)
        untold = step not in self._delivered and step not in self._in_hand
        heard_open = known is not None and known.violation is not None
        return self._live and violation.state == "resolved" and violation.severity == "breach" and untold and heard_open

    def _settle(self, violation_id: str, step: int, at: int) -> None:
        self._delivered[violation_id, step] = max(at, self._delivered.get((violation_id, step), at))
        known = self._standing.get(violation_id)
        if known is not None and known.violation is not None and _ends_when_told(known.violation):
            self._standing[violation_id] = replace(known, violation=None)

    def _is_current(self, violation: Violation) -> bool:
        known = self._standing.get(violation.violation_id)
        return known is not None and known.violation is not None and known.violation.step == violation.step

    def _forget_delivered(self, violation_id: str, before: int) -> None:
        for step, at in list(self._delivered.items()):
            if step[0] == violation_id and at < before:
                del self._delivered[step]

    def _forget(self, violation_id: str) -> None:
        for step in [step for step in self._trouble if step[0] == violation_id]:
            del self._trouble[step]


def _ends_when_told(violation: Violation) -> bool:
    # What is over, and what was only to be told.
    return violation.state == "resolved" or violation.severity == NOTICE
