"""judge: hosts a `seamwatch.engine.judge.Judge` for each measurement partition it is assigned.

Restores a judge from the state topic before its first measurement; feeds it; produces its violations, notices and
verdicts, and the state that changed, with the position, in one transaction (`bus.loop` says what that promises).
It reads nothing but measurements, contracts and its own state; its clock is the one that measurements carry.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

import structlog
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from bus import clients
from bus.batches import Batch
from bus.documents import ContractsFollower
from bus.loop import Loop, Output, stop_on_signals
from bus.partitions import Partition, partition_of
from bus.restoring import read_tables
from seamwatch.clock import SystemClock, setting_of
from seamwatch.engine.judge import Judge
from seamwatch.engine.settings import JudgeSettings
from seamwatch.errors import RecordError, StageError
from seamwatch.judging.found import Found, header_of
from seamwatch.judging.model.facts import Measurement
from seamwatch.judging.records import measurement_of, violation_record
from seamwatch.settings import Settings
from seamwatch.wire.codec import codec_of
from seamwatch.wire.topics import Topics
from streams.dead_letters import dead_letter
from streams.hosting import broker_of, loop_settings, partitions_of
from streams.judge.chunks import Chunks
from streams.judge.clock_watch import ClockWatch
from streams.judge.figures import Figures
from streams.judge.late import LateDays, LateEvents
from streams.judge.unknown import Doubted, UnknownDays, UnknownEvents, doubted
from streams.metrics import Metrics
from streams.unreadable import Lost, UnreadableList, tell

log = structlog.get_logger(__name__)

STAGE = "judge"
LINGER_SECONDS = 0.02
LARGEST = 500
SILENCE_SECONDS = 60.0
CONTRACTS_SECONDS = 10.0
"""So long the contracts' topic may be waited for, in all; then only a moment for each version that is not known."""
CONTRACTS_AT_LEAST = 0.1
MISSING_KEPT = 10_000


