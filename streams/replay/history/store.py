"""History from the decision store: the tables of input events, read in slices of event time, for `gathering`.

Reads the typed columns, which `seamwatch verify` holds to the raw bytes, and of them those alone that are measured.
Each slice is small; so memory is flat on both sides, however long the history. Of an event
that was recorded several times the copy that the broker took first comes first, as it did live.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

import polars as pl

from seamwatch.clock import Clock, SystemClock
from seamwatch.columnar.columns import columns as columns_of
from seamwatch.columnar.identities import identified
from seamwatch.durations import DAY
from seamwatch.errors import RecordError, Unidentified
from seamwatch.judging.model.measure import Source
from seamwatch.record_types import INPUT_TYPES
from seamwatch.wire.identities import unidentified
from streams.replay.history.gathering import ARRIVED, MEASURED, PLACE, History
from streams.replay.history.joining import OF_DECISION
from streams.replay.history.period import Period

SLICE_ROWS = 200_000
_PARTS = 512
_TYPES = tuple(sorted(INPUT_TYPES, key=lambda name: name not in MEASURED))
"""Rare events come last: of those that a live system records meanwhile, none that the others rest on is missing."""


class Asked(Protocol):
    """A store that answers queries; ``{name:Type}`` in one takes a parameter."""

    def frame(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """The answer as a frame."""
        ...


@dataclass(frozen=True, slots=True)
class _Slice:
    """Event times [start, end) of a table, in microseconds, and how many rows they have."""

    start: int
    end: int
    rows: int


def gather_store(
    store: Asked,
    history: History,
    period: Period,
    *,
    complain: Callable[[RecordError], None] = lambda _error: None,
    read: Callable[[int, float], None] = lambda _count, _share: None,
    slice_rows: int = SLICE_ROWS,
    clock: Clock | None = None,
) -> None:
    """Put the input events of a store into a history. ``clock`` is that of the stages, which tells when they arrived.

    Ends with the latest event that the store has when this begins. A row that lacks an identity, which earlier releases
    recorded, goes to ``complain``, with its table and position. ``read`` is told, after each slice, how many events
    have been read and which share of all that is. Raises what asking the store raises.
    """
    extents = {name: found for name in _TYPES if (found := _extent(store, name, period)) is not None}
    end = max((extent.end for extent in extents.values()), default=0)
    total, done = sum(extent.rows for extent in extents.values()), 0
    for name, extent in extents.items():
        wanted = _wanted(store, history, name, extent)
        for part in _slices(store, name, replace(extent, end=end), slice_rows):
            frame = _identified(name, _read(store, name, wanted, part, complain), complain)
            frame = _arrived(frame, clock or SystemClock()) if name == "suspension" else frame.drop(ARRIVED)
            history.add(name, frame)
            if name == "outcome" and period.lead is not None and history.joins:
                history.add_decisions(_decisions(store, part))
            done += frame.height
            read(done, min(done / total, 1.0))


def _texts(table: str, frame: pl.DataFrame, complain: Callable[[RecordError], None]) -> pl.DataFrame:
    """Without the rows in which a text is none, which are named: nothing that was recorded is like that."""
    for name, kind in columns_of(table).items():
        if name not in frame.columns or frame[name].dtype != pl.Binary or kind != pl.String:
            continue
        texts = frame[name].cast(pl.String, strict=False)
        broken = texts.is_null() & frame[name].is_not_null()
        for place in frame.filter(broken).select(PLACE).iter_rows():
            complain(RecordError(f"{table} at {'/'.join(map(str, place))}: {name} is not UTF-8"))
        frame = frame.with_columns(texts).filter(~broken)
    return frame


def _identified(table: str, frame: pl.DataFrame, complain: Callable[[RecordError], None]) -> pl.DataFrame:
    held, lacking = identified(table, frame)
    if lacking is None:
        return held
    for row in frame.filter(lacking).iter_rows(named=True):
        place = "/".join(str(row[name]) for name in PLACE)
        complain(Unidentified(f"{table} at {place}: {unidentified(table, row)}"))
    return held.filter(~lacking)


def _extent(store: Asked, table: str, period: Period) -> _Slice | None:
    bounds = (("start", ">=", period.start(table)), ("until", "<", period.until))
    given = [(name, sign, str(at)) for name, sign, at in bounds if at is not None]
    conditions = [f"event_time {sign} fromUnixTimestamp64Micro({{{name}:Int64}})" for name, sign, _ in given]
    found = store.frame(
        "SELECT toUnixTimestamp64Micro(min(event_time)), toUnixTimestamp64Micro(max(event_time)), toInt64(count())"
        f" FROM {table} WHERE {' AND '.join(['1', *conditions])}",
        {name: at for name, _, at in given},
    )
    first, last, rows = found.row(0)
    return _Slice(first, last + 1, rows) if rows else None


def _wanted(store: Asked, history: History, table: str, extent: _Slice) -> list[str]:
    names = list(columns_of(table))
    if table not in MEASURED:
        return names
    systems = _ask(store, "SELECT DISTINCT system FROM", table, extent)["system"].cast(pl.String).to_list()
    kept = history.meet(cast(Source, table), systems)
    return [name for name in names if name in kept]


def _slices(store: Asked, table: str, extent: _Slice, most: int) -> Iterator[_Slice]:
    """Parts of an extent, in order, of at most so many rows each; more only where one event time has more."""
    width = -(-(extent.end - extent.start) // _PARTS)
    if extent.rows <= most or extent.end - extent.start <= 1:
        yield extent
        return
    counts = _ask(
        store,
        f"SELECT toInt64(intDiv(toUnixTimestamp64Micro(event_time) - {extent.start}, {width})) AS part,"
        " toInt64(count()) AS number FROM",
        table,
        extent,
        "GROUP BY part ORDER BY part",
    )
    gathered = _Slice(extent.start, extent.start, 0)
    for part, number in counts.iter_rows():
        start = extent.start + part * width
        if gathered.rows + number > most:
            # What lies between two parts that hold events belongs to the former.
            if gathered.rows:
                yield replace(gathered, end=start)
            gathered = _Slice(start, start, 0)
        gathered = replace(gathered, rows=gathered.rows + number)
        if gathered.rows > most:
            yield from _slices(store, table, replace(gathered, end=min(start + width, extent.end)), most)
            gathered = _Slice(start + width, start + width, 0)
    if gathered.rows:
        yield replace(gathered, end=extent.end)


def _read(
    store: Asked, table: str, wanted: list[str], part: _Slice, complain: Callable[[RecordError], None]
) -> pl.DataFrame:
    chosen = ", ".join(f"`{name}`" for name in wanted)
    frame = _ask(
        store,
        f"SELECT {chosen}, topic AS __topic, partition AS __partition, `offset` AS __offset, broker_time AS __arrived"
        " FROM",
        table,
        part,
    )
    kinds = {**{name: columns_of(table)[name] for name in wanted}, **PLACE, ARRIVED: pl.Datetime("us", "UTC")}
    # Sorted here: the store takes several times as long for it.
    ordered = _texts(table, frame, complain).sort("event_time", "event_id", ARRIVED, *PLACE)
    return ordered.select(pl.col(name).cast(kind) for name, kind in kinds.items())


def _arrived(frame: pl.DataFrame, clock: Clock) -> pl.DataFrame:
    """With the arrivals in the stages' time; of what came later than is judged live none, since it was put in later."""
    walls = frame[ARRIVED].cast(pl.Int64)
    arrived = pl.Series(ARRIVED, [clock.at(wall) for wall in walls], dtype=pl.Int64)
    return frame.with_columns(arrived).with_columns(
        pl.when(pl.col(ARRIVED) - pl.col("event_time") <= DAY).then(pl.col(ARRIVED)).alias(ARRIVED)
    )


