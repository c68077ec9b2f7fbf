"""judge: hosts a `seamwatch.judging.judge.Judge` for each measurement partition it is assigned.

Restores a judge from the state topic before its first measurement; feeds it; produces its violations, notices and
verdicts, and the state that changed, with the position, in one transaction (`streams.loop` says what that promises).
It reads nothing but measurements, contracts and its own state; its clock is the one that measurements carry.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

import structlog
from confluent_kafka import Message
from confluent_kafka.admin import AdminClient

from seamwatch.clock import SystemClock
from seamwatch.errors import RecordError
from seamwatch.judging.facts import Measurement
from seamwatch.judging.judge import Judge, JudgeSettings
from seamwatch.settings import Settings
from seamwatch.wire.topics import Topics
from seamwatch.wire.values import measurement_of, violation_record
from streams.batch import Batch, Partition
from streams.contracts import ContractsFollower
from streams.dead_letters import dead_letter
from streams.hosting import bootstrap_of, codec_of, loop_settings, partitions_of
from streams.late import LateDays, LateEvents
from streams.loop import Loop, Output, stop_on_signals
from streams.metrics import Metrics
from streams.partitions import partition_of
from streams.pieces import Pieces
from streams.restoring import read_tables
from streams.unknown import Doubted, UnknownDays, UnknownEvents, doubted

log = structlog.get_logger(__name__)

STAGE = "judge"
LINGER_SECONDS = 0.02
LARGEST = 500
SILENCE_SECONDS = 60.0
CONTRACTS_SECONDS = 10.0


class Judges:
    """The stage that the loop drives: measurements in, violations, notices, verdicts and state out."""

    def __init__(self, settings: Settings, contracts: ContractsFollower, metrics: Metrics) -> None:
        self._bootstrap = bootstrap_of(settings)
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
        self._partitions = partitions_of(AdminClient({"bootstrap.servers": self._bootstrap}), self._topics.measurement)
        self._judges: dict[int, Judge] = {}
        self._pieces: dict[int, Pieces] = {}
        self._late_days: dict[int, LateDays] = {}
        self._unknown_days: dict[int, UnknownDays] = {}
        self._heard = time.monotonic()

    # What the loop asks for

    def assigned(self, positions: Mapping[Partition, int | None]) -> None:
        """Restore each partition's judge from the state topic, read to its end."""
        self._contracts.poll()
        self._judges = {number: self._judge_of(number) for _, number in positions}
        self._pieces = {number: Pieces() for number in self._judges}
        self._late_days = {number: LateDays() for number in self._judges}
        self._unknown_days = {number: UnknownDays() for number in self._judges}
        restored = 0
        tables = read_tables(self._bootstrap, self._topics.judge_state, self._judges)
        for number, judge in self._judges.items():
            for key, value in self._pieces[number].joined(tables[number]):
                counted = (self._late_days[number], self._unknown_days[number])
                if not any(days.restore(key, value) for days in counted):
                    judge.restore(key, value)
                restored += 1
        self._heard = time.monotonic()
        log.info("restored", partitions=sorted(self._judges), records=restored)

    def forget(self) -> None:
        """Nothing is ours any more."""
        self._judges, self._pieces, self._late_days, self._unknown_days = {}, {}, {}, {}

    def due(self) -> bool:
        """Never: time comes with the measurements. Their absence is said aloud, once a minute."""
        if self._judges and time.monotonic() - self._heard >= SILENCE_SECONDS:
            log.error("no measurement has come for a minute, so no silence is noticed: is measure running?")
            self._heard = time.monotonic()
        return False

    def compute(self, batch: Batch) -> Sequence[Output]:
        """Judge one batch, each partition by its own judge."""
        with self._metrics.round.time():
            self._heard = time.monotonic()
            if self._contracts.poll():
                self._replace_estate()
            self._metrics.left_out.set(len(self._contracts.estate.problems))
            outputs: list[Output] = []
            for run in batch.runs:
                judge = self._judges[run.partition]
                late, let_go = judge.late, judge.let_go
                unknown: Counter[Doubted] = Counter()
                for message in run.messages:
                    outputs += self._judged(judge, run.topic, message, unknown)
                self._metrics.late.labels("measurement").inc(judge.late - late)
                too_late = judge.take_late()
                self._late.add(too_late)
                self._late_days[run.partition].add(too_late, SystemClock().now())
                self._unknown.add(unknown)
                self._unknown_days[run.partition].add(unknown, SystemClock().now())
                self._metrics.let_go.inc(judge.let_go - let_go)
                self._metrics.events.labels("measurement").inc(len(run.messages))
            for number in sorted({run.partition for run in batch.runs}):
                counts = {**self._late_days[number].saved(), **self._unknown_days[number].saved()}
                changed = {**self._judges[number].take_dirty(), **counts}
                for key, value in self._pieces[number].cut(changed):
                    outputs.append(Output(self._topics.judge_state, value, key.encode(), number))
            self._late.tell()
            self._unknown.tell()
            self._metrics.outputs.inc(len(outputs))
            return outputs

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
        told = judge.on_measurement(measurement)
        for violation in told.violations:
            value = self._codec.encode("violation", violation_record(violation))
            log.info(
                "violation",
                id=violation.violation_id,
                state=violation.state,
                system=violation.system,
                kind=violation.kind,
                summary=violation.summary,
            )
            yield Output(self._topics.violations(violation.kind), value, violation.violation_id.encode())
        for verdict in told.verdicts:
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
        for notice in told.notices:
            yield Output(self._topics.notice, self._codec.encode("notice", asdict(notice)), notice.notice_id.encode())

    def _measurement(self, message: Message) -> Measurement:
        value = message.value()
        if not isinstance(value, bytes):
            raise RecordError("empty: the message has no value")
        return measurement_of(self._codec.decode("measurement", value), self._codec)

    def _await_contracts(self, judge: Judge, measurement: Measurement) -> None:
        """Wait until the contracts that measure knew are known here too: both follow the same topic."""
        until = time.monotonic() + CONTRACTS_SECONDS
        while unknown := judge.unknown_contracts(measurement):
            if self._contracts.poll(0.1):
                self._replace_estate()
            elif time.monotonic() > until:
                log.warning("measured by contracts that are not published", contracts=sorted(unknown))
                return

    def _replace_estate(self) -> None:
        for judge in self._judges.values():
            judge.replace_estate(self._contracts.estate)


def run(settings: Settings) -> None:
    """Run the stage until SIGTERM. Raises UsageError, StageError or UnreachableError when it cannot go on."""
    contracts = ContractsFollower(bootstrap_of(settings), settings.prefix)
    stage = Judges(settings, contracts, Metrics(STAGE, settings.metrics_port, settings.metrics_host))
    inputs = (Topics(settings.prefix).measurement,)
    loop = Loop(loop_settings(settings, STAGE, inputs, LINGER_SECONDS, LARGEST), stage)
    stop_on_signals(loop)
    loop.run()
