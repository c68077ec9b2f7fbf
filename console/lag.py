"""How far a consumer group is behind the end of what it reads."""

from __future__ import annotations

from typing import Final

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

_TIMEOUT_SECONDS: Final = 5.0


def lag(admin: AdminClient, group: str) -> int | None:
    """Records between the group's committed offsets and the ends of those partitions; None when it has none.

    The markers of transactions take an offset each, so the figure is an upper bound. Raises KafkaException.
    """
    answer = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=_TIMEOUT_SECONDS)
    committed = [place for place in answer[group].result().topic_partitions or [] if place.offset >= 0]
    if not committed:
        return None
    ends = admin.list_offsets(
        {TopicPartition(place.topic, place.partition): OffsetSpec.latest() for place in committed},
        request_timeout=_TIMEOUT_SECONDS,
    )
    latest: dict[tuple[str, int], int] = {
        (place.topic, place.partition): end.result().offset for place, end in ends.items()
    }
    behind = 0
    for place in committed:
        behind += max(0, latest[place.topic, place.partition] - int(place.offset))
    return behind
