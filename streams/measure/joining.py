"""Joining: outcomes that lack what is measured of them wait for the store to tell their decisions.

The store is asked in batches, by a thread of its own, one batch at a time. What it does not have is asked for again,
after half as long as the outcome has waited (a second at least, a minute at most). An outcome stops waiting, and counts
with what it carries, when

- the store answers, ``SEAMWATCH_JOIN_WITHIN`` after the outcome arrived or later, that it has no such decision;
- the store has been away for so long that the outcome arrived ``SEAMWATCH_MAX_AGE`` ago;
- more than `MOST` wait: those that arrived first give way;
- no store is named.

Each of these is counted (metric ``unfound``) and logged. These times are real, however fast the stage's clock runs.

What is guaranteed: an outcome is measured exactly once, whatever crashes. It waits from the same transaction on that
commits its position, to the one that has its facts. As long as it waits, judges are told (`Watermark.waiting`) and
judge nothing that looks at outcomes of its time or later. No call here waits for the store.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

import polars as pl
import structlog

from bus.batches import broker_time
from bus.loop import Output
from bus.partitions import Partition
from bus.restoring import read_tables
from seamwatch.broker import Address
from seamwatch.columnar.decode import Decoder
from seamwatch.errors import StoreError, UnreachableError
from seamwatch.judging.model.facts import Fact, Watermark
from seamwatch.wire.codec import Codec
from streams.measure.decisions import Decisions
from streams.measure.intake import Taken
from streams.measure.outcomes import join_outcomes
from streams.measure.plan import Plan
from streams.measure.reused import KEY as REUSED
from streams.measure.waiting import ROW, Waiting
from streams.metrics import Metrics
from streams.unreadable import NAME, Lost, UnreadableList, tell

log = structlog.get_logger(__name__)

MOST = 500_000
"""More outcomes than these (about 200 MB) do not wait in one process."""
IDS_AT_ONCE = 10_000
SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
AWAY_PAUSE = 30.0
SAID_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an outcome waits at most (micros): for a decision that the store has not, and for a store away."""

    within: int
    away: int


