"""Stages as processes of their own, events to feed them, and what they produced: for tests that need a broker."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, OffsetSpec

from bus import clients
from bus.documents import ContractsFollower, publish_folder
from bus.reading import find_leaders, take
from bus.topics import create_topics
from seamwatch.judging.model.facts import Measurement
from seamwatch.judging.model.measure import UNJUDGED
from seamwatch.judging.records import measurement_of
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics
from tests.sinks.mixed import Mixed, Sent
from tests.waiting import PATIENCE, wait_for

CODEC = Codec()
ROOT = Path(__file__).resolve().parents[2]

PEOPLE = """
kind: Person
id: owner@example.org
name: Olive Owner
channels: []
"""


def contract(clauses: str, covers: str = "['*']", version: str = "1") -> str:
    """A contract over systems with some clauses (YAML list items, not indented)."""
    return f"""
kind: Contract
id: agreed
version: '{version}'
seam: model-to-product
covers: {covers}
parties:
  provider: {{team: models, signatory: owner@example.org}}
  consumer: {{team: product, signatory: owner@example.org}}
escalation: [{{person: owner@example.org, acknowledge_within: 1h}}]
clauses:
{clauses}
"""


RANGE = """
- {id: scores, kind: range, min: 0, max: 1}
- {id: counted, kind: range, min: 0, max: 1, tolerate: 0.9, window: 1h}
"""


@dataclass
class Scene:
    """Topics of their own under one prefix, contracts in them, and the stages that were started."""

    kafka: str
    folder: Path
    partitions: int = 4
    prefix: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:10]}")
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    followers: list[ContractsFollower] = field(default_factory=list)

    def __post_init__(self) -> None:
        create_topics(self.kafka, self.prefix, self.partitions)
        self.topics = Topics(self.prefix)
        self.producer = Producer(
            {
                "bootstrap.servers": self.kafka,
                "linger.ms": 5,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
            }
        )

    def publish(self, *documents: str) -> None:
        """Make these documents the published ones."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "documents.yaml").write_text("\n---\n".join(documents))
        publish_folder(self.kafka, self.prefix, self.folder, withdraw=True)

    def contracts(self) -> ContractsFollower:
        """A follower of what is published, until the end of the scene."""
        self.followers.append(ContractsFollower(self.kafka, self.prefix))
        return self.followers[-1]

    def start(self, stage: str, instance: str = "a", **settings: str) -> subprocess.Popen[bytes]:
        """Start a stage as a process; again after it died gives its successor."""
        variables = {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "SEAMWATCH_PREFIX": self.prefix,
            "SEAMWATCH_INSTANCE": instance,
            **settings,
        }
        code = (
            "from seamwatch.settings import load_settings; from seamwatch.log import configure; "
            f"from streams.{stage}.stage import run; configure(load_settings(), {stage!r}); run(load_settings())"
        )
        process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **variables})
        self.processes[f"{stage}-{instance}"] = process
        return process

    def kill(self, stage: str, instance: str = "a") -> None:
        """kill -9."""
        process = self.processes[f"{stage}-{instance}"]
        process.kill()
        process.wait()

    def end(self) -> list[int]:
        """Ask every stage to stop; their exit codes."""
        for process in self.processes.values():
            process.terminate()
            process.send_signal(signal.SIGCONT)  # one that is paused hears nothing
        codes = []
        for process in self.processes.values():
            try:
                codes.append(process.wait(PATIENCE))
            except subprocess.TimeoutExpired:
                process.kill()
                codes.append(process.wait())
        return codes

    def close(self) -> None:
        """Close the clients: whatever lives longer than the broker complains on the terminal that it is away."""
        self.producer.close()
        for follower in self.followers:
            follower.close()

    def send(self, record_type: str, value: bytes, key: str | None = None) -> None:
        """Produce one value to the topic of a record type."""
        while True:
            try:
                self.producer.produce(self.topics.input(record_type), value, key)
            except BufferError:
                self.producer.poll(0.1)
            else:
                break
        self.producer.poll(0)

    def send_as_it_is(self, message: Sent) -> None:
        """Produce a message of no matter what content to the partition that it names."""
        while True:
            try:
                self.producer.produce(
                    message.topic, message.value, message.key, message.partition, headers=message.headers
                )
            except BufferError:
                self.producer.poll(0.1)
            else:
                return

    def caught_up(self, stage: str) -> None:
        """Wait until the stage's group has committed the end of its inputs."""
        self.producer.flush(PATIENCE)
        ends = self._ends_of(stage)
        wait_for(lambda: self._behind(stage, ends) == 0, f"{stage} to catch up")

    def behind(self, stage: str) -> int:
        """How many offsets the stage's group has not committed of what is there now."""
        return self._behind(stage, self._ends_of(stage))

    def _ends_of(self, stage: str) -> dict[tuple[str, int], int]:
        names = self.topics.inputs if stage == "measure" else (self.topics.measurement,)
        return self.ends({(name, n) for name in names for n in range(self.partitions)})

    def grow(self, record_type: str, partitions: int) -> None:
        """Add partitions to the topic of a record type, and wait until the producer knows of them."""
        admin, topic = AdminClient({"bootstrap.servers": self.kafka}), self.topics.input(record_type)
        for future in admin.create_partitions([NewPartitions(topic, partitions)]).values():
            future.result(PATIENCE)

        def known() -> bool:
            return len(self.producer.list_topics(topic, PATIENCE).topics[topic].partitions) == partitions

        wait_for(known, f"{partitions} partitions of {topic}")

    def ends(self, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Where partitions end, transaction markers included."""
        admin = AdminClient({"bootstrap.servers": self.kafka})
        wanted = {TopicPartition(*place): OffsetSpec.latest() for place in places}  # type: ignore[no-untyped-call]
        until = time.monotonic() + PATIENCE
        while True:
            try:
                asked = admin.list_offsets(wanted)
                return {(place.topic, place.partition): found.result(PATIENCE).offset for place, found in asked.items()}
            except KafkaException:
                # Topics that were made a moment ago may have no leader yet.
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def _behind(self, stage: str, ends: dict[tuple[str, int], int]) -> int:
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": f"{self.prefix}.{stage}"})
        try:
            found = consumer.committed([TopicPartition(*place) for place in ends], PATIENCE)
        finally:
            consumer.close()
        return sum(max(ends[p.topic, p.partition] - max(p.offset, 0), 0) for p in found)

    def read(self, topic: str) -> list[bytes]:
        """Every committed value of a topic, partition by partition."""
        return [value for _, value in self.read_keyed(topic)]

    def read_keyed(self, *topics: str) -> list[tuple[bytes | None, bytes]]:
        """Key and value of every committed record of some topics."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.kafka,
                "group.id": "reader",
                "isolation.level": "read_committed",
                # Or the end of a topic that is written to all the time would never be told.
                **clients.TO_THE_ENDS,
                "enable.partition.eof": True,
                "enable.auto.commit": False,
            }
        )
        records: list[tuple[bytes | None, bytes]] = []
        left = {(topic, n) for topic in topics for n in range(self.partitions)}
        until = time.monotonic() + PATIENCE
        with contextlib.closing(consumer):
            find_leaders(consumer, topics)
            consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in sorted(left)])
            while left and time.monotonic() < until:
                for message in take(consumer, 5_000, 0.2):
                    if message.error() is not None:
                        left.discard((message.topic() or "", message.partition() or 0))
                    else:
                        records.append((message.key(), message.value() or b""))
        assert not left, f"{sorted(left)} were not read to their end"
        return records

    def measurements(self) -> list[Measurement]:
        """Every measurement that was committed."""
        return [measurement_of(CODEC.decode("measurement", v), CODEC) for v in self.read(self.topics.measurement)]

    def violations(self, *kinds: str) -> list[dict[str, Any]]:
        """Every state of every violation of some kinds; those of one violation in the order they were told."""
        topics = (self.topics.violations(kind) for kind in kinds)
        return [CODEC.decode("violation", value) for _, value in self.read_keyed(*topics)]

    def dead_letters(self) -> list[dict[str, Any]]:
        """Every dead letter."""
        return [CODEC.decode("dead_letter", value) for value in self.read(self.topics.dead_letter)]


