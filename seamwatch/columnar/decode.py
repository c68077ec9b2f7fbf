"""Decoding in bulk: message values to a polars frame, and each value that is no record, with its reason.

The same answers as `seamwatch.wire.codec`, a hundred times as fast: values are grouped by their header (the
framing and the writer's schema), and each group is read in one go. When a group has a bad value in it, reading
its parts finds it; nothing else in the batch suffers, and what a value gives never depends on its neighbours.

One leniency, since a column cannot show it: a union's branch number beyond null's partner is read as that
partner, which the codec refuses. Strings of columns that were not asked for are not checked for UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, cast

import polars as pl

from seamwatch.clock import Clock
from seamwatch.columnar.columns import (
    bounded_columns,
    broken_bounds,
    keeps_bounds,
)
from seamwatch.columnar.columns import (
    columns as columns_of,
)
from seamwatch.columnar.identities import identified, required_identities
from seamwatch.columnar.panics import panics_withheld
from seamwatch.columnar.plan import DecodePlan, plan
from seamwatch.columnar.search import ROW, Reject, Search
from seamwatch.durations import DAY
from seamwatch.errors import UndecodableRecord
from seamwatch.record_types import INPUT_TYPES
from seamwatch.wire.checks import moment_text
from seamwatch.wire.codec import Codec
from seamwatch.wire.framing import MAXIMUM_VALUE_BYTES, SINGLE_OBJECT_HEADER, SINGLE_OBJECT_MARKER, split, too_large
from seamwatch.wire.identities import unidentified
from seamwatch.wire.resolution import Resolution
from seamwatch.wire.schemas import schema

_FIRST_BYTES = itemgetter(slice(SINGLE_OBJECT_HEADER))


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a batch of values held.

    - ``frame``: the good records in the order of the values; times are Int64 microseconds, enums String.
    - ``rows``: the index, among the values, of each row (UInt32, ascending).
    - ``rejects``: index and reason of every other value, ascending.
    """

    frame: pl.DataFrame
    rows: pl.Series
    rejects: list[Reject]


