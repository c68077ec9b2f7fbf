"""Runs of offending windows: when an episode of a windowed clause begins, goes on and ends.

Two rules serve every clause that looks at events:

- **occurrence**: any offending event is a breach. It begins at once (as soon as every earlier window is complete,
  so that the window it is named after is the same wherever it is judged), and ends when nothing has offended for
  the quiet time after its last offending event, to the microsecond. What offends within one window is never a quiet
  time apart (`bundle`), so the first and last of a window tell all that the rule needs.
- **share**: a window's share of offending events is judged when the window is complete. It begins with a window
  over the agreed share, and ends by the rule of `seamwatch.judging.patterns.calm`.

Pure: state in, state and changes out. The clause words the findings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from typing import Literal

from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.judging.model.facts import Evidence, Fact, merge_evidence
from seamwatch.judging.model.judgement import Finding, Judgement, Moment
from seamwatch.judging.patterns.calm import Stretch, went_outside
from seamwatch.judging.patterns.windows import MOST_WINDOWS, Window, Windows, earliest
from seamwatch.values import value

TRACE_IDLE = 30 * MINUTE
"""A conversation without a call for so long has ended."""


def bundle(quiet: int, window: int = HOUR) -> int:
    """The width of the windows that offending events are bundled in, at most ``window``.

    No two events of one are a quiet time apart: so the events of a window belong to the same episode, and no two
    episodes begin in the same window.
    """
    return min(quiet, window)


@value()
class Run:
    """Consecutive offending windows. ``first`` and ``last`` are window starts; counts are of complete windows.

    ``offended`` is the event time of the last offending event; None where an earlier release did not keep it.
    """

    first: int
    last: int
    window: int
    evidence: tuple[Evidence, ...]
    count: int = 0
    breaches: int = 0
    share: float | None = None
    open: bool = False
    ended: int | None = None
    offended: int | None = None

    def quiet_at(self, quiet: int) -> int:
        """When it is over, if nothing offends any more: ``quiet`` after the last event that offended."""
        return (self.last + self.window if self.offended is None else self.offended) + quiet

    def over_at(self, quiet: int, grace: int) -> int:
        """The same; what has not been a breach yet goes on for the grace at least, or it would never become one."""
        return self.quiet_at(quiet if self.open else max(quiet, grace))

    def opened_at(self, grace: int = 0) -> int:
        """The event time at which its first offending event became a breach."""
        return self.evidence[0].event_time + grace


@value()
class Runs:
    """The state of one slice under either rule; ``stretch`` is that of the share rule, also after its run is over."""

    windows: Windows = field(default_factory=Windows)
    run: Run | None = None
    stretch: Stretch | None = None


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
    windows, run, late = _narrowed(state.windows, quiet), state.run, 0
    most = MOST_WINDOWS if most is None else most
    if fact is not None and fact.breaches:
        added = windows.add(_narrow(fact, quiet), moment)
        late, windows = (1, windows) if added is None else (0, added)
    changes: list[Change] = []
    waits: list[int] = []
    left = list(windows.filling)
    while left:
        window = left[0]
        too_many = len(left) > most
        if not too_many and moment.watermark < window.start:
            waits.append(window.start)
            break
        if not too_many and (hold or window.end <= moment.watermark) and not window.settled(moment):
            break
        over = _over_before(run, window, quiet, grace)
        if over is not None:
            if not too_many and _may_be_tied(window, over, moment):
                break
            run, off = _ended(run, over, once=once)
            changes.extend(off)
        before, run = run, _with(run, window.fact)
        run = _opened(run, quiet, grace, moment)
        if run.open and (before is None or not before.open or before.evidence != run.evidence):
            changes.append(Change("on", run, run.opened_at(grace)))
        if not too_many and not window.complete(moment):
            break
        run = replace(run, count=run.count + window.fact.count, breaches=run.breaches + window.fact.breaches)
        left.pop(0)
        windows = Windows(tuple(left), window.end)
    if run is not None and not run.open and _opened(run, quiet, grace, moment).open:
        # Its grace was over after its last window was complete.
        run = _opened(run, quiet, grace, moment)
        changes.append(Change("on", run, run.opened_at(grace)))
    if run is not None and run.ended is None:
        over = run.over_at(quiet, grace)
        if moment.watermark >= over and (not left or (left[0].start >= over and left[0].settled(moment))):
            run, off = _ended(run, over, once=once)
            changes.extend(off)
        else:
            waits.extend([over, run.opened_at(grace)])
    run = None if not left and _forgotten(run, moment.watermark) else run
    # A conversation's end is remembered for a day, so that a straggler does not open it again.
    waits.extend([] if run is None or run.ended is None else [run.ended + DAY])
    deadline = earliest(windows.deadline(moment), *(t for t in waits if t > moment.watermark))
    kept = None if run is None and not left else Runs(windows, run)
    return Advance(kept, tuple(changes), deadline, windows.wake(moment), late)


def _narrow(fact: Fact, quiet: int) -> Fact:
    # Of a version of the contract whose quiet time was longer: it stands where its first offending event lies.
    if fact.window <= quiet:
        return fact
    return replace(fact, window_start=fact.first_time // quiet * quiet, window=quiet)


def _narrowed(windows: Windows, quiet: int) -> Windows:
    if all(window.fact.window <= quiet for window in windows.filling):
        return windows
    narrowed = Windows(done=windows.done)
    for window in windows.filling:
        narrowed = narrowed.put(_narrow(window.fact, quiet), window.arrived)
    return narrowed


def _over_before(run: Run | None, window: Window, quiet: int, grace: int) -> int | None:
    """When the run was over, if that was before the window's first offending event."""
    if run is None or run.ended is not None or window.fact.first_time < run.over_at(quiet, grace):
        return None
    return run.over_at(quiet, grace)


