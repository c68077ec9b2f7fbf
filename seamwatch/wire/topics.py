"""Topics: the name of each topic and what it must be like. Creating them is `bus.topics`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from seamwatch.errors import UsageError
from seamwatch.record_types import INPUT_TYPES, RECORD_TYPES
from seamwatch.wire.schemas import nearest

DEFAULT_PREFIX: Final = "seamwatch"
_MEBIBYTE = 1024 * 1024
_COMPACTED = {"cleanup.policy": "compact"}
_DAY_MS = 24 * 3_600 * 1_000
_COMPACTION_LAG = {"min.compaction.lag.ms": str(7 * _DAY_MS)}


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """What a topic must be like: its partitions and the settings that differ from the broker's own."""

    name: str
    partitions: int
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of all topics under one prefix."""

    prefix: str = DEFAULT_PREFIX

    @property
    def inputs(self) -> tuple[str, ...]:
        """The topics that producers write, one a record type."""
        return tuple(self.input(record_type) for record_type in INPUT_TYPES)

    def input(self, record_type: str) -> str:
        """The topic of an input type; UsageError for an unknown one."""
        if record_type not in INPUT_TYPES:
            raise UsageError(f"there is no input type {record_type!r}{nearest(record_type, INPUT_TYPES)}")
        return f"{self.prefix}.{record_type}"

    @property
    def contracts(self) -> str:
        """Published documents, as JSON; one partition, compacted."""
        return f"{self.prefix}.contracts"

    @property
    def measurement(self) -> str:
        """What measure tells judge."""
        return f"{self.prefix}.measurement"

    @property
    def judge_state(self) -> str:
        """What judge must remember; compacted, as many partitions as ``measurement``."""
        return f"{self.prefix}.judge-state"

    @property
    def measure_state(self) -> str:
        """The outcomes that wait for their decisions in measure; compacted."""
        return f"{self.prefix}.measure-state"

    @property
    def notice(self) -> str:
        """Reminders and scheduled summaries, which are no violations."""
        return f"{self.prefix}.notice"

    @property
    def verdict(self) -> str:
        """What the judge made of each acknowledgement and suspension."""
        return f"{self.prefix}.verdict"

    @property
    def suspended(self) -> str:
        """What the judge concluded to be suspended; one partition, compacted."""
        return f"{self.prefix}.suspended"

    @property
    def page(self) -> str:
        """What was delivered to whom; compacted."""
        return f"{self.prefix}.page"

    @property
    def outage(self) -> str:
        """When Seamwatch did not do its own work; one partition, compacted."""
        return f"{self.prefix}.outage"

    @property
    def erasure(self) -> str:
        """Subjects' keys that were destroyed; one partition."""
        return f"{self.prefix}.erasure"

    @property
    def checkpoint(self) -> str:
        """Signed checkpoints of the ledger."""
        return f"{self.prefix}.checkpoint"

    @property
    def dead_letter(self) -> str:
        """What could not be used, kept whole."""
        return f"{self.prefix}.dead_letter"

    def violations(self, kind: str) -> str:
        """The violations of one clause kind."""
        return f"{self.prefix}.violations.{kind}"

    def record_type(self, topic: str) -> str | None:
        """The record type of a topic's messages; None for topics that are not Avro, or not ours."""
        if not topic.startswith(f"{self.prefix}."):
            return None
        rest = topic[len(self.prefix) + 1 :]
        if rest.startswith("violations."):
            return "violation"
        return rest if rest in RECORD_TYPES and rest != "violation" else None

    def recorded(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """The topics that are recorded: inputs, the violations of these clause kinds, what was told, documents."""
        violations = (self.violations(kind) for kind in kinds)
        emitted = (self.verdict, self.suspended, self.notice, self.page, self.outage, self.erasure)
        return (*self.inputs, *violations, *emitted, self.contracts)

    def specs(self, kinds: Iterable[str], partitions: int = 4) -> tuple[TopicSpec, ...]:
        """What every topic must be like, for these clause kinds and this many partitions of the inputs."""
        large = {"max.message.bytes": str(2 * _MEBIBYTE)}
        largest = {"max.message.bytes": str(4 * _MEBIBYTE)}
        plain = [
            *(TopicSpec(name, partitions, large) for name in self.inputs),
            TopicSpec(self.contracts, 1, _COMPACTED | _COMPACTION_LAG | large),
            TopicSpec(self.measurement, partitions, largest),
            TopicSpec(self.judge_state, partitions, _COMPACTED | largest),
            TopicSpec(self.measure_state, partitions, _COMPACTED | largest),
            *(TopicSpec(self.violations(kind), partitions, _COMPACTED | _COMPACTION_LAG) for kind in sorted(kinds)),
            TopicSpec(self.verdict, partitions),
            # One, so that whoever follows it to refuse an act hears of all in order, and at little cost.
            TopicSpec(self.suspended, 1, _COMPACTED | _COMPACTION_LAG),
            # For as long as a notice may wait for a channel that takes it.
            TopicSpec(self.notice, partitions, {"cleanup.policy": "delete", "retention.ms": str(30 * _DAY_MS)}),
            # By step and channel: what was delivered is known for as long as its violation is.
            TopicSpec(self.page, partitions, _COMPACTED | _COMPACTION_LAG),
            TopicSpec(self.outage, 1, _COMPACTED | _COMPACTION_LAG),
            TopicSpec(self.erasure, 1),
            TopicSpec(self.checkpoint, 1),
            TopicSpec(self.dead_letter, partitions, largest),
        ]
        # The broker's own clock says when a message arrived; a producer's could be wrong or lie.
        arrival = {"message.timestamp.type": "LogAppendTime"}
        return tuple(TopicSpec(spec.name, spec.partitions, spec.settings | arrival) for spec in plain)
