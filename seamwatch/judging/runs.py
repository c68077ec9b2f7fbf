"""Runs of offending windows: when an episode of a windowed clause begins, goes on and ends.

Two rules serve every clause that looks at events:

- **occurrence**: any offending event is a breach. It begins at once (as soon as every earlier window is complete,
  so that the window it is named after is the same wherever it is judged), and ends when nothing has offended for
  the quiet time after its last offending window.
- **share**: a window's share of offending events is judged when the window is complete. It begins with a window
  over the agreed share, and ends with the first judged window that is within it.

Pure: state in, state and changes out. The clause words the findings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from typing import Literal

from seamwatch.durations import DAY, MINUTE
from seamwatch.judging.facts import Evidence, Fact, merge_evidence
from seamwatch.judging.judgement import Finding, Judgement, Moment
from seamwatch.judging.windows import MOST_WINDOWS, Windows, earliest
from seamwatch.values import value

TRACE_IDLE = 30 * MINUTE
"""A conversation without a call for so long has ended."""


@value()
class Run:
    """Consecutive offending windows. ``first`` and ``last`` are window starts; counts are of complete windows."""

    first: int
    last: int
    window: int
    evidence: tuple[Evidence, ...]
    count: int = 0
    breaches: int = 0
    share: float | None = None
    open: bool = False
    ended: int | None = None

    def quiet_at(self, quiet: int) -> int:
        """When it is over, if nothing offends any more: ``quiet`` after its last window, in whole windows.

        Whole ones, because what offends in the middle of one is not told apart from what offends at its start.
        """
        return self.last + self.window + -(-quiet // self.window) * self.window

    def opened_at(self, grace: int = 0) -> int:
        """The event time at which its first offending event became a breach."""
        return self.evidence[0].event_time + grace


@value()
class Runs:
    """The state of one slice under either rule."""

    windows: Windows = field(default_factory=Windows)
    run: Run | None = None


@value()
class Change:
    """A run that began or went on (``on``), or ended at event time ``at`` (``off``)."""

    what: Literal["on", "off"]
    run: Run
    at: int


@value()
class Advance:
    """The new state (None: nothing left to remember), what changed, and when to be asked again."""

    state: Runs | None
    changes: tuple[Change, ...] = ()
    deadline: int | None = None
    wake: int | None = None
    late: int = 0

    def judgement(self, word: Callable[[Change], Finding]) -> Judgement:
        """The clause's judgement, each change worded by ``word``."""
        return Judgement(self.state, tuple(word(c) for c in self.changes), self.deadline, self.wake, self.late)


def occurrences(
    state: Runs | None,
    fact: Fact | None,
    moment: Moment,
    *,
    quiet: int,
    once: bool = False,
    grace: int = 0,
    hold: bool = False,
    most: int | None = None,
) -> Advance:
    """Advance the occurrence rule by a fact, or by time alone.

    - ``quiet``: how long nothing may offend before the run is over.
    - ``once``: the slice has one episode and no second (a conversation).
    - ``grace``: offending is tolerated for so long after the first offending event.
    - ``hold``: wait for the settling time before a run begins, because what would make it innocent may still be on
      its way by another topic.
    - ``most``: how many windows wait, if not `MOST_WINDOWS`.
    """
    state = state or Runs()
    windows, run, late = state.windows, state.run, 0
    most = MOST_WINDOWS if most is None else most
    if fact is not None and fact.breaches:
        added = windows.add(fact, moment)
        late, windows = (1, windows) if added is None else (0, added)
    changes: list[Change] = []
    waits: list[int] = []
    left = list(windows.filling)
    while left:
        window = left[0]
        crowded = len(left) > most
        if not crowded and moment.watermark < window.start:
            waits.append(window.start)
            break
        if not crowded and (hold or window.end <= moment.watermark) and not window.settled(moment):
            break
        if run is not None and run.ended is None and window.start >= run.quiet_at(quiet):
            quiet_at = run.quiet_at(quiet)
            changes.extend(_off(run, quiet_at))
            run = replace(run, ended=quiet_at) if once else None
        before, run = run, _with(run, window.fact)
        run = _opened(run, quiet, grace, moment)
        if run.open and (before is None or not before.open or before.evidence != run.evidence):
            changes.append(Change("on", run, run.opened_at(grace)))
        if not crowded and not window.complete(moment):
            break
        run = replace(run, count=run.count + window.fact.count, breaches=run.breaches + window.fact.breaches)
        left.pop(0)
        windows = Windows(tuple(left), window.end)
    if run is not None and not run.open and _opened(run, quiet, grace, moment).open:
        # Its grace was over after its last window was complete.
        run = _opened(run, quiet, grace, moment)
        changes.append(Change("on", run, run.opened_at(grace)))
    if run is not None and run.ended is None:
        quiet_at = run.quiet_at(quiet)
        if moment.watermark >= quiet_at and not left:
            changes.extend(_off(run, quiet_at))
            run = replace(run, ended=quiet_at) if once else None
        else:
            waits.extend([quiet_at, run.opened_at(grace)])
    # A conversation's end is remembered for a day, so that a straggler does not open it again.
    if run is not None and run.ended is not None:
        waits.append(run.ended + DAY)
        run = None if moment.watermark >= run.ended + DAY and not left else run
    deadline = earliest(windows.deadline(moment), *(t for t in waits if t > moment.watermark))
    kept = None if run is None and not left else Runs(windows, run)
    return Advance(kept, tuple(changes), deadline, windows.wake(moment), late)


def _with(run: Run | None, fact: Fact) -> Run:
    if run is None:
        return Run(fact.window_start, fact.window_start, fact.window, fact.evidence)
    if run.ended is not None:
        return run
    return replace(run, last=max(run.last, fact.window_start), evidence=merge_evidence(run.evidence, fact.evidence))


def _opened(run: Run, quiet: int, grace: int, moment: Moment) -> Run:
    # Still going on when its grace was over, however late anybody looks.
    if run.ended is not None or run.opened_at(grace) >= run.quiet_at(quiet):
        return run
    # Without a grace the event itself is the breach: nothing that is still to come could undo it.
    opens = run.open or not grace or moment.watermark >= run.opened_at(grace)
    return run if opens == run.open else replace(run, open=opens)


def _off(run: Run, at: int) -> tuple[Change, ...]:
    # What ended within its grace was never open.
    return (Change("off", run, at),) if run.open else ()


def shares(state: Runs | None, fact: Fact | None, moment: Moment, *, tolerate: float, min_count: int) -> Advance:
    """Advance the share rule by a fact, or by time alone: a window offends when breaches / count > tolerate."""
    state = state or Runs()
    windows, run, late = state.windows, state.run, 0
    if fact is not None:
        added = windows.add(fact, moment)
        late, windows = (1, windows) if added is None else (0, added)
    complete, windows = windows.take_complete(moment)
    changes: list[Change] = []
    for judged in complete:
        if judged.count < max(1, min_count):
            continue
        share = judged.breaches / judged.count
        if share > tolerate:
            before = run or Run(judged.window_start, judged.window_start, judged.window, ())
            run = replace(
                before,
                last=judged.window_start,
                count=before.count + judged.count,
                breaches=before.breaches + judged.breaches,
                share=share if run is None else before.share,
                open=True,
                evidence=merge_evidence(before.evidence, judged.evidence),
            )
            changes.append(Change("on", run, run.first + run.window))
        elif run is not None:
            changes.append(Change("off", run, judged.window_end))
            run = None
    return Advance(Runs(windows, run), tuple(changes), windows.deadline(moment), windows.wake(moment), late)
