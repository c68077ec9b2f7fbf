"""measure: reads every input topic, counts what the clauses want counted, and tells the judges.

The only reader of input topics on the detection side. Decisions, tool calls and outcomes are measured in bulk; the
rare events (a change, an acknowledgement, a refresh, an attestation) are passed on as they are. Both go to the
measurement partition of their system, so that a producer that keys its records otherwise is judged right. What
cannot be used goes to the dead letters. All of it, and the positions, in one transaction a round
(`bus.loop` says what that promises). It judges nothing, and stores nothing. Outcomes that leave what is measured
of them to their decisions wait for the store (`streams.measure.joining`); nothing else waits with them.

A repeated event counts once, within the memory of `streams.measure.dedup`; one whose id another event had before does
not count, which is told (`streams.measure.reused`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import structlog
from confluent_kafka.admin import AdminClient

from bus import clients
from bus.batches import Batch, PartitionMessages, broker_time
from bus.documents import ContractsFollower
from bus.ends import Answer, Ends
from bus.loop import Loop, Output, stop_on_signals
from bus.partitions import Partition, partition_of
from seamwatch.clock import SystemClock
from seamwatch.collector import unhurried_collector
from seamwatch.durations import SECOND
from seamwatch.errors import RecordError, StageError
from seamwatch.judging.model.facts import Fact, ForwardedEvent, InputPartitions, Measurement, Unknown
from seamwatch.judging.model.measure import Source
from seamwatch.judging.records import measurement_record
from seamwatch.record_types import INPUT_TYPES
from seamwatch.settings import Settings
from seamwatch.wire.codec import codec_of
from seamwatch.wire.topics import Topics
from streams.dead_letters import dead_letter
from streams.hosting import broker_of, loop_settings, partitions_of
from streams.measure.decisions import decisions_of
from streams.measure.dedup import RecentIds
from streams.measure.held import Held
from streams.measure.intake import Intake, Reject, Taken
from streams.measure.joining import Joining, Limits
from streams.measure.parting import UNKNOWNS_A_RECORD, parts_of
from streams.measure.plan import Plan
from streams.measure.progress import Progress
from streams.measure.reused import Reused
from streams.measure.warming import read_before
from streams.metrics import Metrics

log = structlog.get_logger(__name__)

STAGE = "measure"
MEASURED: tuple[Source, ...] = get_args(Source)
FORWARDED = tuple(name for name in INPUT_TYPES if name not in MEASURED)
RARE_IDS = 1 << 17
WARMED_RECORDS = 100_000


class Measure:
    """The stage that the loop drives: messages in, measurements and dead letters out."""

    def __init__(self, settings: Settings, contracts: ContractsFollower, metrics: Metrics) -> None:
        self._settings = settings
        self._topics = Topics(settings.prefix)
        self._clock = settings.clock()
        self._codec = codec_of(settings)
        self._contracts = contracts
        self._plan = Plan(contracts.estate, RecentIds())
        self._metrics = metrics
        admin = self._connect()
        self._own_topics = {
            topic: partitions_of(admin, topic, broker_of(settings))
            for topic in (self._topics.measurement, self._topics.measure_state)
        }
        self._destinations = self._own_topics[self._topics.measurement]
        claims = partitions_of(admin, self._topics.input("suspension"), broker_of(settings))
        self._held = Held(broker_of(settings), self._topics, self._codec, claims)
        self._plan.hold(self._held.systems(SystemClock().now()))
        asked = (*self._topics.inputs, self._topics.measurement, self._topics.measure_state)
        self._ends = Ends(self._connect, self._clock, settings.heartbeat / SECOND / 2, asked)
        self._progress = Progress(settings.max_age)
        self._inputs: InputPartitions | None = None
        self._assigned: tuple[Partition, ...] = ()
        self._helper = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._joining = Joining(
            decisions_of(settings),
            Limits(settings.join_within, settings.max_age),
            self._plan,
            self._codec,
            metrics,
            topic=self._topics.input("outcome"),
            state=self._topics.measure_state,
            partitions=self._own_topics[self._topics.measure_state],
        )
        self._reused = Reused(metrics)
        self._emitted_waiting: dict[int, Mapping[int, int]] = {}
        self._emitted_at = dict.fromkeys(range(self._destinations), 0.0)
        self._began: int | None = None
        self._intakes: dict[str, Intake] = {}
        self._partition: dict[str, int] = {}

    def _connect(self) -> AdminClient:
        return clients.admin(broker_of(self._settings), {"log_level": 3})

    # What the loop asks for

    def assigned(self, positions: Mapping[Partition, int | None]) -> None:
        """Learn which events came just before, so that their repetitions do not count."""
        self._assigned = tuple(positions)
        self._progress.assigned(self._assigned)
        self._intakes = {record_type: self._intake(record_type) for record_type in INPUT_TYPES}
        before = {key: offset for key, offset in positions.items() if offset}
        remembered = 0
        for topic, values in read_before(broker_of(self._settings), before, WARMED_RECORDS):
            record_type = self._topics.record_type(topic)
            assert record_type is not None
            self._intakes[record_type].remember(values)
            remembered += len(values)
        self._intakes["outcome"].remember(self._joining.assigned(broker_of(self._settings), self._assigned))
        if remembered:
            log.info("remembered", events=remembered)

    def forget(self) -> None:
        """Nothing is ours any more."""
        self._assigned = ()
        self._intakes = {}
        self._progress.forget()
        self._ends.forget()
        self._joining.forget()
        self._emitted_waiting = {}

    def due(self) -> bool:
        """Whether a judge has gone without a word for as long as the heartbeat, or the store has answered."""
        if not self._assigned:
            return False
        silent = time.monotonic() - min(self._emitted_at.values()) >= self._settings.heartbeat / SECOND
        return silent or self._joining.due()

    def compute(self, batch: Batch) -> Sequence[Output]:
        """Measure one batch."""
        with self._metrics.round.time():
            if self._contracts.poll():
                self._plan.replace_estate(self._contracts.estate)
            claims = batch.by_topic().get(self._topics.input("suspension"), ())
            if self._held.poll(message for run in claims for message in run.messages):
                self._plan.hold(self._held.systems(SystemClock().now()))
            self._metrics.left_out.set(len(self._contracts.estate.problems))
            answer = self._ends.poll(self._assigned)
            if answer is not None:
                self._learn(answer)
            facts: list[Fact] = self._joining.turn()
            events: list[ForwardedEvent] = []
            letters: list[Reject] = []
            for topic, runs in batch.by_topic().items():
                self._take(topic, runs, facts, events, letters)
            measurements = self._measurements(facts, events, batch)
            self._reused.tell()
            counted = (Output(self._topics.measure_state, v, k.encode(), 0) for k, v in self._reused.saved().items())
            outputs = [*self._letters(letters), *measurements, *self._joining.outputs(), *counted]
            self._metrics.outputs.inc(len(outputs))
            return outputs

    def _learn(self, answer: Answer) -> None:
        """Take note of where partitions end and of how many there are. Raises StageError for another number of ours."""
        for topic, known in self._own_topics.items():
            if (number := answer.partitions.get(topic, known)) != known:
                raise StageError(
                    f"{topic} has {number} partitions now, and had {known} when this process began: starting it anew. "
                    'What growing it means says docs/operations.md, "Scaling".'
                )
        self._held.grown(answer.partitions.get(self._topics.input("suspension"), 0))
        there = tuple((topic, answer.partitions[topic]) for topic in self._topics.inputs if topic in answer.partitions)
        if len(there) < len(self._topics.inputs):
            # Where all partitions end up to a moment is known only together with which there were.
            return
        self._inputs = InputPartitions(answer.asked_at, there)
        self._progress.received_ends(answer.asked_at, answer.ends)

    # One topic's share of a batch

    def _intake(self, record_type: str) -> Intake:
        measured = record_type in MEASURED
        return Intake(
            record_type,
            self._codec,
            self._clock,
            self._settings.max_age,
            RecentIds(contents=True) if measured else RecentIds(RARE_IDS, contents=True),
            self._plan.columns(_source(record_type)) if measured else None,
            self._helper,
        )

    def _take(
        self,
        topic: str,
        runs: list[PartitionMessages],
        facts: list[Fact],
        events: list[ForwardedEvent],
        letters: list[Reject],
    ) -> None:
        record_type = self._topics.record_type(topic)
        assert record_type is not None
        intake = self._intakes[record_type]
        if record_type in MEASURED:
            source = _source(record_type)
            taken = intake.timely(intake.new(self._with_columns(source, intake, runs)))
            measured = taken
            if source == "outcome":
                measured = self._joining.hold(taken, self._plan.unjoined(taken.frame))
            facts += self._plan.facts(source, measured.frame, measured.position)
        else:
            # Late ones too: judges tell by the arrival what is history.
            taken = intake.new(intake.decode(runs))
            events += self._forwarded(record_type, topic, taken, letters)
        letters += taken.rejects
        for run in runs:
            arrived = self._clock.at(broker_time(run.messages[-1]) * 1_000)
            self._progress.measured(run.key, taken.times.get(run.key), arrived)
        self._metrics.events.labels(record_type).inc(len(taken.messages))
        self._metrics.rejects.labels(record_type).inc(len(taken.rejects))
        self._metrics.repeated.labels(record_type).inc(taken.repeated)
        self._reused.add(record_type, taken.reused, SystemClock().now())
        self._metrics.late.labels(record_type).inc(taken.late)

    def _with_columns(self, source: Source, intake: Intake, runs: list[PartitionMessages]) -> Taken:
        """The runs decoded with every column that is measured of the systems in them."""
        if intake.columns != self._plan.columns(source):
            intake.read_columns(self._plan.columns(source))
        taken = intake.decode(runs)
        self._plan.meet(taken.frame["system"].unique())
        if intake.columns is not None and not self._plan.columns(source) <= intake.columns:
            # A system that was never met before may need more columns; that is once in its life.
            intake.read_columns(self._plan.columns(source))
            taken = intake.decode(runs)
        return taken

    def _forwarded(self, record_type: str, topic: str, taken: Taken, letters: list[Reject]) -> Iterator[ForwardedEvent]:
        for row, record in enumerate(taken.frame.iter_rows(named=True)):
            _, partition, offset = taken.position(row)
            try:
                self._codec.encode(record_type, record)
            except RecordError as error:
                # Columns cannot show everything; what the judges could not read must not reach them.
                letters.append(Reject(topic, taken.messages[taken.rows[row]], str(error)))
                continue
            arrived = self._clock.at(taken.arrived(row) * 1_000)
            yield ForwardedEvent(record_type, record, topic, partition, offset, arrived)

    # Outputs

    def _letters(self, letters: list[Reject]) -> Iterator[Output]:
        now = self._clock.now()
        for letter in letters:
            yield dead_letter(
                self._topics.dead_letter,
                letter.message,
                letter.reason,
                of=letter.topic,
                stage=STAGE,
                detected_at=now,
                codec=self._codec,
            )

    def _measurements(self, facts: list[Fact], events: list[ForwardedEvent], batch: Batch) -> Iterator[Output]:
        """What each judge is told: facts and events of its systems, and how far the inputs are measured."""
        now, moment = self._clock.now(), time.monotonic()
        # Of no use without all partitions: who heard of these only would take the silence of the others for news.
        marks = self._progress.watermarks(batch.positions) if self._inputs is not None else ()
        moved = {run.key for run in batch.runs}
        recent = tuple(mark for mark in marks if (mark.topic, mark.partition) in moved)
        waiting = self._joining.earliest(self._destination)
        unknowns: dict[int, list[Unknown]] = {}
        for unknown in self._plan.take_unknown():
            unknowns.setdefault(self._destination(unknown.system), []).append(unknown)
        facts_of: dict[int, list[Fact]] = {}
        for fact in facts:
            facts_of.setdefault(self._destination(fact.system), []).append(fact)
        events_of: dict[int, list[ForwardedEvent]] = {}
        for event in events:
            events_of.setdefault(self._destination(event.record["system"]), []).append(event)
        # Every judge learns of the beginning with the events that it is known by, or a crash would leave some without.
        renewed, self._began = self._progress.began != self._began, self._progress.began
        for number in range(self._destinations):
            mine, rare = facts_of.get(number, []), events_of.get(number, [])
            silent = moment - self._emitted_at[number] >= self._settings.heartbeat / SECOND
            wait = waiting.get(number, {})
            waited = self._emitted_waiting.get(number, {})
            uncertain = unknowns.get(number, [])
            if not (mine or rare or uncertain or renewed or ((silent or wait != waited) and marks)):
                continue
            # All of them once a heartbeat, between heartbeats those that moved: the rest say nothing new.
            said = marks if silent else recent
            if wait or waited:
                said = self._joining.marked(said, marks, wait, waited)
            self._emitted_at[number] = moment if silent else self._emitted_at[number]
            if marks:
                self._emitted_waiting[number] = wait
            for first in range(UNKNOWNS_A_RECORD, len(uncertain), UNKNOWNS_A_RECORD):
                some = tuple(uncertain[first : first + UNKNOWNS_A_RECORD])
                yield self._output_to(number, Measurement(now, began=self._began, unknowns=some))
            parts = parts_of(mine, rare, lambda event: len(self._codec.encode(event.type, event.record)))
            for part, (own_facts, own_events) in enumerate(parts, 1):
                # Watermarks come last: they say that everything before them has been told.
                marked, left = (said, tuple(uncertain[:UNKNOWNS_A_RECORD])) if part == len(parts) else ((), ())
                measurement = Measurement(now, marked, own_facts, own_events, self._began, left, self._inputs)
                yield self._output_to(number, measurement)

    def _output_to(self, number: int, measurement: Measurement) -> Output:
        value = self._codec.encode("measurement", measurement_record(measurement, self._codec))
        return Output(self._topics.measurement, value, partition=number)

    def _destination(self, system: str) -> int:
        number = self._partition.get(system)
        if number is None:
            if len(self._partition) > 100_000:
                self._partition.clear()
            number = self._partition[system] = partition_of(system, self._destinations)
        return number


def run(settings: Settings) -> None:
    """Run the stage until SIGTERM. Raises UsageError, StageError or UnreachableError when it cannot go on."""
    contracts = ContractsFollower(broker_of(settings), settings.prefix, required=settings.follows_signed_only)
    metrics = Metrics(STAGE, settings.metrics_port, settings.metrics_host)
    stage = Measure(settings, contracts, metrics)
    inputs = Topics(settings.prefix).inputs
    loop = Loop(loop_settings(settings, STAGE, inputs, settings.linger / SECOND), stage, metrics.show_lag)
    stop_on_signals(loop)
    with unhurried_collector():
        loop.run()


def _source(record_type: str) -> Source:
    return next(source for source in MEASURED if source == record_type)
