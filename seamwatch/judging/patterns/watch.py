"""Watch: counts compared window by window with what was approved, until they have moved and until they are back.

What the clauses with a sequential test share: the bets of `seamwatch.statistics.ecusum` over one histogram or several
(scores, and whether there was one), the windows that these rest on, and the episode they opened. Pure: counts in, the
new watch and what was found out; the words are the clause's. numpy and scipy are imported late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

from seamwatch.durations import DAY, HOUR
from seamwatch.statistics.histograms import Reference

if TYPE_CHECKING:
    from seamwatch.statistics.ecusum import Band, Bank
    from seamwatch.statistics.shift import Shift

_RECENT_WINDOWS = 64
_RECENT_HOURS = 96
_RESOLVE_WINDOWS = 10

Counts = tuple[int, ...]
"""The bins of one window, histogram after histogram."""
Recent = tuple[tuple[int, int, Counts], ...]
"""Number of the first window, hour of day, and counts; of single windows, and of older ones by the hour."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What was agreed.

    - ``floor``: smallest move of a share worth waking someone for.
    - ``alpha``: probability of a false alarm in a ``lifetime`` of so many windows of ``window`` micros.
    - ``parts``: whether parts of the day may differ (``cycle``), or not (``none``); or the share in the worst part of
      the day is what all of it is compared with, and only more of the last bin of two is a move (``worst``).
    - ``enough``: how many counts within the band end an episode, in ten windows at least.
    """

    floor: float
    alpha: float
    lifetime: int
    window: int
    parts: Literal["cycle", "none", "worst"]
    enough: int


@dataclass(frozen=True, slots=True)
class Watch:
    """The bets, the windows they rest on, and the window that opened an episode with what came since, by hour."""

    wealth: tuple[float, ...] = ()
    since: tuple[int, ...] = ()
    recent: Recent = ()
    opened: int | None = None
    seen: tuple[tuple[int, Counts], ...] = ()
    seen_windows: int = 0


@dataclass(frozen=True, slots=True)
class Alarm:
    """Which set of which histogram has moved, since which event time, and how the windows since look beside it."""

    histogram: int
    best: int
    since: int
    shift: Shift
    counts: tuple[Counts, ...]


def hour_of(start: int) -> int:
    """The hour of day (UTC) of a window that starts then."""
    return start % DAY // HOUR


def look(
    watch: Watch, references: Sequence[Reference], counts: Sequence[Counts], start: int, rule: Rule
) -> tuple[Watch, Alarm | None, bool]:
    """The watch after one window that holds something, an alarm, and whether the episode is over with it.

    ``references`` and ``counts``: one for each histogram.
    """
    bands = _bands(references, rule)
    if watch.opened is not None:
        return _seen(watch, references, bands, counts, start, rule)
    from seamwatch.statistics import ecusum

    index, flat = start // rule.window, tuple(number for part in counts for number in part)
    bank = _moved(watch, bands, counts, start, rule)
    recent = _remembered((*watch.recent, (index, hour_of(start), flat)), bank, rule.lifetime)
    if not ecusum.alarmed(bank, rule.alpha):
        if not recent:
            return Watch(), None, False  # all bets are at their floor: there is nothing to remember
        wealth, since = tuple(bank.wealth.ravel().tolist()), tuple(bank.since.ravel().tolist())
        return Watch(wealth, since, recent), None, False
    best, began = ecusum.winner(bank)
    alarm = _alarm(references, bands, best, began, recent or ((index, hour_of(start), flat),), rule)
    return Watch(opened=start), alarm, False


def _bands(references: Sequence[Reference], rule: Rule) -> list[tuple[Band, ...]]:
    from seamwatch.statistics.bands import bands_of, worst_of
    from seamwatch.statistics.ecusum import sets_of

    if rule.parts == "worst":
        return [(worst_of(reference, floor=rule.floor, alpha=rule.alpha),) for reference in references]
    sets = sum(sets_of(len(reference.hours[0])) for reference in references)
    return [
        bands_of(reference, floor=rule.floor, alpha=rule.alpha, daily_cycle=rule.parts == "cycle", sets=sets)
        for reference in references
    ]


def _moved(watch: Watch, bands: Sequence[tuple[Band, ...]], counts: Sequence[Counts], start: int, rule: Rule) -> Bank:
    import numpy as np

    from seamwatch.statistics import ecusum
    from seamwatch.statistics.bands import phase_of

    here = [phase_of(phases, hour_of(start)) for phases in bands]
    shape = (sum(len(band.hi) for band in here), len(ecusum.BETS))
    bank = ecusum.Bank.fresh(shape[0], rule.lifetime)
    if len(watch.wealth) == shape[0] * shape[1]:
        bank = ecusum.Bank(np.array(watch.wealth).reshape(shape), np.array(watch.since, dtype=np.int64).reshape(shape))
    gains = [ecusum.gains(band, np.array(part, dtype=np.float64)) for band, part in zip(here, counts, strict=True)]
    index = start // rule.window
    return ecusum.grown(bank, np.concatenate(gains), index, alpha=rule.alpha, lifetime=rule.lifetime)


def _alarm(
    references: Sequence[Reference],
    bands: Sequence[tuple[Band, ...]],
    best: int,
    began: int,
    recent: Recent,
    rule: Rule,
) -> Alarm:
    from seamwatch.statistics.shift import shift_of

    ends = list(accumulate(len(phases[0].hi) for phases in bands))
    part = next(number for number, end in enumerate(ends) if best < end)
    best -= ends[part - 1] if part else 0
    rests_on = [(hour, _split(counts, references)) for index, hour, counts in recent if index >= began]
    rests_on = rests_on or [(hour, _split(counts, references)) for _, hour, counts in recent[-1:]]
    shift = shift_of(references[part], bands[part], [(hour, split[part]) for hour, split in rests_on], best)
    summed = tuple(
        tuple(map(sum, zip(*(split[number] for _, split in rests_on), strict=True)))
        for number in range(len(references))
    )
    return Alarm(part, best, began * rule.window, shift, summed)


def _seen(
    watch: Watch,
    references: Sequence[Reference],
    bands: Sequence[tuple[Band, ...]],
    counts: Sequence[Counts],
    start: int,
    rule: Rule,
) -> tuple[Watch, None, bool]:
    from seamwatch.statistics.shift import within

    seen, hour = dict(watch.seen), hour_of(start)
    flat = tuple(number for part in counts for number in part)
    known = seen.get(hour, (0,) * len(flat))
    # Counts of another form, from an earlier version of the contract or release, say nothing here.
    seen = {h: c for h, c in seen.items() if len(c) == len(flat)}
    seen[hour] = _summed(known if len(known) == len(flat) else (0,) * len(flat), flat)
    watch = replace(watch, seen=tuple(sorted(seen.items())), seen_windows=watch.seen_windows + 1)
    if watch.seen_windows < _RESOLVE_WINDOWS:
        return watch, None, False
    enough = True
    for number, (reference, phases) in enumerate(zip(references, bands, strict=True)):
        mine = [(hour, _split(part, references)[number]) for hour, part in watch.seen]
        if sum(sum(part) for _, part in mine) < rule.enough * float(phases[0].deff):
            enough = False
        elif not within(reference, phases, [(hour, part) for hour, part in mine if any(part)]):
            return replace(watch, seen=(), seen_windows=0), None, False
    return (Watch() if enough else watch), None, enough


def _split(counts: Counts, references: Sequence[Reference]) -> tuple[Counts, ...]:
    ends = list(accumulate(len(reference.hours[0]) for reference in references))
    return tuple(counts[begin:end] for begin, end in zip([0, *ends], ends, strict=False))


def _remembered(recent: Recent, bank: Bank, lifetime: int) -> Recent:
    """The windows that a bet above its floor rests on; older ones put together by the hour, oldest left out first."""
    import numpy as np

    above = bank.wealth > -np.log(lifetime)
    earliest = int(bank.since[above].min()) if above.any() else recent[-1][0] + 1
    size = len(recent[-1][2])
    recent = tuple(window for window in recent if window[0] >= earliest and len(window[2]) == size)
    if len(recent) <= _RECENT_HOURS + _RECENT_WINDOWS:
        return recent
    older: list[tuple[int, int, Counts]] = []
    for index, hour, counts in recent[:-_RECENT_WINDOWS]:
        if older and older[-1][1] == hour:
            older[-1] = (older[-1][0], hour, _summed(older[-1][2], counts))
        else:
            older.append((index, hour, counts))
    return (*older[-_RECENT_HOURS:], *recent[-_RECENT_WINDOWS:])


def _summed(left: Counts, right: Counts) -> Counts:
    return tuple(a + b for a, b in zip(left, right, strict=True))
