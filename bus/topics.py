"""Topics on the broker: creates those that are missing, and says of the others whether they are as they must be.

Changes nothing that exists unless it is asked to: a topic that differs is reported, and left to whoever runs the
broker. The number of partitions is never changed: that would move keys from one partition to another.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
    TopicMetadata,
)

from bus import clients
from bus.errors import kafka_error
from seamwatch.broker import Address
from seamwatch.clauses import kinds
from seamwatch.wire.topics import Topics, TopicSpec

_TIMEOUT_SECONDS = 30.0
_AS_THE_BROKER_SAYS = -1


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What was found or done about one topic; ``differences`` say what is not as it must be, or was not until now."""

    name: str
    outcome: Literal["created", "existing", "altered", "different"]
    differences: tuple[str, ...] = ()


def create_topics(
    bootstrap: Address, prefix: str, partitions: int = 4, replication: int = _AS_THE_BROKER_SAYS, *, alter: bool = False
) -> list[TopicReport]:
    """Create the topics that are missing; safe to repeat, and to run twice at once.

    With ``alter`` the settings of topics that differ are set as they must be. Raises UnreachableError when the broker
    does not answer, StageError when it refuses.
    """
    admin = clients.admin(bootstrap, {"log_level": 2, "socket.timeout.ms": 15_000})
    specs = Topics(prefix).specs(kinds(), partitions)
    try:
        present = admin.list_topics(timeout=_TIMEOUT_SECONDS).topics
        missing = [spec for spec in specs if spec.name not in present]
        created = _created(admin, missing, replication)
        _await(admin, created)
        existing = [spec for spec in specs if spec.name not in created]
        counts = {name: len(topic.partitions) for name, topic in present.items()}
        settings = _settings(admin, [spec.name for spec in existing])
        wrong = {spec.name: _wrong(spec, settings[spec.name]) for spec in existing}
        if alter:
            _alter(admin, {name: values for name, values in wrong.items() if values})
    except KafkaException as error:
        raise kafka_error(error, "creating topics", bootstrap) from error
    return [
        TopicReport(spec.name, "created")
        if spec.name in created
        else _compared(spec, counts.get(spec.name, spec.partitions), settings[spec.name], altered=alter)
        for spec in specs
    ]


def differing(bootstrap: Address, prefix: str, timeout: float = _TIMEOUT_SECONDS) -> dict[str, tuple[str, ...]]:
    """What is not set as it must be, by the topics that are there; the number of partitions is not looked at.

    Raises UnreachableError when the broker does not answer, StageError when it refuses.
    """
    admin = clients.admin(bootstrap, {"log_level": 2})
    try:
        present = admin.list_topics(timeout=timeout).topics
        specs = [spec for spec in Topics(prefix).specs(kinds()) if spec.name in present]
        settings = _settings(admin, [spec.name for spec in specs], timeout)
    except KafkaException as error:
        raise kafka_error(error, "looking at the topics", bootstrap) from error
    found = {spec.name: tuple(_differences(spec, settings[spec.name])) for spec in specs}
    return {name: differences for name, differences in found.items() if differences}


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


def _settings(admin: AdminClient, names: Sequence[str], timeout: float = _TIMEOUT_SECONDS) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    futures: dict[Any, Future[Any]] = admin.describe_configs(resources) if resources else {}
    return {
        resource.name: {name: entry.value for name, entry in future.result(timeout).items()}
        for resource, future in futures.items()
    }


def _alter(admin: AdminClient, wanted: dict[str, dict[str, str]]) -> None:
    resources = [
        ConfigResource(
            ResourceType.TOPIC,
            topic,
            incremental_configs=[
                ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in values.items()
            ],
        )
        for topic, values in wanted.items()
    ]
    futures: dict[Any, Future[Any]] = admin.incremental_alter_configs(resources) if resources else {}
    for future in futures.values():
        future.result(_TIMEOUT_SECONDS)


def _wrong(spec: TopicSpec, settings: dict[str, str]) -> dict[str, str]:
    """The settings of a topic that are not as they must be, as they must be."""
    return {name: value for name, value in spec.settings.items() if settings.get(name) != value}


def _differences(spec: TopicSpec, settings: dict[str, str]) -> list[str]:
    return [f"{name}={settings.get(name)}, not {value}" for name, value in _wrong(spec, settings).items()]


def _compared(spec: TopicSpec, partitions: int, settings: dict[str, str], *, altered: bool) -> TopicReport:
    of_partitions = [] if partitions == spec.partitions else [f"{partitions} partitions, not {spec.partitions}"]
    of_settings = _differences(spec, settings)
    if of_partitions or (of_settings and not altered):
        return TopicReport(spec.name, "different", (*of_partitions, *of_settings))
    return TopicReport(spec.name, "altered" if of_settings else "existing", tuple(of_settings))
