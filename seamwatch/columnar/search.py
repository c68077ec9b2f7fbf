"""Searching: the datums of one header read together, and parts of them when one is bad, until it is found.

Where polars cannot read the writer's schema they are decoded one by one. Which values are under which header, and
whether a record keeps its bounds, is for `seamwatch.columnar.decode`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from seamwatch.columnar.columns import frame_of
from seamwatch.columnar.plan import DecodePlan
from seamwatch.errors import RecordError
from seamwatch.wire.resolution import Resolution

_ONE_BY_ONE = 32
"""Below this many datums, decoding each is cheaper than taking them apart further."""

_PARTS = 16
"""How many parts a batch with a bad value in it is taken apart into; with more than one bad, fewer rounds."""

ROW = "__row"
"""The column with the position of each row's value among the values."""

Reject = tuple[int, str]
"""The index of a value that is no record, and why."""


class Search:
    """Reads the datums of one header, taking them apart around the bad ones.

    ``frames`` are those of the good ones, each with a column ``ROW``; ``rejects`` the others, with reasons.
    """

    def __init__(self, record_type: str, columns: list[str], resolution: Resolution, plan: DecodePlan | None) -> None:
        self._type = record_type
        self._columns = columns
        self._resolution = resolution
        self._plan = plan
        self._read: list[pl.DataFrame] = []
        self.frames: list[pl.DataFrame] = []
        self.rejects: list[Reject] = []

    def alike(self, values: Sequence[bytes], header: bytes) -> bool:
        """Read values that all have this header into ``frames`` and ``rejects``, if they are all whole records."""
        assert self._plan is not None
        read = self._plan.container.read(values, header)
        if read is None:
            return False
        self._finish(self._plan, read.with_row_index(ROW))
        return True

    def run(self, datums: list[bytes], positions: Sequence[int], *, apart: bool = False) -> None:
        """Read all datums, whose positions among the values these are, into ``frames`` and ``rejects``.

        ``apart`` when it is known that they cannot all be read together.
        """
        if self._plan is None:
            self._each(datums, positions)
            return
        left = [(datums, positions)]
        while left:
            datums, positions = left.pop()
            if not apart and self._together(self._plan, datums, positions):
                continue
            apart = False
            if len(datums) <= _ONE_BY_ONE:
                self._apart(self._plan, datums, positions)
            else:
                part = max(_ONE_BY_ONE, -(-len(datums) // _PARTS))
                starts = range(0, len(datums), part)
                left += [(datums[start : start + part], positions[start : start + part]) for start in starts]
        if self._read:
            self._finish(self._plan, pl.concat(self._read))

    def _together(self, plan: DecodePlan, datums: list[bytes], positions: Sequence[int]) -> bool:
        """Read datums in one go; whether they are all whole records."""
        if datums:
            read = plan.container.read(datums)
            if read is None:
                return False
            self._read.append(read.insert_column(0, pl.Series(ROW, positions, dtype=pl.UInt32)))
        return True

    def _apart(self, plan: DecodePlan, datums: list[bytes], positions: Sequence[int]) -> None:
        """Find the bad ones of a few datums, of which at least one is bad."""
        good: list[tuple[bytes, int]] = []
        for datum, position in zip(datums, positions, strict=True):
            try:
                self._resolution.read(datum)
            except RecordError as error:
                # What a value gives must not depend on its neighbours: the same reader has the last word.
                if not self._together(plan, [datum], [position]):
                    self.rejects.append((position, str(error)))
            else:
                good.append((datum, position))
        if not self._together(plan, [datum for datum, _ in good], [position for _, position in good]):
            for datum, position in good:
                if not self._together(plan, [datum], [position]):
                    self._each([datum], [position])

    def _finish(self, plan: DecodePlan, read: pl.DataFrame) -> None:
        """Make our columns of the container's, and set aside the rows that are no record of ours."""
        for reason, expression in plan.wrong:
            wrong = read.select(expression.fill_null(value=False).alias("wrong"))["wrong"]
            if wrong.any():
                self.rejects += [(row, f"not a valid {self._type}: {reason}") for row in read.filter(wrong)[ROW]]
                read = read.filter(~wrong)
        self.frames.append(read.select(ROW, *plan.made))

    def _each(self, datums: list[bytes], positions: Sequence[int]) -> None:
        """Decode one by one what polars cannot read."""
        records: list[dict[str, Any]] = []
        rows: list[int] = []
        for datum, position in zip(datums, positions, strict=True):
            try:
                records.append(self._resolution.read(datum))
            except RecordError as error:
                self.rejects.append((position, str(error)))
            else:
                rows.append(position)
        if records:
            frame = frame_of(self._type, records).select(self._columns)
            self.frames.append(frame.insert_column(0, pl.Series(ROW, rows, dtype=pl.UInt32)))
