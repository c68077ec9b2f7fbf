"""Records as an estate has them: of every topic, several systems, producers and kinds, odd ids, missing values.

What is made follows the schemas, so that a field or a record type that is added to them is in it. The same seed gives
the same records.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from seamwatch.clauses import kinds
from seamwatch.wire.schemas import Field, schema
from seamwatch.wire.topics import Topics
from sinks.record.stage import topics_recorded
from tests.sinks.samples import CODEC, NOW

PARTITIONS = 3
WORDS = (
    *("credit-model", "triage-model", "order-agent", "eligibility-features", "c", 'O\'Brien \\ "sons" \\n'),
    *("größe/ü 1", "{x}%_*?", "系統-7", "a`b", "NULL", " ", "line\nbreak", "x" * 300, "🙂"),
)
"""What names and texts are: plain ones, and all that a store or a shell could trip over."""
NAMES = tuple(word for word in WORDS if word.strip())
"""Those that show something, as what identifies anything must."""
POISON = (b"junk", b"", b"\xc3\x01" + b"\0" * 30, b"\xff" * 9, b"\0\0\0\0\7nothing")
HEADERS: tuple[list[tuple[str, str | bytes | None]], ...] = (
    [], [], [("traceparent", b"00-1-2-01")], [("h", b"\xff\0"), ("h", None), ("größe", b"")],
)  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """A message for a topic partition; ``good`` when it is a record of the topic's type."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, str | bytes | None]]
    good: bool


@dataclass
class Mixed:
    """Makes records of the topics under a prefix."""

    topics: Topics
    seed: int = 1
    poison: float = 0.1
    now: int = NOW
    partitions: int = PARTITIONS
    kinds: tuple[str, ...] = ("freshness", "range", "scope", "human_review")
    """Of which kinds of clauses there are violations; what is true of four is true of all."""
    _chance: random.Random = field(init=False)
    _partitions: dict[str, int] = field(init=False)
    _compacted: set[str] = field(init=False)
    """Topics to which the broker takes no message without a key."""

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        specs = self.topics.specs(kinds(), self.partitions)
        self._partitions = {spec.name: spec.partitions for spec in specs}
        self._compacted = {spec.name for spec in specs if "compact" in spec.settings.get("cleanup.policy", "")}

    def every(self, each: int = 2) -> Iterator[Sent]:
        """So many messages of each partition of each topic that is recorded, in turns."""
        for _ in range(each):
            for topic in self.names():
                for partition in range(self.partitions_of(topic)):
                    yield self.of(topic, partition)

    def some(self, count: int) -> Iterator[Sent]:
        """So many messages of topic partitions at random; each range costs the recorder the same, however few."""
        for _ in range(count):
            topic = self._chance.choice(self.names())
            yield self.of(topic, self._chance.randrange(self.partitions_of(topic)))

    def names(self) -> list[str]:
        """The topics that are recorded, of violations those of some kinds."""
        left_out = {self.topics.violations(kind) for kind in kinds() if kind not in self.kinds}
        return [topic for topic in topics_recorded(self.topics) if topic not in left_out]

    def partitions_of(self, topic: str) -> int:
        """How many partitions a topic has here."""
        return self._partitions[topic]

    def of(self, topic: str, partition: int = 0) -> Sent:
        """One message of a topic."""
        chance = self._chance
        key, value = self._document() if topic == self.topics.contracts else self._record(topic)
        good = chance.random() >= self.poison
        if not good:
            value = chance.choice([*POISON, *([value[:-1], value + b"x"] if value else [])])
        return Sent(topic, partition, key, value, chance.choice(HEADERS), good)

    def record(self, record_type: str, **given: Any) -> dict[str, Any]:
        """A record of a type, some of what may be missing missing."""
        return {each.name: self._value(each) for each in schema(record_type).fields} | given

    def _record(self, topic: str) -> tuple[bytes | None, bytes]:
        record_type = self.topics.record_type(topic)
        assert record_type is not None
        given: dict[str, Any] = {}
        if record_type == "violation":
            given["kind"] = topic.rpartition(".")[2]
        elif record_type == "notice":
            given["kind"] = self._chance.choice(sorted(kinds()))
        record = self.record(record_type, **given)
        key = record.get("system", next(iter(record.values())))
        keyless = topic not in self._compacted and self._chance.random() < 0.2
        return None if keyless else str(key).encode(), CODEC.encode(record_type, record)

    def _document(self) -> tuple[bytes, bytes | None]:
        chance = self._chance
        kind, name = chance.choice(["Person", "System", "Contract", "Rota"]), chance.choice(WORDS)
        key = f"{kind}/{name}" + (f"@{chance.choice(['1', '2.0-rc'])}" if kind == "Contract" else "")
        if chance.random() < 0.2:
            return key.encode(), None
        document = {"kind": kind, "id": name, "labels": {"größe": name}, "number": 1.50}
        return key.encode(), json.dumps({"document": document, "digest": "d", "published_at": self.now}).encode()

    def _id(self, of: Field) -> str:
        """An event's own id, or a reference to one, which may be any text."""
        if of.identity == "event" and self._chance.random() < 0.2:
            return self._chance.choice(NAMES)
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def _value(self, of: Field) -> Any:
        chance = self._chance
        if of.nullable and chance.random() < 0.4:
            return None
        if of.time:
            return self.now - chance.randrange(10**9)
        if of.symbols:
            return chance.choice(of.symbols)
        if of.members:
            return [{each.name: self._value(each) for each in of.members} for _ in range(chance.choice([0, 0, 1, 3]))]
        if of.primitive == "array":
            return [chance.choice(NAMES) for _ in range(chance.choice([0, 1, 3]))]
        if of.name == "arguments":
            return json.dumps({"iban": chance.choice(WORDS), "sum": chance.choice([0, -1.5, 2**53 + 1, None])})
        if of.primitive == "string":
            if of.name in ("violation_id", "notice_id"):
                return chance.randbytes(16).hex()
            return self._id(of) if of.identity in ("uuid", "event") else chance.choice(NAMES if of.identity else WORDS)
        if of.primitive == "boolean":
            return chance.random() < 0.5
        if of.primitive == "bytes":
            return chance.randbytes(chance.choice([0, 7]))
        low, high = of.minimum or 0, of.maximum if of.maximum is not None else 1_000
        if of.primitive in ("int", "long"):
            return chance.choice([int(low), chance.randint(int(low), int(min(high, 2**31 - 1)))])
        return chance.choice([float(low), float(high), low + (high - low) * chance.random(), float(low or -0.0)])


def runs_of(sent: Sequence[Sent]) -> dict[tuple[str, int], list[Sent]]:
    """Messages by topic partition."""
    found: dict[tuple[str, int], list[Sent]] = {}
    for each in sent:
        found.setdefault((each.topic, each.partition), []).append(each)
    return found
