"""The sentences of the clause `distribution`: which share has moved, from what to what."""

from __future__ import annotations

from seamwatch.judging.patterns.watch import Alarm
from seamwatch.judging.patterns.wording import moment_text, share_text

_WITHOUT_SCORE = (1, 3)
"""The sets of the two bins of absences (with a score, without one) that are of those without."""


def moved_text(alarm: Alarm, bounds: tuple[float, float], bins: int, floor: float) -> str:
    """Scores that lie elsewhere than they did, in so many equal bins between these bounds."""
    from seamwatch.statistics.ecusum import set_name

    shift, low = alarm.shift, bounds[0]
    width = (bounds[1] - low) / bins
    moved = ", ".join(
        f"{low + m.bin * width:.4g}–{low + (m.bin + 1) * width:.4g} from {share_text(m.approved)} to"
        f" {share_text(m.now)}"
        for m in shift.moved
    )
    missing = alarm.counts[1][1] if len(alarm.counts) > 1 else 0
    beside = f" ({missing:,} more decisions had none)" if missing else ""
    return (
        f"the share of scores {set_name(alarm.best, bins, *bounds)} was {share_text(shift.approved)} when"
        f" approved and is now {share_text(shift.now)} ({share_text(shift.interval[0])} to"
        f" {share_text(shift.interval[1])}), since {moment_text(alarm.since)}, over {shift.scores}"
        f" scores{beside}; largest move of any pass rate {share_text(shift.distance)} (±"
        f" {share_text(shift.half_width)}), agreed {share_text(floor)}; bins that moved most: {moved}"
    )


def absent_text(alarm: Alarm, floor: float) -> str:
    """Decisions without a score that are more, or fewer, than they were."""
    shift = alarm.shift
    return (
        f"the share of decisions {'without' if alarm.best in _WITHOUT_SCORE else 'with'} a score was"
        f" {share_text(shift.approved)} when approved and is now {share_text(shift.now)}"
        f" ({share_text(shift.interval[0])} to {share_text(shift.interval[1])}), since {moment_text(alarm.since)},"
        f" over {shift.scores} decisions; agreed {share_text(floor)}"
    )
