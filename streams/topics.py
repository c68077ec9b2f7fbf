"""Topics on the broker: creates those that are missing, and says of the others whether they are as they must be.

Changes nothing that exists: a topic that differs is reported, and left to whoever runs the broker.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._metadata import TopicMetadata
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from seamwatch.clauses import kinds
from seamwatch.wire.topics import Topics, TopicSpec
from streams.errors import kafka_error

_TIMEOUT_SECONDS = 30.0
_AS_THE_BROKER_SAYS = -1


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What was found or done about one topic; ``differences`` say what is not as it must be."""

    name: str
    outcome: Literal["created", "existing", "different"]
    differences: tuple[str, ...] = ()


def create_topics(
    bootstrap: str, prefix: str, partitions: int = 4, replication: int = _AS_THE_BROKER_SAYS
) -> list[TopicReport]:
    """Create the topics that are missing; safe to repeat, and to run twice at once.

    Raises UnreachableError when the broker does not answer, StageError when it refuses.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 2, "socket.timeout.ms": 15_000})
    specs = Topics(prefix).specs(kinds(), partitions)
    try:
        present = admin.list_topics(timeout=_TIMEOUT_SECONDS).topics
        missing = [spec for spec in specs if spec.name not in present]
        created = _created(admin, missing, replication)
        _await(admin, created)
        existing = [spec for spec in specs if spec.name not in created]
        counts = {name: len(topic.partitions) for name, topic in present.items()}
        settings = _settings(admin, [spec.name for spec in existing])
    except KafkaException as error:
        raise kafka_error(error, "creating topics", bootstrap) from error
    return [
        TopicReport(spec.name, "created")
        if spec.name in created
        else _compared(spec, counts.get(spec.name, spec.partitions), settings[spec.name])
        for spec in specs
    ]


def _created(admin: AdminClient, specs: Iterable[TopicSpec], replication: int) -> set[str]:
    """The names of those that did not exist: another process may have been quicker."""
    topics = [
        NewTopic(spec.name, spec.partitions, replication_factor=replication, config=spec.settings) for spec in specs
    ]
    futures: dict[str, Future[Any]] = admin.create_topics(topics, operation_timeout=_TIMEOUT_SECONDS) if topics else {}
    created = set()
    for name, future in futures.items():
        try:
            future.result(_TIMEOUT_SECONDS)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        else:
            created.add(name)
    return created


def _await(admin: AdminClient, names: Collection[str]) -> None:
    """Wait until the brokers tell clients of the topics: they create them some moments before they do."""
    until = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < until:
        known = admin.list_topics(timeout=_TIMEOUT_SECONDS).topics
        if all(name in known and _led(known[name]) for name in names):
            return
        time.sleep(0.05)


def _led(topic: TopicMetadata) -> bool:
    return bool(topic.partitions) and all(partition.leader >= 0 for partition in topic.partitions.values())


def _settings(admin: AdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    futures: dict[Any, Future[Any]] = admin.describe_configs(resources) if resources else {}
    return {
        resource.name: {name: entry.value for name, entry in future.result(_TIMEOUT_SECONDS).items()}
        for resource, future in futures.items()
    }


def _compared(spec: TopicSpec, partitions: int, settings: dict[str, str]) -> TopicReport:
    differences = [] if partitions == spec.partitions else [f"{partitions} partitions, not {spec.partitions}"]
    differences += [
        f"{name}={settings.get(name)}, not {value}"
        for name, value in spec.settings.items()
        if settings.get(name) != value
    ]
    return TopicReport(spec.name, "different" if differences else "existing", tuple(differences))