class Judges:
    """The stage that the loop drives: measurements in, violations, notices, verdicts and state out."""

    def __init__(self, settings: Settings, contracts: ContractsFollower, metrics: Metrics) -> None:
        self._bootstrap = broker_of(settings)
        self._topics = Topics(settings.prefix)
        self._clock = settings.clock()
        self._codec = codec_of(settings)
        self._contracts = contracts
        self._settings = JudgeSettings(
            lateness=settings.lateness,
            settle=settings.settle,
            max_age=settings.max_age,
            default_owner=settings.default_owner,
        )
        self._metrics = metrics
        self._late = LateEvents(metrics)
        self._unknown = UnknownEvents(metrics)
        self._admin = clients.admin(self._bootstrap, {"log_level": 3})
        self._partitions = 0
        self._clocks = ClockWatch(metrics)
        self._figures = Figures(metrics.registry, self._clock)
        self._missing: set[tuple[str, str]] = set()
        self._patience = CONTRACTS_SECONDS
        self._judges: dict[int, Judge] = {}
        self._chunks: dict[int, Chunks] = {}
        self._late_days: dict[int, LateDays] = {}
        self._unknown_days: dict[int, UnknownDays] = {}
        self._unreadable: dict[int, UnreadableList] = {}
        self._received_at = time.monotonic()

    # What the loop asks for

    def assigned(self, positions: Mapping[Partition, int | None]) -> None:
        """Restore each partition's judge from the state topic, read to its end."""
        self._contracts.poll()
        self._partitions = self._partitions_now()
        self._judges = {number: self._judge_of(number) for _, number in positions}
        self._chunks = {number: Chunks() for number in self._judges}
        self._late_days = {number: LateDays() for number in self._judges}
        self._unknown_days = {number: UnknownDays() for number in self._judges}
        self._unreadable = {number: UnreadableList() for number in self._judges}
        restored = 0
        tables = read_tables(self._bootstrap, self._topics.judge_state, self._judges)
        for number in self._judges:
            restored += self._restore(number, tables[number])
        self._metrics.unreadable.set(sum(len(judge.aside) for judge in self._judges.values()))
        self._received_at = time.monotonic()
        log.info("restored", partitions=sorted(self._judges), records=restored)

    def _restore(self, number: int, table: Mapping[str, bytes]) -> int:
        judge, chunks, restored = self._judges[number], self._chunks[number], 0
        counted = (self._late_days[number], self._unknown_days[number])
        for key, value in chunks.joined(table):
            restored += 1
            self._figures.wrote(number, {key: value})
            if self._unreadable[number].restore(key, value):
                continue
            try:
                if any(days.restore(key, value) for days in counted):
                    continue
            except (ValueError, TypeError) as error:
                judge.aside.put(key, value, str(error))
                continue
            judge.restore(key, value)
        for key, value in chunks.lacking.items():
            judge.aside.put(key, value, "a chunk of it is missing")
        found = [Lost(one.key, one.why, one.episodes) for one in judge.aside.take_found()]
        tell(self._topics.judge_state, number, found)
        return restored

    def _partitions_now(self) -> int:
        """How many partitions measurements have. Raises StageError when the state topic has another number."""
        own, state = (
            partitions_of(self._admin, topic, self._bootstrap)
            for topic in (self._topics.measurement, self._topics.judge_state)
        )
        if own != state:
            raise StageError(
                f"{self._topics.measurement} has {own} partitions and {self._topics.judge_state} has {state}: they "
                "must have the same number. Add to the smaller with kafka-topics --alter."
            )
        return own

    def forget(self) -> None:
        """Nothing is ours any more."""
        self._judges, self._chunks, self._unreadable = {}, {}, {}
        self._late_days, self._unknown_days = {}, {}
        self._clocks.forget()
        self._figures.forget()

    def due(self) -> bool:
        """Never: time comes with the measurements. Their absence is said aloud, once a minute."""
        if self._judges and time.monotonic() - self._received_at >= SILENCE_SECONDS:
            log.error("no measurement has come for a minute, so no silence is noticed: is measure running?")
            self._received_at = time.monotonic()
        return False

    def compute(self, batch: Batch) -> Sequence[Output]:
        """Judge one batch, each partition by its own judge."""
        with self._metrics.round.time():
            self._received_at = time.monotonic()
            if self._contracts.poll():
                self._replace_estate()
            self._metrics.left_out.set(len(self._contracts.estate.problems))
            outputs: list[Output] = []
            for run in batch.runs:
                judge = self._judges[run.partition]
                late, evicted = judge.late, judge.evicted
                unknown: Counter[Doubted] = Counter()
                for message in run.messages:
                    outputs += self._judged(judge, run.topic, message, unknown)
                self._metrics.late.labels("measurement").inc(judge.late - late)
                too_late = judge.take_late()
                self._late.add(too_late)
                self._late_days[run.partition].add(too_late, SystemClock().now())
                self._unknown.add(unknown)
                self._unknown_days[run.partition].add(unknown, SystemClock().now())
                self._metrics.let_go.inc(judge.evicted - evicted)
                self._metrics.events.labels("measurement").inc(len(run.messages))
            for number in sorted({run.partition for run in batch.runs}):
                changed = self._changed(number)
                self._figures.wrote(number, changed)
                for key, value in self._chunks[number].cut(changed):
                    outputs.append(Output(self._topics.judge_state, value, key.encode(), number))
            self._late.tell()
            self._unknown.tell()
            self._clocks.look(self._judges)
            self._figures.look(self._judges)
            self._metrics.outputs.inc(len(outputs))
            return outputs

    def _changed(self, number: int) -> dict[str, bytes | None]:
        """What of a partition's state is to be written with this round."""
        judge = self._judges[number]
        counts = {**self._late_days[number].saved(), **self._unknown_days[number].saved()}
        changed = {**judge.take_dirty(), **counts, **judge.aside.beside(counts, judge.clock[0])}
        if judge.aside.take_changed():
            self._metrics.unreadable.set(sum(len(each.aside) for each in self._judges.values()))
            changed |= self._unreadable[number].saved([Lost(one.key, one.why, one.episodes) for one in judge.aside])
        return changed

    def _judge_of(self, number: int) -> Judge:
        def owns(system: str) -> bool:
            return partition_of(system, self._partitions) == number

        return Judge(self._contracts.estate, self._settings, owns)

    # One measurement

    def _judged(self, judge: Judge, topic: str, message: Message, unknown: Counter[Doubted]) -> Iterator[Output]:
        try:
            measurement = self._measurement(message)
        except RecordError as error:
            # Not measure's: somebody else writes to the topic. It must not stop the partition.
            log.exception("a measurement cannot be read", offset=message.offset())
            self._metrics.rejects.labels("measurement").inc()
            yield dead_letter(
                self._topics.dead_letter,
                message,
                str(error),
                of=topic,
                stage=STAGE,
                detected_at=self._clock.now(),
                codec=self._codec,
            )
            return
        self._await_contracts(judge, measurement)
        unknown += doubted(measurement.unknowns)
        emitted = judge.on_measurement(measurement)
        self._figures.found(emitted.violations, judge.clock[0])
        found = header_of(self._found(judge, message)) if emitted.violations else None
        for violation in emitted.violations:
            value = self._codec.encode("violation", violation_record(violation))
            log.info(
                "violation",
                id=violation.violation_id,
                state=violation.state,
                system=violation.system,
                kind=violation.kind,
                summary=violation.summary,
            )
            yield Output(
                self._topics.violations(violation.kind),
                value,
                violation.violation_id.encode(),
                headers=() if found is None else (found,),
            )
        for verdict in emitted.verdicts:
            self._metrics.answers.labels(verdict.reason).inc()
            log.log(
                logging.INFO if verdict.counted else logging.WARNING,
                "answer counts" if verdict.counted else "answer does not count",
                reason=verdict.reason,
                person=verdict.person,
                of=verdict.of,
                reference=verdict.reference,
                system=verdict.system,
                summary=verdict.summary,
                id=verdict.acknowledgement_id,
            )
            value = self._codec.encode("verdict", asdict(verdict))
            yield Output(self._topics.verdict, value, verdict.acknowledgement_id.encode())
        for suspended in emitted.suspended:
            log.warning(
                suspended.state,
                system=suspended.system,
                version=suspended.version,
                tool=suspended.tool,
                by=suspended.person or suspended.contract,
                reason=suspended.reason,
            )
            value = self._codec.encode("suspended", asdict(suspended))
            yield Output(self._topics.suspended, value, suspended.key.encode())
        for notice in emitted.notices:
            yield Output(self._topics.notice, self._codec.encode("notice", asdict(notice)), notice.notice_id.encode())

    def _found(self, judge: Judge, message: Message) -> Found:
        """How what a measurement led to was found."""
        kind, millis = message.timestamp()
        measured_at = None if kind == TIMESTAMP_NOT_AVAILABLE else self._clock.at(millis * 1_000)
        return Found(measured_at, self._settings.lateness, self._settings.settle, judge.held, setting_of(self._clock))

    def _measurement(self, message: Message) -> Measurement:
        value = message.value()
        if not isinstance(value, bytes):
            raise RecordError("empty: the message has no value")
        return measurement_of(self._codec.decode("measurement", value), self._codec)

    def _await_contracts(self, judge: Judge, measurement: Measurement) -> None:
        """See that the contracts that measure knew are known here too: both follow the same topic.

        Once that was read to where it ends now, what is unknown has been withdrawn, and is not waited for again. Where
        it cannot be read so far, it is waited for as long as there is patience, which is for all of them together.
        """
        unknown = judge.unknown_contracts(measurement)
        if not unknown:
            return
        if not unknown <= self._missing:
            before, began = self._contracts.estate, time.monotonic()
            self._contracts.catch_up(max(self._patience, CONTRACTS_AT_LEAST))
            self._patience -= time.monotonic() - began
            if self._contracts.estate is not before:
                self._replace_estate()
            unknown = judge.unknown_contracts(measurement)
            if new := unknown - self._missing:
                log.warning("measured by contracts that are not published", contracts=sorted(new))
                self._missing = new | (self._missing if len(self._missing) < MISSING_KEPT else set())
        for fact in measurement.facts:
            if (fact.contract, fact.contract_version) in unknown:
                self._metrics.unpublished.labels(fact.contract, fact.contract_version).inc(fact.count)

    def _replace_estate(self) -> None:
        for judge in self._judges.values():
            judge.replace_estate(self._contracts.estate)


def run(settings: Settings) -> None:
    """Run the stage until SIGTERM. Raises UsageError, StageError or UnreachableError when it cannot go on."""
    contracts = ContractsFollower(broker_of(settings), settings.prefix, required=settings.follows_signed_only)
    metrics = Metrics(STAGE, settings.metrics_port, settings.metrics_host)
    stage = Judges(settings, contracts, metrics)
    inputs = (Topics(settings.prefix).measurement,)
    loop = Loop(loop_settings(settings, STAGE, inputs, LINGER_SECONDS, LARGEST), stage, metrics.show_lag)
    stop_on_signals(loop)
    loop.run()
