"""The pager's desk: what is open, what was delivered, and so what is due.

Pure: it is handed violations and pages, by whoever receives them first and as often as they like, and is handed
the time. It sends nothing and reads nothing. It remembers what is open; of what is over it remembers nothing once all
who read the topics have passed it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from seamwatch.durations import MINUTE
from seamwatch.judging.model.facts import Violation
from seamwatch.paging import DELIVERED, NOTICE, is_open

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

Step = tuple[str, int]
"""A violation's id and the step of its escalation list."""

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0
EARLY_LIMIT = 10_000
"""Of so many deliveries it is remembered that they were received before their violation was; of so many violations,
those that were resolved last, that they were."""
CLOCKS_APART = 10 * MINUTE
"""So far the clock of a pager may be behind the judge's."""
_EVER = 2**62


@dataclass(slots=True)
class _Case:
    """The latest state of a violation that the desk has received, where it was said, and what came of telling.

    ``violation`` is None once it is closed: then only the offset matters, so that older news stays old, and only until
    the follower has passed it too. A breach that was over before anybody was told is kept until somebody is. ``since``:
    what was delivered before was of another episode of this id.
    """

    topic: str
    partition: int
    offset: int
    violation: Violation | None
    since: int = -_EVER
    delivered: set[int] = field(default_factory=set)
    failures: int = 0
    not_before: float = 0.0
    due_since: float | None = None

    @property
    def place(self) -> tuple[str, int]:
        """Topic and partition."""
        return (self.topic, self.partition)


def _never(_violation: Violation) -> bool:
    return False