def _forgotten(run: Run | None, at: int) -> bool:
    return run is not None and run.ended is not None and at >= run.ended + DAY


def _may_be_tied(window: Window, over: int, moment: Moment) -> bool:
    # What may still come of the window may belong to the run, and tie what is there of it to that.
    return window.start < over and (moment.watermark < over or not window.settled(moment))


def _with(run: Run | None, fact: Fact) -> Run:
    # What ended a day ago is forgotten, live as well as in a history that is read at once.
    if run is None or _forgotten(run, fact.first_time):
        return Run(fact.window_start, fact.window_start, fact.window, fact.evidence, offended=fact.last_time)
    if run.ended is not None:
        return run
    offended = None if run.offended is None else max(run.offended, fact.last_time)
    if fact.window_start > run.last:
        # The window of an earlier release's run is over: from here on the last event is known.
        offended = fact.last_time if offended is None else offended
    last = max(run.last, fact.window_start)
    return replace(run, last=last, offended=offended, evidence=merge_evidence(run.evidence, fact.evidence))


def _opened(run: Run, quiet: int, grace: int, moment: Moment) -> Run:
    # Still going on when its grace was over, however late anybody looks.
    if run.ended is not None or run.opened_at(grace) >= run.quiet_at(quiet):
        return run
    # Without a grace the event itself is the breach: nothing that is still to come could undo it.
    opens = run.open or not grace or moment.watermark >= run.opened_at(grace)
    return run if opens == run.open else replace(run, open=opens)


def _ended(run: Run | None, at: int, *, once: bool) -> tuple[Run | None, tuple[Change, ...]]:
    # What ended within its grace was never open.
    changes = (Change("off", run, at),) if run is not None and run.open else ()
    return replace(run, ended=at) if once and run is not None else None, changes


def shares(
    state: Runs | None, fact: Fact | None, moment: Moment, *, tolerate: float, min_count: int, quiet: int | None = None
) -> Advance:
    """Advance the share rule by a fact, or by time alone: a window offends when breaches / count > tolerate.

    ``quiet``: the quiet time that was agreed; None for what holds by default.
    """
    state = state or Runs()
    windows, run, stretch, late = state.windows, state.run, state.stretch, 0
    if run is not None and stretch is None:
        # An earlier release kept the run alone.
        stretch = Stretch(run.first, run.last + run.window)
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
            stretch = went_outside(stretch, judged.window_start, judged.window_end, judged.window, quiet)
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
        elif run is not None and stretch is not None:
            stretch = stretch.within(judged.window_start, judged.window, quiet)
            if stretch.over is not None:
                changes.append(Change("off", run, stretch.over))
                run = None
    kept = Runs(windows, run, stretch)
    return Advance(kept, tuple(changes), windows.deadline(moment), windows.wake(moment), late)
