"""The beginning: where a follower begins to read each partition, by marks of former pagers, and setting them anew.

Of what is older than some days a pager needs only what is still open and what was delivered of that: it reads those
records singly, and everything from then on. Asks the broker by the follower's own client, on the follower's thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from bus.ends import bounds_for
from bus.errors import PARTITION_END
from bus.partitions import Partition
from bus.reading import take
from streams.page.marks import Mark, mark_of, read, written

_log = structlog.get_logger("streams.page.stage")

WHOLE_SECONDS: Final = 7 * 86_400.0
"""What came in so many seconds before is read whole: topics are compacted no sooner."""
_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Needed:
    """What a pager needs when it starts again: records, and up to where each partition was taken in."""

    passed: Mapping[Partition, int] = field(default_factory=dict)
    offsets: Mapping[Partition, Collection[int]] = field(default_factory=dict)


def marks_of(consumer: Consumer, partitions: Iterable[Partition]) -> dict[Partition, Mark]:
    """The mark of each partition; from its beginning where there is none, or it is of another topic of this name."""
    found = {partition: Mark(0) for partition in partitions}
    try:
        committed = consumer.committed([TopicPartition(*place) for place in sorted(found)], timeout=_SECONDS)
    except KafkaException as error:
        _log.warning("the marks of former pagers cannot be read: all is read", why=str(error.args[0]))
        return found
    for place in committed:
        mark = read(place.offset, place.metadata)
        low, high = bounds_for(consumer, place.topic, place.partition, _SECONDS)
        if mark is not None and mark.position <= high:
            needed = tuple(offset for offset in mark.needed if low <= offset < high)
            found[place.topic, place.partition] = Mark(mark.position, needed)
    return found


def pick(
    consumer: Consumer,
    marks: Mapping[Partition, Mark],
    receive: Callable[[Message], None],
    stopped: Callable[[], bool],
) -> None:
    """Hand on the records that the marks name, of each partition in order. Raises KafkaException."""
    left = {partition: list(reversed(mark.needed)) for partition, mark in marks.items() if mark.needed}
    consumer.assign([TopicPartition(*partition, wanted[-1]) for partition, wanted in sorted(left.items())])
    while left and not stopped():
        for message in take(consumer, 1_000, 0.2):
            partition = (message.topic() or "", message.partition() or 0)
            wanted = left.get(partition)
            if wanted is None:
                continue
            error, offset = message.error(), message.offset() or 0
            if error is not None and error.code() != PARTITION_END:
                if not error.retriable():
                    raise KafkaException(error)
                continue
            if error is None and offset == wanted[-1]:
                receive(message)
            # What was removed meanwhile is passed over: there is something newer, which is read later.
            while wanted and wanted[-1] <= offset:
                wanted.pop()
            if not wanted or error is not None:
                del left[partition]
            elif wanted[-1] > offset + 1:
                consumer.seek(TopicPartition(*partition, wanted[-1]))
    consumer.unassign()


def set_marks(consumer: Consumer, needed: Needed, began: Mapping[Partition, Mark], whole: float) -> None:
    """Commit where the next pager is to begin, by what this one has taken in and still needs. Raises KafkaException.

    ``began``: the marks that this one began at; ``whole``: of so many seconds everything is to be read.
    """
    since = round((time.time() - whole) * 1_000)
    asked = [TopicPartition(*partition, since) for partition in sorted(began)]
    marks = []
    for place in consumer.offsets_for_times(asked, timeout=_SECONDS) if asked else ():
        partition = (place.topic, place.partition)
        if place.error is not None:
            # Its leader moves: it keeps the mark that it has.
            continue
        passed = needed.passed.get(partition, began[partition].position)
        # Nothing that came since: then all that it has taken in is old.
        position = passed if place.offset < 0 else min(passed, place.offset)
        mark = mark_of(position, needed.offsets.get(partition, ()))
        marks.append(TopicPartition(*partition, mark.position, metadata=written(mark)))
    if marks:
        consumer.commit(offsets=marks, asynchronous=False)