class Desk:
    """Which (violation, step) is still to be told to its person."""

    def __init__(self, held: Callable[[Violation], bool] = _never) -> None:
        """``held``: whether what is to be told is held back for now."""
        self._held = held
        self._cases: dict[str, _Case] = {}
        self._early: dict[Step, int] = {}
        self._over: dict[str, None] = {}
        self._passed: dict[tuple[str, int], int] = {}
        self._in_hand: set[Step] = set()
        self._live = False

    def go_live(self) -> None:
        """From now on what is received is news: all that was ever said has been received."""
        self._live = True

    def receive(self, violation: Violation, topic: str, partition: int, offset: int, *, ahead: bool = False) -> bool:
        """Take note of a state of a violation; False when it, or something newer, was received already.

        Each partition is received in order by who follows it from its beginning; ``ahead`` says that another reader was
        quicker, or slower.
        """
        passed = self._passed.get((topic, partition), 0)
        if offset < passed or (ahead and not self._live):
            return False
        if not ahead:
            self._passed[topic, partition] = offset + 1
        if violation.state == "resolved":
            _remember(self._over, violation.violation_id, None)
        case = self._cases.get(violation.violation_id)
        if case is not None and case.topic == topic and case.offset >= offset:
            if case.violation is None:
                self._close(violation.violation_id, case)
            elif violation.state == "resolved" and _is_another(violation, case.violation):
                # The other reader has received already that another episode of this id has begun.
                case.since = case.violation.detected_at
            return False
        if not is_open(violation) and not self._was_missed(case, violation):
            self._close(violation.violation_id, _Case(topic, partition, offset, None))
        elif case is None or case.violation is None:
            self._cases[violation.violation_id] = _Case(topic, partition, offset, violation, self._since(violation))
            self._take_early(violation)
        else:
            if _is_another(violation, case.violation):
                # It was over meanwhile, and nobody had been told of that yet.
                case.since, case.delivered = self._since(violation), set()
            if case.violation.step != violation.step:
                case.failures, case.not_before, case.due_since = 0, 0.0, None
            case.topic, case.partition, case.offset, case.violation = topic, partition, offset, violation
            self._take_early(violation)
        return True

    def receive_page(self, violation_id: str, step: int, result: str, sent_at: int = _EVER) -> None:
        """Take note of a page record: only a delivered one counts, and only for the episode it was sent of."""
        if result != DELIVERED:
            return
        case = self._cases.get(violation_id)
        if case is not None and (case.violation is None or step <= case.violation.step):
            self._settle(violation_id, step, sent_at)
            return
        # Of what is over, mostly; but it may be of what another pager has received, and told, before we have.
        _remember(self._early, (violation_id, step), sent_at)

    def reconsider(self, person: str) -> None:
        """A person's document has changed: what could not be told them is due at once."""
        for case in self._cases.values():
            if case.violation is not None and case.violation.person == person:
                case.failures, case.not_before = 0, 0.0

    def due(self, now: float, mine: Callable[[str, int], bool] = lambda _topic, _partition: True) -> list[Violation]:
        """What is to be told now, longest open first; ``now`` in seconds of any steady clock.

        ``mine`` says whether a topic partition is this pager's to look after.
        """
        found = []
        for case, violation in self._undelivered(mine):
            case.due_since = now if case.due_since is None else case.due_since
            if (violation.violation_id, violation.step) not in self._in_hand and now >= case.not_before:
                found.append(violation)
        return sorted(found, key=lambda violation: (violation.opened_at, violation.violation_id))

    def waiting(self, now: float, mine: Callable[[str, int], bool]) -> tuple[int, float]:
        """How much of ours is still to be told, what failed and what is in hand included, and for how long at most."""
        since = [now if case.due_since is None else case.due_since for case, _ in self._undelivered(mine)]
        return len(since), max((now - each for each in since), default=0.0)

    def take(self, violations: Iterable[Violation]) -> list[Violation]:
        """Take what is still due in hand, so that it is not due again until it is put back."""
        taken = [violation for violation in violations if self._current(violation) is not None]
        self._in_hand.update((violation.violation_id, violation.step) for violation in taken)
        return taken

    def put_back(self, violations: Sequence[Violation], *, delivered: bool, now: float) -> None:
        """Say what came of what was in hand; what failed is due again after a pause that doubles up to 5 min."""
        for violation in violations:
            self._in_hand.discard((violation.violation_id, violation.step))
            if delivered:
                self._settle(violation.violation_id, violation.step, violation.detected_at)
            elif (case := self._current(violation)) is not None:
                case.not_before = now + min(FIRST_PAUSE_SECONDS * 2 ** min(case.failures, 10), LONGEST_PAUSE_SECONDS)
                case.failures += 1

    def is_in_trouble(self, kind: str) -> bool:
        """Whether something of a kind has failed to be told, and has not been since."""
        return any(
            case.failures > 0 and violation.kind == kind for case, violation in self._undelivered(lambda *_: True)
        )

    @property
    def passed(self) -> Mapping[tuple[str, int], int]:
        """Up to where each topic partition has been received in order."""
        return self._passed

    def needed(self) -> Iterator[tuple[str, int, int]]:
        """The topic, partition and offset of each record by which another pager would know what is open."""
        for case in self._cases.values():
            if case.violation is not None:
                yield (case.topic, case.partition, case.offset)

    @property
    def open(self) -> int:
        """How many violations are open and unacknowledged."""
        return sum(case.violation is not None for case in self._cases.values())

    @property
    def remembered(self) -> int:
        """Of how many violations and deliveries anything is remembered."""
        return len(self._cases) + len(self._early) + len(self._over) + len(self._in_hand)

    def _undelivered(self, mine: Callable[[str, int], bool]) -> Iterator[tuple[_Case, Violation]]:
        for case in self._cases.values():
            violation = case.violation
            if violation is None or violation.step in case.delivered or not mine(*case.place):
                continue
            if self._held(violation):
                # It is late from when it may be told.
                case.due_since = None
                continue
            yield case, violation

    def _was_missed(self, case: _Case | None, violation: Violation) -> bool:
        # A breach that was over before its person could be told is told all the same: a conversation in which an
        # agent strayed may end within the minute. What was over when we started is history, and wakes nobody; nor does
        # what began and ended while it was held back.
        if not self._live or case is None or case.violation is None or self._held(violation):
            return False
        delivered = violation.step in case.delivered or (violation.violation_id, violation.step) in self._in_hand
        return violation.state == "resolved" and violation.severity == "breach" and not delivered

    def _since(self, violation: Violation) -> int:
        # A judge that remembers gives no id twice; one that had to let go of a system may. That the one before it is
        # over is not always known: the topics keep the last that was said, and so do we.
        if violation.severity == NOTICE:
            return -_EVER
        return violation.detected_at - (0 if violation.violation_id in self._over else CLOCKS_APART)

    def _take_early(self, violation: Violation) -> None:
        step = (violation.violation_id, violation.step)
        if step in self._early:
            self._settle(*step, self._early.pop(step))

    def _settle(self, violation_id: str, step: int, at: int) -> None:
        case = self._cases.get(violation_id)
        if case is None or case.violation is None or at < case.since:
            return
        case.delivered.add(step)
        if case.violation.step == step and _ends_when_delivered(case.violation):
            if case.violation.severity == NOTICE:
                # Nothing says that it is over, so it may come twice.
                _remember(self._early, (violation_id, step), _EVER)
            self._close(violation_id, replace(case, violation=None))

    def _close(self, violation_id: str, case: _Case) -> None:
        """Evict what is over; while the follower is still to pass it, of all but that it is."""
        if case.offset >= self._passed.get(case.place, 0):
            self._cases[violation_id] = _Case(case.topic, case.partition, case.offset, None)
        else:
            self._cases.pop(violation_id, None)

    def _current(self, violation: Violation) -> _Case | None:
        """What is known of a violation, if it is still to be told as it says."""
        case = self._cases.get(violation.violation_id)
        return (
            case if case is not None and case.violation is not None and case.violation.step == violation.step else None
        )


def _is_another(violation: Violation, before: Violation) -> bool:
    """Whether it is another episode of the same id: each is found but once. A notice may be found twice."""
    return violation.severity != NOTICE and violation.detected_at != before.detected_at


def _remember(kept: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > EARLY_LIMIT:
        del kept[next(iter(kept))]


def _ends_when_delivered(violation: Violation) -> bool:
    # What is over, and what was only to be told.
    return violation.state == "resolved" or violation.severity == NOTICE
