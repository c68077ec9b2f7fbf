"""Gathering: takes a history in, chunk by chunk, and gives it back in event-time order, without repeated events.

Only the columns that some plan measures are kept. Events that are measured go to disk once there are many; the rare
ones (changes, acknowledgements, refreshes, attestations) are kept in memory, since there are few of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Protocol, Self, cast, get_args

import polars as pl

from seamwatch.collector import unhurried_collector
from seamwatch.columnar.contents import contents_of_rows
from seamwatch.judging.model.facts import ForwardedEvent
from seamwatch.judging.model.measure import Source
from streams.measure.dedup import EveryId
from streams.replay.history.joining import OF_DECISION
from streams.replay.history.repeats import CONTENT, HELD, Repeats
from streams.replay.history.reused import Reused
from streams.replay.history.sorting import BLOCK_ROWS, ROWS_IN_MEMORY, Sorter

MEASURED: Final = frozenset(get_args(Source))
PLACE: Final[Mapping[str, pl.DataType]] = MappingProxyType(
    {"__topic": pl.String(), "__partition": pl.Int32(), "__offset": pl.Int64()}
)
"""Columns that frames may have beside the record's own: where a broker had the event, kept as evidence."""
ARRIVED: Final = "__arrived"
"""A column that frames of rare events may have: when the broker had the event, in microseconds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a history is held in memory before it goes to disk, in rows of a record type."""

    rows_in_memory: int = ROWS_IN_MEMORY
    block_rows: int = BLOCK_ROWS
    held_ids: int = HELD


class Wants(Protocol):
    """Who says which columns are measured (`streams.measure.plan.Plan`)."""

    def meet(self, systems: Iterable[str]) -> None:
        """Take note of systems."""
        ...

    def columns(self, source: Source) -> frozenset[str]:
        """The columns that are measured of the systems met so far."""
        ...

    def joined_columns(self, source: Source) -> frozenset[str]:
        """The columns that outcomes are joined to their decisions by, and take from them."""
        ...

    def held_columns(self, source: Source) -> frozenset[str]:
        """The columns that are measured of systems of which something is suspended."""
        ...


