"""Calm: when an episode over judged windows is over, and when what flaps from window to window is one episode.

One rule for whatever is judged window by window (a share, a signal, a number, an error). An episode begins with the
first window outside what was agreed.

- With a `quiet` time agreed, it is over with the first window within for which both hold: no judged window has been
  outside for so long, and the last three judged ones (fewer where `quiet` is shorter than three windows) were within.
- Without one it is over with the first judged window within. When the next begins before three windows (an hour at
  least) have passed since, the signal flaps: that episode needs as long a quiet time as that, and each time it flaps
  again twice as long, up to a day (or the three windows, where these are longer). So an ordinary fault is over as soon
  as it is mended, and what comes and goes in whatever rhythm soon is one episode.

A window that is not judged, for it holds too little, says nothing: silence heals nothing. Pure; which windows are
outside is the clause's.
"""

from __future__ import annotations

from seamwatch.durations import DAY, HOUR
from seamwatch.values import value

GOOD = 3
"""How many windows in a row must be within once it flaps: one is what a flapping signal shows every other time."""
SHORTEST = HOUR
"""The least quiet time of what flaps, however short its windows."""
WHEN_ABSENT = "when absent, with the first window within, unless it flaps"


@value()
class Stretch:
    """An episode over windows, open or over.

    - ``start`` of its first window; ``until``: end of its last one outside; ``good``: how many were within since.
    - ``flaps``: how many times in a row it has begun again too soon.
    - ``over``: when it was over; None while it goes on.
    """

    start: int
    until: int
    good: int = 0
    flaps: int = 0
    over: int | None = None

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self.over is None

    def within(self, start: int, window: int, agreed: int | None, times: int = 1) -> Stretch:
        """With so many windows within, one after the other from ``start`` on."""
        quiet = quiet_of(agreed, window, self.flaps)
        needed = min(GOOD, max(1, -(-quiet // window))) - self.good
        late = -(-(self.until + quiet - start) // window)
        number = max(1, needed, late)
        over = start + number * window if number <= times else None
        return Stretch(self.start, self.until, self.good + times, self.flaps, over)


def went_outside(before: Stretch | None, start: int, until: int, window: int, agreed: int | None) -> Stretch:
    """The episode with windows outside from ``start`` to ``until``: it goes on, or begins after the one before."""
    if before is None or before.over is None:
        begun = start if before is None else before.start
        return Stretch(begun, until if before is None else max(until, before.until), 0, before.flaps if before else 0)
    soon = agreed is None and start < before.over + quiet_of(None, window, max(1, before.flaps))
    return Stretch(start, until, 0, before.flaps + 1 if soon else 0)


def quiet_of(agreed: int | None, window: int, flaps: int) -> int:
    """The quiet time (micros) that an episode over windows of this width needs, after so many flaps in a row."""
    if agreed is not None or not flaps:
        return agreed or 0
    first = max(GOOD * window, SHORTEST)
    # Doubled a dozen times any of them is longer than a day.
    return min(first << min(flaps - 1, 12), max(DAY, first))
