"""Intake: the messages of one record type become a frame of good, new, timely rows; what is none is accounted for.

Every message ends in exactly one of: the frame, ``rejects`` (to the dead letters), ``repeated`` (an event that was
seen before) or ``late`` (too old to be judged live; the store keeps it). Of the repeated ones ``reused`` are those
whose id came before with other content. No Python step per good message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
import polars as pl
from confluent_kafka import Message

from bus.batches import PartitionMessages, broker_time
from bus.partitions import Partition
from seamwatch.clock import Clock
from seamwatch.columnar.contents import contents_of_values
from seamwatch.columnar.decode import Decoded, Decoder
from seamwatch.durations import DAY
from seamwatch.errors import UndecodableRecord
from seamwatch.wire.codec import Codec
from streams.measure.dedup import Dedup

TWO_THREADS = 20_000
"""From so many values on, a second thread is worth its while."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A message that cannot be used, and why."""

    topic: str
    message: Message
    reason: str


_NONE_REUSED = pl.DataFrame(schema={"event_id": pl.String(), "producer": pl.String()})


@dataclass(frozen=True, slots=True)
class Taken:
    """What some messages of one record type held; see the module. ``rows`` are the frame's rows' message numbers."""

    frame: pl.DataFrame
    rows: pl.Series
    messages: Sequence[Message]
    rejects: tuple[Reject, ...]
    repeated: int
    late: int
    times: dict[Partition, tuple[int, int]]
    """The earliest and the latest event time of each partition that had good messages."""
    newest: int = 0
    """The broker's time of the newest message, in milliseconds."""
    reused: pl.DataFrame = field(default_factory=_NONE_REUSED.clone)
    """``event_id`` and ``producer`` of the messages whose id came before with other content."""
    values: Sequence[bytes | None] = ()
    """The messages' values."""

    def position(self, row: int) -> tuple[str | None, int | None, int | None]:
        """Topic, partition and offset of a row of the frame."""
        message = self.messages[self.rows[row]]
        return message.topic(), message.partition(), message.offset()

    def arrived(self, row: int) -> int:
        """The broker's time of a row of the frame, in milliseconds."""
        return broker_time(self.messages[self.rows[row]])


class Intake:
    """Takes in one record type. ``columns`` are those wanted of it, None for all; ``helper`` lends a second thread."""

    def __init__(
        self,
        record_type: str,
        codec: Codec,
        clock: Clock,
        max_age: int,
        seen: Dedup,
        columns: Iterable[str] | None,
        helper: ThreadPoolExecutor,
    ) -> None:
        self._type = record_type
        self._codec = codec
        self._clock = clock
        self._max_age = max_age
        self._seen = seen
        self._helper = helper
        self.read_columns(columns)

    def read_columns(self, columns: Iterable[str] | None) -> None:
        """Read these columns from now on."""
        self.columns = None if columns is None else frozenset(columns)
        # One decoder for each thread.
        self._decoders = [Decoder(self._type, self._codec, self.columns, self._clock) for _ in range(2)]

    def remember(self, values: Sequence[bytes]) -> None:
        """Take note of the events in values that were measured before this process started."""
        decoded = Decoder(self._type, self._codec, ("event_id",)).decode(values)
        self._seen.look(decoded.frame["event_id"], self._contents(values, decoded.rows))

    def decode(self, runs: Sequence[PartitionMessages]) -> Taken:
        """All good rows of the runs, repeated and late ones among them."""
        messages = runs[0].messages if len(runs) == 1 else list(chain.from_iterable(run.messages for run in runs))
        values = list(map(Message.value, messages))
        decoded = self._decode(values)
        times = decoded.frame["event_time"]
        # Broker times do not decrease within a partition, so that a run's first is its least.
        arrived = min(broker_time(run.messages[0]) for run in runs)
        latest = times.max()
        if isinstance(latest, int) and latest > self._clock.at(arrived * 1_000) + DAY:
            decoded = self._decoders[0].decode(values, [broker_time(message) for message in messages])
        rejects = tuple(Reject(runs[0].topic, messages[index], reason) for index, reason in decoded.rejects)
        newest = max(broker_time(run.messages[-1]) for run in runs)
        times_by = _times(runs, decoded.rows, decoded.frame)
        return Taken(decoded.frame, decoded.rows, messages, rejects, 0, 0, times_by, newest, values=values)

    def _decode(self, values: list[bytes | None]) -> Decoded:
        """All values; large batches in two halves at once, since most of the decoding needs no interpreter."""
        if len(values) < TWO_THREADS:
            return self._decoders[0].decode(values)
        half = len(values) // 2
        later = self._helper.submit(self._decoders[1].decode, values[half:])
        first, second = self._decoders[0].decode(values[:half]), later.result()
        return Decoded(
            pl.concat([first.frame, second.frame], rechunk=True),
            pl.concat([first.rows, second.rows + half], rechunk=True),
            [*first.rejects, *((index + half, reason) for index, reason in second.rejects)],
        )

    def new(self, taken: Taken) -> Taken:
        """Without the rows that were seen before; all are remembered from now on, by the content that came first."""
        frame, rows = taken.frame, taken.rows
        values = taken.values
        new, other = self._seen.look(frame["event_id"], self._contents(values, rows))
        repeated = len(new) - int(new.sum())
        if not repeated:
            return taken
        reused = self._reused([values[row] for row in rows.filter(other)]) if other.any() else taken.reused
        return replace(taken, frame=frame.filter(new), rows=rows.filter(new), repeated=repeated, reused=reused)

    def _contents(self, values: Sequence[bytes | None], rows: pl.Series) -> pl.Series:
        contents = contents_of_values(values, self._id_comes_first)
        return contents if len(rows) == len(values) else contents.gather(rows)

    def _id_comes_first(self, header: bytes) -> bool:
        try:
            writer = self._codec.resolution(self._type, header).writer
        except UndecodableRecord:
            return False
        return bool(writer["fields"][0]["name"] == "event_id")

    def _reused(self, values: Sequence[bytes | None]) -> pl.DataFrame:
        return Decoder(self._type, self._codec, _NONE_REUSED.columns).decode(values).frame

    def timely(self, taken: Taken) -> Taken:
        """Without the rows that came too long after their event time."""
        frame, rows, late = taken.frame, taken.rows, 0
        earliest = frame["event_time"].min()
        if isinstance(earliest, int) and earliest < self._clock.at(taken.newest * 1_000) - self._max_age:
            timely = self._young(frame, [taken.messages[row] for row in rows])
            late = len(timely) - int(timely.sum())
            frame, rows = frame.filter(timely), rows.filter(timely)
        return replace(taken, frame=frame, rows=rows, late=late)

    def _young(self, frame: pl.DataFrame, messages: Sequence[Message]) -> pl.Series:
        oldest = [self._clock.at(broker_time(message) * 1_000) - self._max_age for message in messages]
        return frame["event_time"] >= pl.Series(oldest, dtype=pl.Int64)


def _times(runs: Sequence[PartitionMessages], rows: pl.Series, frame: pl.DataFrame) -> dict[Partition, tuple[int, int]]:
    borders = np.cumsum([0, *(len(run.messages) for run in runs)])
    places = np.searchsorted(rows.to_numpy(), borders)
    times = frame["event_time"].to_numpy()
    found: dict[Partition, tuple[int, int]] = {}
    for run, start, end in zip(runs, places, places[1:], strict=False):
        if end > start:
            earliest, latest = int(times[start:end].min()), int(times[start:end].max())
            before = found.get(run.key, (earliest, latest))
            found[run.key] = (min(earliest, before[0]), max(latest, before[1]))
    return found