class History:
    """Events of any types, taken in any order. A context: its temporary folder goes with it.

    ``plans`` are all that will measure it; ``folder`` is where the temporary folder is made (None: the system's).
    """

    def __init__(self, plans: Iterable[Wants], limits: Limits | None = None, folder: Path | None = None) -> None:
        self.plans = tuple(plans)
        """All that will measure it."""
        self.limits = limits or Limits()
        """How much of it is held in memory."""
        self._temporary = tempfile.TemporaryDirectory(prefix="seamwatch-replay-", dir=folder)
        self._collector = ExitStack()
        self._sorters: dict[Source, Sorter] = {}
        self._repeats: dict[Source, Repeats] = {}
        self._rare: dict[str, list[pl.DataFrame]] = {}
        self._known: dict[str, EveryId] = {}
        self._older: list[Path] = []
        self._reused: dict[str, Reused] = {}
        self.first: int | None = None
        """The earliest event time taken in."""
        self.last: int | None = None
        """The latest event time taken in, of repeated events too."""
        self.events = 0
        """How many events were taken in, repeated ones among them."""

    def __enter__(self) -> Self:
        # What lines are parsed to would be walked over and over.
        self._collector.enter_context(unhurried_collector())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._collector.close()
        self._temporary.cleanup()

    def meet(self, source: Source, systems: Iterable[str]) -> frozenset[str]:
        """The columns that are kept of a measured type, these systems among its rows: all that need be read of it."""
        known = list(systems)
        for plan in self.plans:
            plan.meet(known)
        return self.columns(source)

    def columns(self, source: Source) -> frozenset[str]:
        """The columns that are kept of a measured type, for the systems met so far."""
        wanted = (plan.columns(source) | plan.joined_columns(source) | plan.held_columns(source) for plan in self.plans)
        return frozenset().union(*wanted, {"event_id", "event_time", "system", "producer"})

    @property
    def joins(self) -> bool:
        """Whether outcomes of the systems met so far take from their decisions what they lack."""
        return any(plan.joined_columns("outcome") for plan in self.plans)

    def add_decisions(self, frame: pl.DataFrame) -> None:
        """Take in decisions that outcomes may name but that are not judged: what is older than the period."""
        if self.joins and not frame.is_empty():
            self._older.append(self.scratch() / "decisions.arrow")
            frame.select([name for name in OF_DECISION if name in frame.columns]).write_ipc(
                self._older[-1], compression="lz4"
            )

    def decisions(self) -> Iterator[pl.DataFrame]:
        """All decisions that outcomes may take from, those that are not judged first."""
        yield from map(pl.read_ipc, self._older)
        yield from self.blocks().get("inference", ())

    def add(self, record_type: str, frame: pl.DataFrame) -> None:
        """Take events of one type in, after all that came before.

        ``frame`` has all columns of the type (of a measured type those suffice that are kept), and may have `PLACE`.
        """
        if frame.is_empty():
            return
        self.events += frame.height
        earliest, latest = cast(int, frame["event_time"].min()), cast(int, frame["event_time"].max())
        self.first = earliest if self.first is None else min(self.first, earliest)
        self.last = latest if self.last is None else max(self.last, latest)
        if record_type in MEASURED:
            self._add_measured(cast(Source, record_type), frame)
        else:
            fresh, other = self._known.setdefault(record_type, EveryId()).look(
                frame["event_id"], contents_of_rows(frame)
            )
            self._reused.setdefault(record_type, Reused(record_type)).add(frame.filter(other))
            self._rare.setdefault(record_type, []).append(frame.filter(fresh))

    def _add_measured(self, source: Source, frame: pl.DataFrame) -> None:
        if source not in self._sorters:
            folder = Path(self._temporary.name) / source
            folder.mkdir()
            limits = self.limits
            self._sorters[source] = Sorter(folder, rows_in_memory=limits.rows_in_memory, block_rows=limits.block_rows)
            self._repeats[source] = Repeats(folder, held=limits.held_ids)
        kept = self.meet(source, frame["system"].unique().to_list()) | PLACE.keys() | {CONTENT}
        frame = frame.with_columns(contents_of_rows(frame).alias(CONTENT))
        self._repeats[source].add(frame["event_id"], frame[CONTENT])
        self._sorters[source].add(frame.select([name for name in frame.columns if name in kept]))

    @property
    def reused(self) -> Sequence[Reused]:
        """By record type, the events that another one had the id of, so that they do not count; once all were read."""
        return [reused for reused in self._reused.values() if reused.by_producer]

    def blocks(self) -> dict[Source, Iterator[pl.DataFrame]]:
        """The measured events by type, in order of (event_time, event_id), each once; times are never parted."""
        return {source: self._blocks(source) for source in self._sorters}

    def _blocks(self, source: Source) -> Iterator[pl.DataFrame]:
        fresh = self._repeats[source].fresh()
        reused = Reused(source)
        for block in self._sorters[source].blocks():
            kept, others = fresh.of(block)
            reused.add(others)
            yield kept
        # The same each time they are asked for.
        self._reused[source] = reused

    def scratch(self) -> Path:
        """A new empty folder, which goes with the history."""
        return Path(tempfile.mkdtemp(dir=self._temporary.name))

    def named_by(self, record_type: str) -> frozenset[str]:
        """The systems that the other events of a type are about."""
        return frozenset(system for frame in self._rare.get(record_type, ()) for system in frame["system"].unique())

    def rare(self) -> Iterator[ForwardedEvent]:
        """The other events in order of (event_time, event_id), each once."""
        frames = {record_type: pl.concat(parts) for record_type, parts in self._rare.items()}
        places = pl.concat(
            [_NO_PLACES]
            + [
                frame.select("event_time", "event_id", type=pl.lit(name), row=pl.int_range(pl.len()))
                for name, frame in frames.items()
            ]
        )
        # Of equal ids of two types the type that came first comes first.
        for name, row in places.sort("event_time", "event_id", maintain_order=True).select("type", "row").iter_rows():
            record = _record(frames[name], row)
            place = {column[2:]: record.pop(column, None) for column in (*PLACE, ARRIVED)}
            yield ForwardedEvent(name, record, **place)


_NO_PLACES = pl.DataFrame(
    schema={"event_time": pl.Int64(), "event_id": pl.String(), "type": pl.String(), "row": pl.Int64()}
)


def _record(frame: pl.DataFrame, row: int) -> dict[str, Any]:
    record: Mapping[str, Any] = frame.row(row, named=True)
    return dict(record)
