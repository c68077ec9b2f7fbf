"""A stream in this process: the real plan, progress and judge, with partitions that are lists and a clock in your hand.

What is played is what lies between the topics and the violations. The broker, transactions, the store and the pager are
not: an outcome counts with what it carries, as where measure has no store, and all systems have one judge.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from bus.partitions import Partition, partition_of
from seamwatch.columnar.columns import frame_of
from seamwatch.documents import Estate
from seamwatch.durations import DAY, MINUTE, SECOND
from seamwatch.engine.judge import Judge
from seamwatch.engine.settings import JudgeSettings
from seamwatch.errors import RecordError
from seamwatch.judging.model.facts import Fact, ForwardedEvent, Measurement, Notice, Suspended, Verdict, Violation
from seamwatch.record_types import INPUT_TYPES
from seamwatch.testing import T0
from seamwatch.wire.codec import Codec
from seamwatch.wire.events import Event
from streams.measure.dedup import RecentIds
from streams.measure.plan import Plan
from streams.measure.progress import QUIET_SECONDS, TRAILING_SECONDS, Progress
from streams.measure.stage import MEASURED

ROUND: Final = SECOND // 5
"""How long a round of measure takes here (micros), while something is under way."""
_LEAP: Final = MINUTE
_SETTLED: Final = int((QUIET_SECONDS + TRAILING_SECONDS + 1) * SECOND)
_ENDS_ASKED_EVERY: Final = SECOND // 2


class Stream:
    """Events in, violations out. All times are microseconds since 1970, UTC; ``now`` is the stages' clock.

    Nothing happens but in `advance`: it lets time pass in rounds of 0.2 s while something is under way and of a minute
    when all is quiet. So what a clock of days finds is dated right (`opened_at` is event time), and noticed
    (`detected_at`) up to a minute late.

    ``settings`` are the judge's: lateness, settling time, the default owner.
    """

    def __init__(
        self, estate: Estate, *, now: int = T0, partitions: int = 3, settings: JudgeSettings | None = None
    ) -> None:
        self.now = now
        self.notices: list[Notice] = []
        """What persons are told that is no violation (reminders, summaries that are due), in order."""
        self.verdicts: list[Verdict] = []
        """What was made of each acknowledgement and suspension, in order."""
        self.suspended: list[Suspended] = []
        """What was concluded to be suspended, or resumed, in order."""
        self.late = 0
        """Measured events that were older than the oldest that is judged live: stored, and left to `replay`."""
        self.late_for: Counter[str] = Counter()
        """By ``contract#clause``, how much came too late to change what was judged."""
        self._estate = estate
        self._partitions = partitions
        self._settings = settings or JudgeSettings()
        self._codec = Codec()
        self._places = [(f"seamwatch.{name}", number) for name in INPUT_TYPES for number in range(partitions)]
        self._arrivals: dict[Partition, list[int]] = {place: [] for place in self._places}
        self._sent: dict[Partition, list[dict[str, Any]]] = {place: [] for place in self._places}
        self._position = dict.fromkeys(self._places, 0)
        self._seen: set[tuple[str, str]] = set()
        self._progress = Progress(self._settings.max_age, lambda: self.now / SECOND)
        self._progress.assigned(self._places)
        self._plan = Plan(estate, RecentIds())
        self._judge = Judge(estate, self._settings)
        self._state: dict[str, bytes] = {}
        self._latest: dict[str, Violation] = {}
        self._asked = 0
        self._moved = now

    # In

    def send(self, *events: Event) -> None:
        """Let events arrive now, in the partition of their system. Without a time of their own they are of now.

        Raises RecordError for what an emitter would refuse, or the stages put among the dead letters.
        """
        for event in events:
            record = event.record(event_time=self.now, producer="test", environment="test")
            record = self._codec.decode(event.type, self._codec.encode(event.type, record))
            if record["event_time"] > self.now + DAY:
                raise RecordError(f"event_time of {event.event_id} is more than a day after the clock: a dead letter")
            self.put(event.type, record)

    def put(
        self, record_type: str, record: Mapping[str, Any], *, partition: int | None = None, at: int | None = None
    ) -> None:
        """Let a record arrive in a partition (that of its system by default) at a time (now by default).

        The record is taken as it is. Raises ValueError for a time that is over, or before that of the record before.
        """
        number = partition_of(record["system"], self._partitions) if partition is None else partition
        place, when = (f"seamwatch.{record_type}", number), self.now if at is None else at
        arrivals = self._arrivals[place]
        if when < self.now or (arrivals and when < arrivals[-1]):
            raise ValueError("a partition is written in order, and not in the past")
        arrivals.append(when)
        self._sent[place].append(dict(record))

    # Time

    def advance(self, micros: int) -> None:
        """Let so much time pass; what arrives meanwhile is measured and judged."""
        end = self.now + micros
        while self.now < end:
            self.now = min(end, self.now + self._step())
            self.round()

    def round(self, reads: Callable[[int], int] = lambda there: there) -> None:
        """One round at the time that it is: what has arrived is read, measured and judged.

        ``reads`` says how many of the records that lie there are read of a partition, so that some can lag.
        """
        if self.now - self._asked >= _ENDS_ASKED_EVERY:
            # What the broker says of the ends is a little older than what is read.
            self._asked = self.now
            asked = self.now - ROUND
            self._progress.received_ends(
                asked, {place: bisect_right(times, asked) for place, times in self._arrivals.items()}
            )
        self._hold()
        facts: list[Fact] = []
        rare: list[ForwardedEvent] = []
        for record_type in INPUT_TYPES:
            self._read(record_type, reads, facts, rare)
        marks = self._progress.watermarks(self._position)
        output = self._judge.on_measurement(
            Measurement(self.now, marks, tuple(facts), tuple(rare), self._progress.began)
        )
        self._latest |= {violation.violation_id: violation for violation in output.violations}
        self.notices += output.notices
        self.verdicts += output.verdicts
        self.suspended += output.suspended
        for clause, count in self._judge.take_late().items():
            self.late_for[f"{clause.contract}#{clause.clause}"] += count
        for key, saved in self._judge.take_dirty().items():
            if saved is None:
                self._state.pop(key, None)
            else:
                self._state[key] = saved

    @property
    def unread(self) -> int:
        """How many records lie in the partitions, or are still to arrive there."""
        return sum(len(self._sent[place]) - self._position[place] for place in self._places)

    # Accidents

    def restart_measure(self, away: int = 0) -> None:
        """As if measure had been killed, and started again after so long (micros): what it held in memory is gone."""
        self.now += away
        self._progress.forget()
        self._progress.assigned(self._places)
        self._moved = self.now
        self._plan = Plan(self._estate, RecentIds())

    def restart_judge(self) -> None:
        """As if judge had been killed and started again: it knows what it kept in its state topic."""
        self._judge = Judge(self._estate, self._settings)
        for key, value in self._state.items():
            self._judge.restore(key, value)

    def replace_estate(self, estate: Estate) -> None:
        """Publish other documents in the place of those that were known."""
        self._estate = estate
        self._plan.replace_estate(estate)
        self._judge.replace_estate(estate)

    # Out

    @property
    def violations(self) -> list[Violation]:
        """Each episode in its latest state, ordered by opening time and id."""
        return sorted(self._latest.values(), key=lambda violation: (violation.opened_at, violation.violation_id))

    @property
    def saved(self) -> frozenset[str]:
        """The keys of what the judge keeps in its state topic."""
        return frozenset(self._state)

    def held_by(self) -> list[str]:
        """The partitions that event time waits for, as ``topic/partition``: why something is not judged yet."""
        return sorted(f"{mark.topic}/{mark.partition}" for mark in self._judge.held_by())

    def _step(self) -> int:
        coming = [times[self._position[place]] for place, times in self._arrivals.items() if self._is_unread(place)]
        if (coming and min(coming) <= self.now + ROUND) or self.now - self._moved < _SETTLED:
            return ROUND
        return min(_LEAP, *(when - self.now for when in coming)) if coming else _LEAP

    def _hold(self) -> None:
        """What people say of suspensions is followed ahead of all traffic, whoever measures it."""
        claims = [("seamwatch.suspension", number) for number in range(self._partitions)]
        there = (self._sent[place][: bisect_right(self._arrivals[place], self.now)] for place in claims)
        self._plan.hold({record["system"] for sent in there for record in sent})

    def _is_unread(self, place: Partition) -> bool:
        return self._position[place] < len(self._sent[place])

    def _read(
        self, record_type: str, reads: Callable[[int], int], facts: list[Fact], rare: list[ForwardedEvent]
    ) -> None:
        topic = f"seamwatch.{record_type}"
        records: list[dict[str, Any]] = []
        for number in range(self._partitions):
            place = (topic, number)
            position, arrivals = self._position[place], self._arrivals[place]
            there = bisect_right(arrivals, self.now) - position
            taken = min(there, reads(there)) if there else 0
            if not taken:
                continue
            self._moved = self.now
            self._position[place] = position + taken
            batch = list(
                zip(range(position, position + taken), self._sent[place][position : position + taken], strict=True)
            )
            times = [record["event_time"] for _, record in batch]
            self._progress.measured(place, (min(times), max(times)), self.now)
            for offset, record in batch:
                if (record_type, record["event_id"]) in self._seen:
                    continue
                self._seen.add((record_type, record["event_id"]))
                if record_type not in MEASURED:
                    rare.append(ForwardedEvent(record_type, record, topic, number, offset, arrivals[offset]))
                elif record["event_time"] < arrivals[offset] - self._settings.max_age:
                    self.late += 1
                else:
                    records.append(record)
        for source in MEASURED:
            if source == record_type and records:
                facts += self._plan.facts(source, frame_of(record_type, records))
