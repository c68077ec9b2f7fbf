"""The watch on the stages: what is wrong with them, by what was seen from outside; and what of that is to be said.

Pure: it is handed what was seen (`streams.page.lookout`) and the time, twice: ``at`` is the clock's, in microseconds;
``steady`` is in seconds of a clock that stands while the machine sleeps, so that waking up is no outage.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bus.partitions import Partition
from seamwatch.durations import MINUTE, SECOND
from seamwatch.outages import GRAVITY, RESTARTS, RESTARTS_WITHIN, Fault, Kind, Outage, begun, ended

WATCHED: Final = ("measure", "judge")
"""The stages that are to move on whenever something waits for them; the recorder may wait for its store."""

LONGEST_SETTLE_SECONDS: Final = 120.0
_DOUBT: Final = 0.25
"""What has lasted for this share of what would be a fault keeps one from being over."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A partition in which records wait for a stage: its position, about how many, and when the next one arrived."""

    position: int
    count: int
    since: int | None


@dataclass(frozen=True, slots=True)
class StageSight:
    """What was seen of a stage.

    ``members`` has the present member id of each instance; None when that is not known. ``has_run`` says whether it
    has ever committed a position.
    """

    waiting: Mapping[Partition, Waiting] = field(default_factory=dict)
    members: Mapping[str, str] | None = None
    has_run: bool = False

    @property
    def count(self) -> int:
        """About how many records wait for it; the markers of transactions are counted too."""
        return sum(each.count for each in self.waiting.values())

    @property
    def oldest(self) -> int | None:
        """When the longest waiting of them arrived; None when nothing waits."""
        return min((each.since for each in self.waiting.values() if each.since is not None), default=None)


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of the stages at a time; ``measured_at`` is when the newest measurement came, if any did."""

    at: int
    measured_at: int | None
    stages: Mapping[str, StageSight]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long what may last before it is a fault, in microseconds."""

    unwatched_after: int = 2 * MINUTE
    behind_after: int = 15 * MINUTE


@dataclass(slots=True)
class _Still:
    position: int
    at: int
    steady: float


@dataclass(slots=True)
class _Instance:
    member: str
    seen: int
    started: deque[int] = field(default_factory=deque)