def _decisions(store: Asked, outcomes: _Slice) -> pl.DataFrame:
    """The decisions of a slice of outcomes, as far as these lack something, however old they are."""
    lacking = "SELECT inference_id FROM outcome WHERE (score IS NULL OR cohort IS NULL)"
    start, end = (f"fromUnixTimestamp64Micro({{{name}:Int64}})" for name in ("start", "end"))
    # By id alone, so that the projection that is ordered by it serves.
    found = store.frame(
        f"SELECT {', '.join(OF_DECISION)}, broker_time AS __arrived FROM inference"
        f" WHERE event_id IN ({lacking} AND event_time >= {start} AND event_time < {end})",
        {"start": str(outcomes.start), "end": str(outcomes.end)},
    )
    ordered = found.sort("__arrived")
    return ordered.select(pl.col(name).cast(kind) for name, kind in OF_DECISION.items())


def _ask(store: Asked, select: str, table: str, part: _Slice, rest: str = "") -> pl.DataFrame:
    sql = (
        f"{select} {table} WHERE event_time >= fromUnixTimestamp64Micro({{start:Int64}})"
        f" AND event_time < fromUnixTimestamp64Micro({{end:Int64}}) {rest}"
    )
    return store.frame(sql, {"start": str(part.start), "end": str(part.end)})
