"""Evidence: the earliest offending rows of each group, in the order of (event_time, event_id).

Chooses and orders rows by columns; a Python step is taken only for what is kept. What offends, and how many of it are
kept, is `streams.measure.program`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from seamwatch.columnar.arguments import MARK
from seamwatch.judging.model.facts import Evidence
from seamwatch.judging.patterns.calls import digest_of, matched
from streams.measure.groups import Integers

Position = Callable[[int], tuple[str | None, int | None, int | None]]
"""Topic, partition and offset of a row of the frame that was measured."""
Mask = npt.NDArray[np.bool_]


def earliest_rows(
    ids: Integers, times: Integers, places: Integers, events: pl.Series, limit: int | None
) -> tuple[Integers, Integers]:
    """The rows of each group in order, no more than ``limit`` of each: their places, and their groups.

    ``ids`` and ``times`` are the groups and event times of the rows at ``places``; ``events`` has the ids of all rows.
    """
    order = np.lexsort((times, ids))
    ids, times = ids[order], times[order]
    if limit is not None and len(ids) > limit:
        # Only rows as early as their group's fifth can be among the five: ids decide between equal times.
        starts, lengths = _stretches(ids)
        fifths = times[starts + np.minimum(lengths, limit) - 1]
        early = times <= np.repeat(fifths, lengths)
        order, ids, times = order[early], ids[early], times[early]
    places = places[order]
    if ((times[1:] == times[:-1]) & (ids[1:] == ids[:-1])).any():
        ranks = events.gather(places).rank("ordinal").to_numpy()
        order = np.lexsort((ranks, times, ids))
        places, ids = places[order], ids[order]
    if limit is None or len(ids) <= limit:
        return places, ids
    starts, lengths = _stretches(ids)
    kept = np.arange(len(ids)) - np.repeat(starts, lengths) < limit
    return places[kept], ids[kept]


def evidence_of(
    places: Integers,
    ids: Integers,
    times: Integers,
    events: pl.Series,
    values: npt.NDArray[np.float64] | None,
    labels: Sequence[str | None] | None,
    position: Position | None,
) -> dict[int, tuple[Evidence, ...]]:
    """The evidence of each group, from rows in order; ``times`` and ``events`` are of all rows, the rest of these."""
    if not len(places):
        return {}
    nothing: list[None] = [None] * len(places)
    shown = nothing if values is None else pl.Series(values).fill_nan(None).to_list()
    texts = nothing if labels is None else labels
    at, names = times[places].tolist(), events.gather(places).to_list()
    if position is None:
        made = [
            Evidence(time, name, None, None, None, value, label)
            for time, name, value, label in zip(at, names, shown, texts, strict=True)
        ]
    else:
        made = [
            Evidence(time, name, *position(place), value, label)
            for place, time, name, value, label in zip(places.tolist(), at, names, shown, texts, strict=True)
        ]
    starts, lengths = _stretches(ids)
    return {
        group: tuple(made[start : start + length])
        for group, start, length in zip(ids[starts].tolist(), starts.tolist(), lengths.tolist(), strict=True)
    }


def digests(
    texts: Sequence[str | None],
    names: Sequence[str],
    read: Sequence[Sequence[str | None]] | None,
    digested: dict[tuple[str, ...], str],
) -> list[str | None]:
    """What `matched` says of each text; ``read`` has what was read of each name by column, if it was.

    ``known`` remembers the digests of values that came before.
    """
    if read is None:
        return [matched(text, names) for text in texts]
    found: list[str | None] = []
    for text, marked in zip(texts, zip(*read, strict=True), strict=True):
        digest = digested.get(marked)
        if digest is None:
            if any(value is None or value[:1] != MARK for value in marked):
                # Anything but strings: numbers and lists have more than one way to be written.
                digest = matched(text, names)
            else:
                digest = digest_of([value[1:] for value in marked])
                assert digest is not None
                digested[marked] = digest
        found.append(digest)
    return found


def _stretches(ids: Integers) -> tuple[Integers, Integers]:
    # Where each group begins among rows that are in the order of their groups, and how many rows it has.
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
    return starts, np.diff(np.r_[starts, len(ids)])
