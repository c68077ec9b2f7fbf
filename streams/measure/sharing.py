"""Sharing: the rows of a frame by what is measured of their systems, each row moved once however many shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from streams.measure.counting import Rows
from streams.measure.groups import Coded, Integers


@dataclass(frozen=True, slots=True)
class Share:
    """Systems, by their codes, whose rows go together, and the event times from ``start`` to before ``end``."""

    start: int
    end: int
    codes: Sequence[int]


def shared_out(rows: Rows, shares: Sequence[Share]) -> Iterator[Rows]:
    """The rows of each share, in their order; its systems' codes are their places in the share.

    A system may be in several shares, of different times.
    """
    first, last = int(rows.times.min()), int(rows.times.max())
    systems = len(rows.systems.names)
    shared = np.zeros(systems, np.int64)
    home, place = np.full(systems, len(shares), np.int64), np.zeros(systems, np.int64)
    members = [np.asarray(share.codes, np.int64) for share in shares]
    for number, codes in enumerate(members):
        shared[codes] += 1
        home[codes], place[codes] = number, np.arange(len(codes))
    if len(shares) == 1 and len(members[0]) == systems and shares[0].start <= first and shares[0].end > last:
        yield _named(rows, place, shares[0])
        return
    # Rows of a system that is in one share lie together with those of its neighbours; slices of them cost nothing.
    homes = home[rows.systems.codes]
    order = np.argsort(homes, kind="stable")
    ends = np.searchsorted(homes[order], np.arange(len(shares) + 1))
    together = _taken(rows, order)
    for number, (share, codes) in enumerate(zip(shares, members, strict=True)):
        if (shared[codes] == 1).all() and share.start <= first and share.end > last:
            yield _named(_slice(together, int(ends[number]), int(ends[number + 1])), place, share)
            continue
        wanted, own = np.zeros(systems, np.bool_), np.zeros(systems, np.int64)
        wanted[codes], own[codes] = True, np.arange(len(codes))
        within = wanted[rows.systems.codes] & (rows.times >= share.start) & (rows.times < share.end)
        yield _named(_taken(rows, np.flatnonzero(within)), own, share)


def _named(rows: Rows, place: Integers, share: Share) -> Rows:
    names = tuple(rows.systems.names[code] for code in share.codes)
    return Rows(rows.frame, Coded(place[rows.systems.codes], names), rows.times, rows.position)


def _taken(rows: Rows, index: Integers) -> Rows:
    whole = rows.position
    position = None if whole is None else lambda row: whole(int(index[row]))
    return Rows(rows.frame[index], Coded(rows.systems.codes[index], rows.systems.names), rows.times[index], position)


def _slice(rows: Rows, start: int, end: int) -> Rows:
    whole = rows.position
    position = None if whole is None else lambda row: whole(start + row)
    codes = Coded(rows.systems.codes[start:end], rows.systems.names)
    return Rows(rows.frame[start:end], codes, rows.times[start:end], position)