class Watch:
    """Finds what is wrong, from one sight after another."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._patience = limits.unwatched_after / SECOND
        self._measured: _Still | None = None
        self._still: dict[tuple[str, Partition], _Still] = {}
        self._late: float | None = None
        self._instances: dict[tuple[str, str], _Instance] = {}
        self._seen: _Still | None = None
        self._blind = False
        self.restarted: list[str] = []
        """The stages of the processes that have come back to their group since they were seen last, one each time."""
        self.doubtful: set[tuple[Kind, str]] = set()
        """What is not wrong, or not yet for long enough, and not well either: nothing of it is known to be over."""

    def see(self, sight: Sight, steady: float) -> list[Fault]:
        """What is wrong by this sight and those before it; what may be is in ``doubtful``."""
        if self._blind:
            # Those who were cut off like us are given time to come back.
            self._measured, self._still, self._late, self._blind = None, {}, None, False
        self._seen = _Still(0, sight.at, steady)
        self.doubtful = set()
        return [
            *self._unwatched(sight, steady),
            *(fault for stage in WATCHED for fault in self._stalled(stage, sight, steady)),
            *self._behind(sight, steady),
            *self._restarting(sight),
        ]

    def see_nothing(self, at: int, steady: float) -> list[Fault]:
        """What is wrong when the broker did not let us look."""
        self._blind, self.restarted = True, []
        if self._seen is None:
            self._seen = _Still(0, at, steady)
        if steady - self._seen.steady < self._patience:
            return []
        return [Fault("unreachable", "broker", self._seen.at)]

    def _unwatched(self, sight: Sight, steady: float) -> Iterator[Fault]:
        newest = sight.at if sight.measured_at is None else sight.measured_at
        if self._measured is None or (sight.measured_at is not None and newest != self._measured.position):
            self._measured = _Still(-1 if sight.measured_at is None else newest, newest, steady)
        lasts = steady - self._measured.steady
        if lasts >= self._patience * _DOUBT:
            self.doubtful.add(("unwatched", "measure"))
        if lasts >= self._patience:
            measure = sight.stages.get("measure", StageSight())
            yield Fault("unwatched", "measure", self._measured.at, measure.count, measure.oldest)

    def _stalled(self, stage: str, sight: Sight, steady: float) -> Iterator[Fault]:
        seen = sight.stages.get(stage, StageSight())
        for key in [key for key in self._still if key[0] == stage and key[1] not in seen.waiting]:
            del self._still[key]
        stuck: list[tuple[_Still, Waiting]] = []
        for partition, waiting in seen.waiting.items():
            still = self._still.get((stage, partition))
            if still is None or still.position != waiting.position:
                still = self._still[stage, partition] = _Still(waiting.position, sight.at, steady)
            if steady - still.steady >= self._patience * _DOUBT:
                self.doubtful.add(("stalled", stage))
            if steady - still.steady >= self._patience:
                stuck.append((still, waiting))
        if stuck:
            oldest = min((waiting.since for _, waiting in stuck if waiting.since is not None), default=None)
            since = min(still.at for still, _ in stuck)
            yield Fault("stalled", stage, since, sum(waiting.count for _, waiting in stuck), oldest)

    def _behind(self, sight: Sight, steady: float) -> Iterator[Fault]:
        seen = sight.stages.get("record", StageSight())
        oldest = seen.oldest
        if oldest is None or sight.at - oldest < self._limits.behind_after:
            self._late = None
            return
        self.doubtful.add(("behind", "record"))
        self._late = steady if self._late is None else self._late
        if steady - self._late >= min(self._patience, self._limits.behind_after / SECOND):
            yield Fault("behind", "record", oldest, seen.count, oldest)

    def _restarting(self, sight: Sight) -> Iterator[Fault]:
        self.restarted = []
        for stage, seen in sight.stages.items():
            for name, member in (seen.members or {}).items():
                before = self._instances.setdefault((stage, name), _Instance(member, sight.at))
                if before.member != member:
                    before.started.append(sight.at)
                    self.restarted.append(stage)
                before.member, before.seen = member, sight.at
        for key, instance in list(self._instances.items()):
            while instance.started and instance.started[0] <= sight.at - RESTARTS_WITHIN:
                instance.started.popleft()
            if not instance.started and instance.seen <= sight.at - RESTARTS_WITHIN:
                del self._instances[key]
        most: dict[str, _Instance] = {}
        for (stage, _), instance in self._instances.items():
            if len(instance.started) > len(most[stage].started if stage in most else ()):
                most[stage] = instance
        for stage, instance in most.items():
            self.doubtful.add(("restarting", stage))
            if len(instance.started) >= RESTARTS:
                started = instance.started
                yield Fault("restarting", stage, started[0], times=len(started), latest=started[-1])


class Book:
    """The outages that were told and are not over; says what is to be told. What it says comes back by ``receive``."""

    def __init__(self, limits: Limits) -> None:
        self._settle = min(LONGEST_SETTLE_SECONDS, limits.unwatched_after / SECOND)
        self._open: dict[tuple[str, str], Outage] = {}
        self._well: dict[tuple[str, str], tuple[int, float]] = {}
        self._over: dict[str, int] = {}

    @property
    def open(self) -> Collection[Outage]:
        """What is not over."""
        return self._open.values()

    def receive(self, outage: Outage) -> None:
        """Take note of what was said, by us or by another pager, now or before a restart."""
        key = (outage.fault, outage.stage)
        if outage.state == "open":
            self._open[key] = outage
        elif (opened := self._open.get(key)) is not None and opened.outage_id == outage.outage_id:
            del self._open[key]
            self._well.pop(key, None)
            self._over[outage.stage] = outage.until or outage.detected_at

    def settle(
        self,
        faults: Sequence[Fault],
        doubtful: Collection[tuple[str, str]] | None,
        at: int,
        steady: float,
        person: str | None,
    ) -> list[Outage]:
        """What is to be told now: an outage when it begins, once, and when it has been over for a while.

        What is ``doubtful`` is not over; nothing is known to be when that is None, because nothing could be seen.
        """
        wrong = {fault.key: fault for fault in faults}
        emitted = [begun(fault, at, person) for fault in faults if not self._is_emitted(fault, wrong)]
        for key, outage in self._open.items():
            if doubtful is None or key in doubtful or key in wrong:
                self._well.pop(key, None)
                continue
            since, since_steady = self._well.setdefault(key, (at, steady))
            if steady - since_steady >= self._settle:
                emitted.append(ended(outage, since, at))
        return emitted

    def _is_emitted(self, fault: Fault, wrong: Mapping[tuple[Kind, str], Fault]) -> bool:
        """Whether it is told of already, or by what is graver, or was by what is over."""
        if fault.latest is not None and fault.latest <= self._over.get(fault.stage, fault.since):
            return True
        graver = GRAVITY[GRAVITY.index(fault.kind) + 1 :]
        return fault.key in self._open or any(
            (kind, fault.stage) in self._open or (kind, fault.stage) in wrong for kind in graver
        )
