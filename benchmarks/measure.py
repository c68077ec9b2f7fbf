"""How fast measure is: events a second consumed raw, and measured by ten clauses over eight systems.

    python -m benchmarks.measure [--events 1000000]

Fills a topic of four partitions, reads it with a plain consumer that only counts, then measures it with the stage as
it runs in production (its transactions included), then part of it with `benchmarks.rivals`; each from the beginning,
after one another, on the same machine.
Needs KAFKA_BOOTSTRAP_SERVERS; takes away the topics that it made.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import gc
import os
import pstats
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from benchmarks.workload import fill, publish
from bus import clients
from bus.batches import Batch, PartitionMessages
from bus.documents import ContractsFollower
from bus.loop import Loop, Output
from bus.loop_settings import consumer_configuration
from bus.partitions import Partition
from bus.topics import create_topics
from seamwatch.collector import unhurried_collector
from seamwatch.log import configure
from seamwatch.settings import Settings, load_settings
from seamwatch.wire.topics import Topics
from streams.hosting import loop_settings
from streams.measure.stage import STAGE, Measure
from streams.metrics import Metrics

PARTITIONS = 4
ROUNDS = 3
"""Raw and measured in turns, the best of each: other work on the machine slows some of them."""
PLAIN_EVENTS = 100_000
FAUST_EVENTS = 30_000


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run measured; rates are events a second."""

    events: int
    event_bytes: float
    raw: float
    measured: float
    plain: float | None = None
    faust: float | None = None

    @property
    def ratio(self) -> float:
        """The stage's rate as a share of the raw one."""
        return self.measured / self.raw

    def __str__(self) -> str:
        ratio = f"{self.ratio:.2f} of raw (target 0.35)"
        lines = [
            f"{self.events:,} events of {self.event_bytes:.0f} bytes",
            f"raw consume                              {self.raw:>10,.0f}/s",
            f"measure (10 clauses, 8 systems)          {self.measured:>10,.0f}/s   {ratio}",
        ]
        for name, rate in (("plain loop over fastavro, same job", self.plain), ("Faust, same job", self.faust)):
            if rate is not None:
                lines.append(f"{name:<40} {rate:>10,.0f}/s   measure is {self.measured / rate:,.0f} x as fast")
        return "\n".join(lines)


class _TimedLoop(Loop):
    """The loop, which notes when its first messages came and its last round was committed: joining is not the rate."""

    begun = 0.0
    ended = 0.0

    def _commit(self, batch: Batch) -> None:
        super()._commit(batch)
        self.ended = time.perf_counter()

    def _accept(self, runs: list[PartitionMessages], ends: Mapping[Partition, int]) -> None:
        self.begun = self.begun or time.perf_counter()
        super()._accept(runs, ends)


class _Timed(Measure):
    """The stage, which ends its loop when it has measured so many events."""

    loop: Loop
    wanted = 0

    def compute(self, batch: Batch) -> Sequence[Output]:
        outputs = super().compute(batch)
        self.wanted -= len(batch)
        if self.wanted <= 0:
            self.loop.stop()
        return outputs


@contextlib.contextmanager
def prepared(kafka: str, events: int) -> Iterator[tuple[Settings, float]]:
    """Topics of their own with contracts and events in them, until the end; settings, and the events' mean size."""
    settings = load_settings(kafka=kafka, prefix=f"bench{uuid.uuid4().hex[:8]}", instance="bench")
    reports = create_topics(kafka, settings.prefix, PARTITIONS)
    try:
        with tempfile.TemporaryDirectory() as folder:
            publish(kafka, settings.prefix, Path(folder))
        yield settings, fill(kafka, Topics(settings.prefix).input("inference"), events, PARTITIONS)
    finally:
        admin = clients.admin(kafka)
        deleted = admin.delete_topics([report.name for report in reports])
        for future in deleted.values():
            future.result()


def raw_rate(settings: Settings, events: int) -> float:
    """Events a second that a consumer which only counts reads, with the stage's own configuration."""
    topic = Topics(settings.prefix).input("inference")
    reading = loop_settings(settings, "raw", (topic,), 0.2)
    consumer = clients.consumer(reading.broker, consumer_configuration(reading))
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
    seen = len(consumer.consume(1, 30.0))
    begun = time.perf_counter()
    while seen < events:
        # The ends of partitions come as messages too; they are four in a million.
        seen += len(consumer.consume(10_000, 1.0))
    rate = events / (time.perf_counter() - begun)
    consumer.close()
    return rate


def measure_rate(settings: Settings, events: int) -> float:
    """Events a second that the stage measures and commits, from its first message to its last commit."""
    # A group that has committed nothing, so that each round starts at the beginning.
    group = f"{STAGE}-{uuid.uuid4().hex[:8]}"
    follower = ContractsFollower(settings.kafka or "", settings.prefix)
    stage = _Timed(settings, follower, Metrics(STAGE))
    stage.wanted = events
    inputs = Topics(settings.prefix).inputs
    stage.loop = loop = _TimedLoop(loop_settings(settings, group, inputs, settings.linger / 1e6), stage)
    with unhurried_collector():
        loop.run()
    rate = events / (loop.ended - loop.begun)
    # Loop, stage and clients hold each other, and would outlive the broker, and complain that it is away.
    follower.close()
    del stage, loop
    gc.collect()
    return rate


def rival_rate(settings: Settings, which: str, events: int) -> float:
    """Events a second of one of `benchmarks.rivals`, in a process of its own."""
    topic = Topics(settings.prefix).input("inference")
    command = [sys.executable, "-m", "benchmarks.rivals", which, "--topic", topic, "--events", str(events)]
    environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": settings.kafka or ""}
    answer = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, timeout=180)
    return float(answer.stdout.split()[-1])


def measure(kafka: str, events: int = 1_000_000) -> Figures:
    """Run everything against a broker."""
    with prepared(kafka, events) as (settings, size):
        rates = [(raw_rate(settings, events), measure_rate(settings, events)) for _ in range(ROUNDS)]
        return Figures(
            events,
            size,
            max(raw for raw, _ in rates),
            max(measured for _, measured in rates),
            rival_rate(settings, "plain", min(events, PLAIN_EVENTS)),
            rival_rate(settings, "faust", min(events, FAUST_EVENTS)),
        )


def main() -> None:
    """Run it by the environment's address and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--profile", action="store_true", help="say where measure spends its time")
    arguments = parser.parse_args()
    kafka = load_settings().kafka
    if kafka is None:
        parser.error("set KAFKA_BOOTSTRAP_SERVERS")
    configure(load_settings(log_level="warning"))
    if not arguments.profile:
        print(measure(kafka, arguments.events))
        return
    with prepared(kafka, arguments.events) as (settings, size):
        raw = raw_rate(settings, arguments.events)
        profile = cProfile.Profile()
        measured = profile.runcall(measure_rate, settings, arguments.events)
    print(Figures(arguments.events, size, raw, measured))
    pstats.Stats(profile).sort_stats("tottime").print_stats(35)


if __name__ == "__main__":
    main()