class Decoder:
    """Decodes batches of one record type.

    ``columns`` are those wanted (None for all): skipping strings doubles the speed. All bounds are checked, and all
    identities that an event must have, whatever is wanted. With a ``clock``, an event_time more than a day ahead of
    the broker's is out of bounds. ``earlier``: by the rules of earlier releases, which asked for no identities, for
    what was taken in by them. Not to be shared between threads.
    """

    def __init__(
        self,
        record_type: str,
        codec: Codec | None = None,
        columns: Iterable[str] | None = None,
        clock: Clock | None = None,
        *,
        earlier: bool = False,
    ) -> None:
        form = schema(record_type)
        wanted = None if columns is None else {form.field(name).name for name in columns}
        self._type = record_type
        self._codec = codec or Codec()
        self._clock = clock
        self._earlier = earlier
        self._columns = [name for name in form.names if wanted is None or name in wanted]
        read = {*self._columns, *bounded_columns(record_type), *required_identities(record_type)}
        self._fields = [field for field in form.fields if field.name in read]
        self._plans: dict[bytes, tuple[Resolution, DecodePlan | None]] = {}

    def decode(self, values: Sequence[bytes | None], timestamps: Sequence[int] | None = None) -> Decoded:
        """The records in message values; ``timestamps`` are the broker's, in milliseconds, one a value.

        Raises UnreachableError when a writer's schema could only be asked of a registry that does not answer.
        """
        rejects: list[Reject] = []
        frames = self._alike(values, rejects)
        if frames is None:
            frames = []
            for header, positions in self._groups(values, rejects).items():
                try:
                    frames += self._group(header, values, positions, rejects)
                except UndecodableRecord as error:
                    rejects += [(index, str(error)) for index in positions]
        frame = pl.concat(frames) if frames else self._empty()
        if not frame[ROW].is_sorted():
            frame = frame.sort(ROW)
        frame = self._within_bounds(frame, rejects)
        if not self._earlier:
            frame = self._identified(frame, rejects)
        if self._clock is not None and timestamps is not None and "event_time" in frame.columns:
            frame = self._not_ahead(frame, timestamps, self._clock, rejects)
        return Decoded(frame.select(self._columns), frame[ROW], sorted(rejects))

    def _alike(self, values: Sequence[bytes | None], rejects: list[Reject]) -> list[pl.DataFrame] | None:
        """The frames of values that are all whole records under the header of the first; None when they are not.

        So most batches are. Their headers are read along with the datums, which spares cutting them off one by one.
        """
        if not values or None in values:
            return None
        every = cast("Sequence[bytes]", values)
        if self._type in INPUT_TYPES and max(map(len, every)) > MAXIMUM_VALUE_BYTES:
            return None
        try:
            header, _ = split(every[0][:SINGLE_OBJECT_HEADER])
            resolution, known = self._known(header)
        except UndecodableRecord:
            return None
        if known is None:
            return None
        search = Search(self._type, self._fields_read(), resolution, known)
        if not search.alike(every, header):
            return None
        rejects += search.rejects
        return search.frames

    def _groups(self, values: Sequence[bytes | None], rejects: list[Reject]) -> dict[bytes, Sequence[int]]:
        """The positions of the values under each header; values without a known one are rejected."""
        present: Sequence[int] = range(len(values))
        some = cast("Sequence[bytes]", values)
        if None in values:
            rejects += [(i, "empty: the message has no value") for i in present if values[i] is None]
            present = [i for i in present if values[i] is not None]
            some = [value for value in values if value is not None]
        if some and self._type in INPUT_TYPES and max(map(len, some)) > MAXIMUM_VALUE_BYTES:
            large = {i for i, value in zip(present, some, strict=True) if len(value) > MAXIMUM_VALUE_BYTES}
            rejects += [(i, str(too_large(len(values[i] or b"")))) for i in large]
            present = [i for i in present if i not in large]
            some = [value for value in some if len(value) <= MAXIMUM_VALUE_BYTES]
        first = set(map(_FIRST_BYTES, some))
        if len(first) == 1 and (head := next(iter(first)))[:1] == SINGLE_OBJECT_MARKER[:1]:
            return self._framed({head: present}, rejects)
        heads = [value[:10] if value[:1] == b"\xc3" else value[:5] for value in some]
        distinct = set(heads)
        if len(distinct) == 1:
            return self._framed({distinct.pop(): present}, rejects)
        groups: dict[bytes, list[int]] = {head: [] for head in distinct}
        for index, head in zip(present, heads, strict=True):
            groups[head].append(index)
        return self._framed(groups, rejects)

    def _framed(self, groups: dict[bytes, Any], rejects: list[Reject]) -> dict[bytes, Sequence[int]]:
        framed: dict[bytes, Sequence[int]] = {}
        for head, positions in groups.items():
            try:
                header, _ = split(head)
            except UndecodableRecord as error:
                rejects += [(index, str(error)) for index in positions]
            else:
                framed[header] = positions
        return framed

    def _group(
        self,
        header: bytes,
        values: Sequence[bytes | None],
        positions: Sequence[int],
        rejects: list[Reject],
    ) -> list[pl.DataFrame]:
        """The frames of the values under one header; their column ``ROW`` is the position."""
        known = self._known(header)
        size = len(header)
        some = values if len(positions) == len(values) else [values[index] for index in positions]
        datums = list(map(itemgetter(slice(size, None)), cast("Sequence[bytes]", some)))
        search = Search(self._type, self._fields_read(), *known)
        with panics_withheld():
            # All of a batch under one header have been tried together before.
            search.run(datums, positions, apart=len(positions) == len(values))
        rejects += search.rejects
        return search.frames

    def _known(self, header: bytes) -> tuple[Resolution, DecodePlan | None]:
        """How the values under a header are read. Raises UndecodableRecord when its schema is not known."""
        known = self._plans.get(header)
        if known is None:
            resolution = self._codec.resolution(self._type, header, earlier=self._earlier)
            known = self._plans[header] = (resolution, plan(resolution, self._fields))
        return known

    def _fields_read(self) -> list[str]:
        return [field.name for field in self._fields]

    def _empty(self) -> pl.DataFrame:
        types = columns_of(self._type)
        return pl.DataFrame(schema={ROW: pl.UInt32(), **{name: types[name] for name in self._fields_read()}})

    def _within_bounds(self, frame: pl.DataFrame, rejects: list[Reject]) -> pl.DataFrame:
        kept = frame.select(keeps_bounds(self._type, earlier=self._earlier).alias("kept"))["kept"]
        if kept.all():
            return frame
        broken = frame.filter(~kept).iter_rows(named=True)
        rejects += [(row[ROW], broken_bounds(self._type, row, earlier=self._earlier)) for row in broken]
        return frame.filter(kept)

    def _identified(self, frame: pl.DataFrame, rejects: list[Reject]) -> pl.DataFrame:
        held, lacking = identified(self._type, frame)
        if lacking is None:
            return held
        nameless = frame.filter(lacking).iter_rows(named=True)
        rejects += [(row[ROW], unidentified(self._type, row)) for row in nameless]
        return held.filter(~lacking)

    def _not_ahead(
        self, frame: pl.DataFrame, timestamps: Sequence[int], clock: Clock, rejects: list[Reject]
    ) -> pl.DataFrame:
        latest = frame["event_time"].max()
        # Clocks run forward, so what is not ahead of the earliest arrival is ahead of none.
        if not isinstance(latest, int) or latest <= clock.at(min(timestamps) * 1_000) + DAY:
            return frame
        bounds = [clock.at(timestamps[row] * 1_000) + DAY for row in frame[ROW]]
        ahead = frame["event_time"] > pl.Series(bounds, dtype=pl.Int64)
        late = frame.filter(ahead).select(ROW, "event_time").iter_rows()
        rejects += [(row, _ahead(time, clock.at(timestamps[row] * 1_000))) for row, time in late]
        return frame.filter(~ahead)


def _ahead(time: int, arrival: int) -> str:
    return (
        f"out of bounds: event_time is {moment_text(time)}, more than a day ahead of its arrival "
        f"at {moment_text(arrival)}"
    )


def decode(
    record_type: str,
    values: Sequence[bytes | None],
    *,
    codec: Codec | None = None,
    columns: Iterable[str] | None = None,
    timestamps: Sequence[int] | None = None,
    clock: Clock | None = None,
) -> Decoded:
    """The records in a batch of message values; a `Decoder` kept for the next batch saves its preparation."""
    return Decoder(record_type, codec, columns, clock).decode(values, timestamps)
