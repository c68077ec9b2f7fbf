"""A look at the stages from outside: what Kafka knows of their groups, their positions, and the newest measurement.

Needs neither measure nor judge nor record to run, and none of their metrics: the broker tells all of it. Reads offsets,
members and, where a stage seems to be behind, one record of a partition: transactions' markers have offsets too, and
only a reader knows whether a record is among what lies between. Judges nothing (`streams.page.watch` does).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from bus import clients
from bus.ends import ends_of, newest_in
from bus.errors import PARTITION_END, kafka_error
from bus.partitions import Partition
from bus.reading import find_leaders, take
from seamwatch.broker import Address
from seamwatch.clauses import kinds
from seamwatch.clock import SystemClock
from seamwatch.wire.topics import Topics
from streams.page.watch import Sight, StageSight, Waiting

_SECONDS: Final = 5.0
_AGAIN_SECONDS: Final = 0.3
_MOST_ASKED: Final = 200
"""Of so many partitions a look reads a record; when more are behind at once, the rest is asked the next time."""


class Lookout:
    """Looks at the stages of one prefix. Use it in one thread at a time; ``close`` it."""

    def __init__(self, bootstrap: Address, topics: Topics) -> None:
        self._bootstrap = bootstrap
        self._topics = topics
        self._view: _View | None = None

    def close(self) -> None:
        """Let go of the broker."""
        view, self._view = self._view, None
        if view is not None:
            view.close()

    def look(self) -> Sight:
        """What there is to see now. Raises UnreachableError without an answer, StageError when the broker refuses."""
        if self._view is None:
            self._view = _View(self._bootstrap, self._topics)
        until = time.monotonic() + _SECONDS
        try:
            while True:
                try:
                    return self._view.look()
                except KafkaException as error:
                    # A broker that has just started does not know its groups yet.
                    if error.args[0].code() not in _SOON or time.monotonic() > until:
                        raise
                time.sleep(_AGAIN_SECONDS)
        except KafkaException as error:
            # Clients that lost their broker may go on timing out when it is back.
            self.close()
            raise kafka_error(error, "looking at the stages", self._bootstrap) from error


class _View:
    """The clients that a lookout sees through, and what they have found. Raises KafkaException."""

    def __init__(self, bootstrap: Address, topics: Topics) -> None:
        self._topics = topics
        self._reads: Mapping[str, tuple[str, ...]] = {
            "measure": topics.inputs,
            "judge": (topics.measurement,),
            "record": topics.recorded(kinds()),
            "page": (),
        }
        patience = {"log_level": 0, "socket.timeout.ms": 10_000}
        self._admin = clients.admin(bootstrap, patience)
        self._reader = clients.reader(
            bootstrap,
            f"{topics.prefix}.watch",
            {
                **patience,
                "fetch.message.max.bytes": 64 << 10,
                "queued.max.messages.kbytes": 4 << 10,
                **clients.TO_THE_ENDS,
            },
        )
        # Between these offsets there is no record; and at this one there is, which came then.
        self._empty: dict[Partition, tuple[int, int]] = {}
        self._found: dict[Partition, tuple[int, int]] = {}

    def close(self) -> None:
        """Let go of the broker."""
        self._reader.close()

    def look(self) -> Sight:
        """What there is to see now."""
        present = self._admin.list_topics(timeout=_SECONDS).topics
        places = {
            stage: [(topic, number) for topic in names if topic in present for number in present[topic].partitions]
            for stage, names in self._reads.items()
        }
        ends = ends_of(self._admin, {place for some in places.values() for place in some}, _SECONDS, decided=False)
        members = self._members()
        stages = {}
        for stage in self._reads:
            positions = self._positions(stage, places[stage])
            has_run = any(at is not None for at in positions.values())
            stages[stage] = StageSight(self._waiting(positions, ends), members.get(stage), has_run)
        return Sight(SystemClock().now(), self._measured_at(present), stages)

    def _measured_at(self, present: Mapping[str, Any]) -> int | None:
        topic = self._topics.measurement
        numbers = present[topic].partitions if topic in present else ()
        newest = newest_in(self._admin, topic, numbers, _SECONDS)
        return None if newest is None else newest * 1_000

    def _members(self) -> dict[str, dict[str, str]]:
        """The member id of each instance of each stage; without a stage that may not be asked for."""
        groups = {f"{self._topics.prefix}.{stage}": stage for stage in self._reads}
        asked = self._admin.describe_consumer_groups(list(groups), request_timeout=_SECONDS)
        found: dict[str, dict[str, str]] = {}
        for group, answer in asked.items():
            try:
                members = answer.result().members
            except KafkaException as error:
                if error.args[0].code() not in _UNDESCRIBED:
                    raise
                continue
            found[groups[group]] = {
                str(member.group_instance_id or member.client_id): str(member.member_id) for member in members
            }
        return found

    def _positions(self, stage: str, places: list[Partition]) -> dict[Partition, int | None]:
        """The position of a stage in each partition; None where it has committed none."""
        if not places:
            return {}
        group = ConsumerGroupTopicPartitions(
            f"{self._topics.prefix}.{stage}", [TopicPartition(*place) for place in places]
        )
        (answer,) = self._admin.list_consumer_group_offsets([group], request_timeout=_SECONDS).values()
        found = {(place.topic, place.partition): int(place.offset) for place in answer.result().topic_partitions or ()}
        return {place: at if (at := found.get(place, -1)) >= 0 else None for place in places}

    def _waiting(
        self, positions: Mapping[Partition, int | None], ends: Mapping[Partition, int]
    ) -> dict[Partition, Waiting]:
        behind = {place: at or 0 for place, at in positions.items() if (at or 0) < ends[place]}
        since = self._since(behind, ends)
        return {
            place: Waiting(position, ends[place] - position, since[place])
            for place, position in behind.items()
            if place in since
        }

    def _since(self, behind: Mapping[Partition, int], ends: Mapping[Partition, int]) -> dict[Partition, int | None]:
        """When the first record after each position arrived; without the positions that no record comes after.

        None for what could not be read in time.
        """
        found: dict[Partition, int | None] = {}
        asked: dict[Partition, int] = {}
        for place, position in behind.items():
            if self._empty.get(place) == (position, ends[place]):
                continue
            before = self._found.get(place)
            if before is not None and before[0] == position:
                found[place] = before[1]
            else:
                asked[place] = position
        some = dict(list(asked.items())[:_MOST_ASKED])
        found |= dict.fromkeys(asked)
        for place, arrived in self._read(some).items():
            if arrived is None:
                self._empty[place] = (some[place], ends[place])
                del found[place]
            else:
                self._found[place] = (some[place], arrived)
                found[place] = arrived
        return found

    def _read(self, positions: Mapping[Partition, int]) -> dict[Partition, int | None]:
        """When the record at, or first after, each position arrived; None where none comes before the end."""
        if not positions:
            return {}
        places = [TopicPartition(*place, at or OFFSET_BEGINNING) for place, at in positions.items()]
        find_leaders(self._reader, (topic for (topic, _), at in positions.items() if not at))
        self._reader.assign(places)
        found: dict[Partition, int | None] = {}
        until = time.monotonic() + _SECONDS
        try:
            while len(found) < len(positions) and time.monotonic() < until:
                for message in take(self._reader, 500, 0.2):
                    place = (message.topic() or "", message.partition() or 0)
                    error = message.error()
                    if error is None and place not in found:
                        found[place] = message.timestamp()[1] * 1_000
                        self._reader.pause([TopicPartition(*place)])
                    elif error is not None and error.code() == PARTITION_END:
                        found.setdefault(place, None)
        finally:
            self._reader.resume(places)  # or they would be paused still when they are assigned again
            self._reader.unassign()
        return found


_UNDESCRIBED: Final = {KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.GROUP_ID_NOT_FOUND}
_SOON: Final = {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
}