def inference(system: str, number: int, at: int | None = None, **fields: Any) -> dict[str, Any]:
    """An inference as a record; ``number`` makes its id."""
    return {
        "event_id": f"018f0000-0000-7000-8000-{number:012x}",
        "event_time": time.time_ns() // 1_000 if at is None else at,
        "system": system,
        "version": "1",
        "score": 0.5,
        **fields,
    }


def _varied(chance: random.Random) -> dict[str, Any]:
    """What differs from one inference to another wherever there are several teams; a good half may be missing."""

    def or_none(value: Any) -> Any:
        return None if chance.random() < 0.4 else value

    return {
        "version": chance.choice(["1", "1.10", "v2.0-rc/ü", "x" * 200]),
        "producer": chance.choice(["scoring@7", "größe 1", "x"]),
        "environment": chance.choice(["production", "canary"]),
        "use_case": chance.choice(["credit", "", "collections"]),
        "subject": chance.choice(["s1", "系統-7", ""]),
        "cohort": or_none(chance.choice(["a", "b c", "O'Brien"])),
        "trace_id": or_none(f"t{chance.randrange(50)}"),
        "latency_ms": or_none(chance.uniform(0, 1e6)),
        "confidence": or_none(chance.random()),
        "decision": or_none(chance.choice(["approve", "refuse", " "])),
        "human_review": chance.random() < 0.5,
        "attributes": chance.choice([{}, {"channel": "web", "größe": "🙂"}]),
    }


def inferences(count: int, systems: int = 8, every: int = 0, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """System and bytes of some inferences; every ``every``-th has a score out of range."""
    chance = random.Random(seed)
    some = [
        CODEC.encode("inference", inference(f"system-{n % systems}", 0, score=chance.random(), **_varied(chance)))
        for n in range(1_000)
    ]
    for number in range(count):
        system = f"system-{number % systems}"
        if every and number % every == 0:
            yield system, CODEC.encode("inference", inference(system, number, score=2.0, **_varied(chance)))
        else:
            # Its id, the first field, is at a known place: encoding each anew would take longer than the test.
            value = some[number % len(some)]
            yield system, value[:11] + inference(system, number)["event_id"].encode() + value[47:]


def beside(topics: Topics, count: int, partitions: int = 4, seed: int = 5) -> Iterator[Sent]:
    """What else an estate sends meanwhile: messages of every other input, some of them unreadable."""
    mixed = Mixed(topics, seed, now=time.time_ns() // 1_000, partitions=partitions)
    others = [name for name in topics.inputs if name != topics.input("inference")]
    chance = random.Random(seed)
    for _ in range(count):
        yield mixed.of(chance.choice(others), chance.randrange(partitions))


def counted(measurements: Sequence[Measurement], clause: str = "counted") -> tuple[int, int]:
    """How many events, and how many breaches, the facts of one clause add up to: those by which it judges."""
    told = (fact for measurement in measurements for fact in measurement.facts if fact.clause == clause)
    facts = [fact for fact in told if not fact.measure.startswith(UNJUDGED)]
    return sum(fact.count for fact in facts), sum(fact.breaches for fact in facts)
