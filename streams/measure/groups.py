"""Groups: which (system, slice, window) each row of a frame belongs to, as small integers.

Numbers rows without a Python step per row; what is then counted in the groups is `streams.measure.program`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Coded:
    """A column as numbers: ``names[codes[i]]`` is row i's value; None is a name like any other."""

    codes: Integers
    names: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """``ids`` has each row's group, below ``size``; not every group needs to have rows."""

    ids: Integers
    size: int
    _systems: tuple[str | None, ...]
    _slices: tuple[str | None, ...]
    _numbers: Integers
    _window: int | Integers
    _keys: Integers | None

    def identities(self, groups: Integers) -> Iterator[tuple[str, str | None, int]]:
        """The system, slice and window start of each of some groups."""
        keys = groups if self._keys is None else self._keys[groups]
        keys, numbers = np.divmod(keys, len(self._numbers))
        systems, parts = np.divmod(keys, len(self._slices))
        starts = self._numbers[numbers] * (self._window if isinstance(self._window, int) else self._window[systems])
        for system, part, start in zip(systems.tolist(), parts.tolist(), starts.tolist(), strict=True):
            name = self._systems[system]
            assert name is not None
            yield name, self._slices[part], start


def coded(column: pl.Series) -> Coded:
    """A text column as numbers, in no particular order of the names."""
    names = column.drop_nulls().unique()
    codes = column.cast(pl.Enum(names)).to_physical().cast(pl.Int64)
    if not column.null_count():
        return Coded(codes.to_numpy(), tuple(names))
    return Coded(codes.fill_null(len(names)).to_numpy(), (*names, None))


def sliced(frame: pl.DataFrame, fields: Sequence[str]) -> Coded:
    """The slice each row belongs to: the fields' values joined by ``/``, NULL as nothing.

    No field gives no slice, and a single one that is NULL gives none either.
    """
    if not fields:
        return Coded(np.zeros(len(frame), np.int64), (None,))
    if len(fields) == 1:
        return coded(frame[fields[0]].cast(pl.String))
    texts = [pl.col(name).cast(pl.String).fill_null("") for name in fields]
    return coded(frame.select(pl.concat_str(texts, separator="/").alias("slice"))["slice"])


def grouped(systems: Coded, slices: Coded, times: Integers, window: int | Integers) -> Groups:
    """Rows by system, slice and tumbling window, aligned to the epoch, of ``window`` micros (or each system's own)."""
    numbers = times // (window if isinstance(window, int) else window[systems.codes])
    first, last = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
    span = last - first + 1
    crowded = 4 * len(times) + 1024
    if span > crowded:
        windows, numbers = np.unique(numbers, return_inverse=True)
    else:
        windows, numbers = np.arange(first, last + 1, dtype=np.int64), numbers - first
    keys = (systems.codes * len(slices.names) + slices.codes) * len(windows) + numbers
    size = len(systems.names) * len(slices.names) * len(windows)
    present: Integers | None = None
    if size > crowded:
        present, keys = np.unique(keys, return_inverse=True)
        size = len(present)
    return Groups(keys, size, systems.names, slices.names, windows, window, present)