class Joining:
    """The outcomes of one process of measure that wait; see the module for what it promises.

    ``topic`` is that of outcomes; ``state`` the compacted topic, of ``partitions``, that keeps those that wait.
    """

    def __init__(
        self,
        decisions: Decisions | None,
        limits: Limits,
        plan: Plan,
        codec: Codec,
        metrics: Metrics,
        *,
        topic: str,
        state: str,
        partitions: int,
    ) -> None:
        self._decisions = decisions
        self._limits = limits
        self._plan = plan
        self._codec = codec
        self._metrics = metrics
        self._topic = topic
        self._state = state
        self._partitions = partitions
        self._named = Decoder("outcome", codec, ("event_time", "system", "inference_id"))
        self._decoder = (frozenset[str](), self._named)
        self._waiting = Waiting()
        self._asked: tuple[list[str], Future[pl.DataFrame]] | None = None
        self._not_before = 0.0
        self._pause = 0.0
        self._earliest: Mapping[int, Mapping[int, int]] | None = None
        self._said: dict[str, tuple[float, int]] = {}
        self._warned = False
        self._mine: frozenset[int] = frozenset()
        self._lies: dict[str, int] = {}
        self._lost: dict[str, str] = {}
        self._lists: dict[int, UnreadableList] = {}
        self._listed = False

    # State

    def assigned(self, bootstrap: Address, assigned: Collection[Partition]) -> list[bytes]:
        """Take back what waits of these partitions; the messages' values.

        Raises UnreachableError when the topic cannot be read to its end, StageError when there is none.
        """
        self._mine = frozenset(number for topic, number in assigned if topic == self._topic)
        # All of them: where a key lies depends on how many there were when it was written.
        tables = read_tables(bootstrap, self._state, range(self._partitions)) if self._mine else {}
        self._lists = {number: UnreadableList(f"{number}{NAME}") for number in self._mine}
        records: dict[str, bytes] = {}
        foreign: dict[str, int] = {}
        for lies, table in tables.items():
            for key, value in table.items():
                owner = _partition_of(key)
                if key.startswith(REUSED):
                    continue
                if key.endswith(NAME):
                    if owner in self._mine:
                        self._lists[owner].restore(key, value)
                elif owner in self._mine:
                    records[key], self._lies[key] = value, lies
                elif owner is None and lies in self._mine:
                    foreign[key] = lies
        self.restore(records)
        self._lost |= dict.fromkeys(foreign, "its key is none of an outcome's")
        self._lies |= foreign
        self._tell_lost()
        if len(self._waiting):
            log.info("outcomes wait for their decisions", outcomes=len(self._waiting))
        return self._waiting.values()

    def restore(self, records: Mapping[str, bytes]) -> None:
        """Take back records of the topic that are ours. Those that cannot be read stay there, and are told of."""
        self._lost |= self._waiting.restore(records, time.monotonic())
        self._changed()

    def forget(self) -> None:
        """Nothing is ours any more. An answer under way is dropped."""
        self._waiting = Waiting()
        self._mine, self._lies, self._lost, self._lists = frozenset(), {}, {}, {}
        # The next question waits for the end of this one: they share a connection.
        self._asked = None if self._asked is None else ([], self._asked[1])
        self._changed()

    def outputs(self) -> Iterator[Output]:
        """What of the state changed since the last call, to be written with the facts and positions of the round."""
        for key, value in self._waiting.take_changed():
            yield self._output(key, value)
        if self._listed:
            self._listed = False
            for number, unreadable in self._lists.items():
                lost = [Lost(key, why) for key, why in self._lost.items() if self._owner_of(key) == number]
                for key, value in unreadable.saved(lost).items():
                    yield self._output(key, value)

    def _output(self, key: str, value: bytes | None) -> Output:
        partition = self._lies.get(key, (_partition_of(key) or 0) % self._partitions)
        if value is None:
            self._lies.pop(key, None)
        return Output(self._state, value, key.encode(), partition)

    def _owner_of(self, key: str) -> int:
        owner = _partition_of(key)
        return self._lies.get(key, 0) if owner is None else owner

    def _tell_lost(self) -> None:
        for number in sorted({self._owner_of(key) for key in self._lost}):
            tell(self._state, number, [Lost(k, why) for k, why in self._lost.items() if self._owner_of(k) == number])
        self._metrics.unreadable.set(len(self._lost))
        self._listed = True

    # What measure asks for

    def hold(self, taken: Taken, lacking: pl.Series) -> Taken:
        """Without the outcomes that lack what is measured of them: they wait. All of them when there is no store."""
        count = int(lacking.sum())
        if not count:
            return taken
        self._metrics.unjoined.inc(count)
        if self._decisions is None:
            if not self._warned:
                log.warning(
                    "outcomes without score or cohort count with what they carry: set CLICKHOUSE_URL, and they take it "
                    "from their decisions"
                )
                self._warned = True
            self._metrics.unfound.labels("no store").inc(count)
            return taken
        messages = [taken.messages[row] for row in taken.rows.filter(lacking)]
        values = [value for message in messages if isinstance(value := message.value(), bytes)]
        rows = self._named.decode(values).frame.with_columns(
            pl.Series("partition", [message.partition() for message in messages], pl.Int32()),
            pl.Series("offset", [message.offset() for message in messages], pl.Int64()),
            pl.Series("arrived", [broker_time(message) for message in messages], pl.Int64()),
            pl.Series("value", values, pl.Binary()),
        )
        self._waiting.add(rows.select(list(ROW)), time.monotonic())
        self._changed()
        return replace(taken, frame=taken.frame.filter(~lacking), rows=taken.rows.filter(~lacking))

    def due(self) -> bool:
        """Whether `turn` has something to do."""
        if self._asked is not None:
            return self._asked[1].done()
        next_due = self._waiting.next_due()
        return next_due is not None and time.monotonic() >= max(next_due, self._not_before)

    def turn(self) -> list[Fact]:
        """The facts of outcomes that need not wait any more; asks for more decisions when it is time. Never waits."""
        facts: list[Fact] = []
        if not len(self._waiting) and self._asked is None:
            return facts
        if self._decisions is None:
            return self._given_up(self._waiting.oldest(len(self._waiting)), "no store")
        if self._asked is not None and self._asked[1].done():
            (ids, answer), self._asked = self._asked, None
            try:
                facts += self._answered(ids, answer.result())
            except (StoreError, UnreachableError) as error:
                facts += self._away(error)
        facts += self._given_up(self._waiting.oldest(len(self._waiting) - MOST), "too many wait")
        now = time.monotonic()
        if self._asked is None and now >= self._not_before and (ids := self._waiting.due(now, IDS_AT_ONCE)):
            self._asked = ids, _in_background(self._decisions.find, ids)
        return facts

    def earliest(self, destination: Callable[[str], int]) -> Mapping[int, Mapping[int, int]]:
        """By destination of their systems and by partition, the event time of the earliest outcome that waits."""
        if self._earliest is None:
            earliest: dict[int, dict[int, int]] = {}
            for partition, system, event_time in self._waiting.earliest():
                earliest_of = earliest.setdefault(destination(system), {})
                earliest_of[partition] = min(event_time, earliest_of.get(partition, event_time))
            self._earliest = earliest
        return self._earliest

    def marked(
        self,
        said: tuple[Watermark, ...],
        marks: tuple[Watermark, ...],
        wait: Mapping[int, int],
        waited: Mapping[int, int],
    ) -> tuple[Watermark, ...]:
        """What is said to a judge, with the marks of partitions of which something waits now or did when last told."""
        mine = {mark.partition: mark for mark in marks if mark.topic == self._topic}
        mine = {number: mark for number, mark in mine.items() if number in wait or number in waited}
        others = (mark for mark in said if mark.topic != self._topic or mark.partition not in mine)
        return (*others, *(replace(mark, waiting=wait.get(number)) for number, mark in mine.items()))

    # Answers

    def _answered(self, ids: Sequence[str], found: pl.DataFrame) -> list[Fact]:
        if self._pause:
            log.info("the store answers again", waiting=len(self._waiting))
            self._pause = 0.0
        now_ms = time.time_ns() // 1_000_000
        rows = self._waiting.asked(ids)
        decided = found.select("system", pl.col("event_id").alias("inference_id"))
        missing = rows.join(decided, on=["system", "inference_id"], how="anti")
        answered = rows.join(decided, on=["system", "inference_id"], how="semi")
        facts = self._facts(answered, found)
        self._metrics.joined.inc(answered.height)
        facts += self._given_up(missing.filter(pl.col("arrived") <= now_ms - self._limits.within // 1_000), "not found")
        self._waiting.put_off(ids, time.monotonic(), now_ms, SHORTEST_PAUSE, LONGEST_PAUSE)
        return facts

    def _away(self, error: StoreError | UnreachableError) -> list[Fact]:
        if not self._pause:
            log.warning("outcomes wait until the store answers; all else goes on", why=str(error))
        self._pause = min(max(2 * self._pause, SHORTEST_PAUSE), AWAY_PAUSE)
        self._not_before = time.monotonic() + self._pause
        longest = time.time_ns() // 1_000_000 - self._limits.away // 1_000
        return self._given_up(self._waiting.arrived_before(longest), "store away")

    def _given_up(self, rows: pl.DataFrame, why: str) -> list[Fact]:
        if rows.is_empty():
            return []
        self._metrics.unfound.labels(why).inc(rows.height)
        at, count = self._said.get(why, (-SAID_SECONDS, 0))
        count += rows.height
        if time.monotonic() - at >= SAID_SECONDS:
            such = rows["inference_id"][0]
            log.warning("outcomes count without their decisions", why=why, outcomes=count, such_as=such)
            at, count = time.monotonic(), 0
        self._said[why] = at, count
        return self._facts(rows, None)

    def _facts(self, rows: pl.DataFrame, found: pl.DataFrame | None) -> list[Fact]:
        """The facts of outcomes, which wait no more."""
        if rows.is_empty():
            return []
        self._plan.meet(rows["system"].unique())
        columns = self._plan.columns("outcome") | {"inference_id"}
        if self._decoder[0] != columns:
            self._decoder = columns, Decoder("outcome", self._codec, columns)
        values = rows["value"].to_list()
        decoded = self._decoder[1].decode(values)
        if decoded.rejects:
            # An earlier release may have let wait what lacks an identity.
            decoded = Decoder("outcome", self._codec, columns, earlier=True).decode(values)
        if decoded.rejects:
            rows = self._without(rows, decoded.rejects)
            if rows.is_empty():
                return []
        outcomes = decoded.frame
        if found is not None:
            outcomes = join_outcomes(outcomes, self._plan.unjoined(outcomes), found)
        partitions, offsets = rows["partition"], rows["offset"]
        facts = self._plan.facts("outcome", outcomes, lambda row: (self._topic, partitions[row], offsets[row]))
        self._waiting.remove(rows)
        self._changed()
        return facts

    def _without(self, rows: pl.DataFrame, rejects: Sequence[tuple[int, str]]) -> pl.DataFrame:
        """The outcomes but for those that could be decoded when they came, and cannot any more.

        They stay where they are, until a start at which their writer's schema is there again.
        """
        lost = rows[[row for row, _ in rejects]]
        places = zip(lost["partition"], lost["offset"], (reason for _, reason in rejects), strict=True)
        why = "cannot be decoded any more; put its writer's schema back into SEAMWATCH_SCHEMAS or the registry"
        self._lost |= {f"{number}/{at} (the outcome there)": f"{why}: {reason}" for number, at, reason in places}
        self._tell_lost()
        self._waiting.set_aside(lost)
        self._changed()
        return rows.join(lost, on=["partition", "offset"], how="anti", maintain_order="left")

    def _changed(self) -> None:
        self._earliest = None
        self._metrics.waiting.set(len(self._waiting))


def _partition_of(key: str) -> int | None:
    """The partition of the outcomes that lie under a key; None for a key that is none of ours."""
    number = key.partition("/")[0].removesuffix(NAME)
    return int(number) if number.isascii() and number.isdigit() else None


def _in_background(find: Callable[[Sequence[str]], pl.DataFrame], ids: Sequence[str]) -> Future[pl.DataFrame]:
    # A thread that nobody waits for at the end of the process, however long the store takes.
    answer: Future[pl.DataFrame] = Future()

    def ask() -> None:
        try:
            answer.set_result(find(ids))
        except BaseException as error:  # noqa: BLE001 - whoever takes the answer gets it
            answer.set_exception(error)

    threading.Thread(target=ask, name="decisions", daemon=True).start()
    return answer
