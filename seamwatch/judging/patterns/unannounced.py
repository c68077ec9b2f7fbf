"""Unannounced: versions and digests that traffic shows before anybody has announced them, or before it was agreed.

Each value is a run of its own, by the rule of occurrences; what ends it besides is that the value may serve from then
on. All of them are one state, so they are bounded: the windows that wait are shared among the values, and beyond
`VALUES_KEPT` the values make room whose last traffic is the oldest. Values in, changes out; the words are the clause's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Moment
from seamwatch.judging.patterns.runs import Advance, Change, Run, Runs, occurrences
from seamwatch.judging.patterns.serving import DECLARED, VERSION, Terms
from seamwatch.judging.patterns.windows import MOST_WINDOWS, Window, Windows, earliest

VALUES_KEPT = 500
SERVING_KEPT = 1_000
_APART = "\x00"

Traffic = tuple[tuple[str, Runs], ...]
"""The traffic of the values that are followed, by `key_of`."""


def key_of(field: str, value: str, *, declared: bool = False) -> str:
    """What the traffic of a version or digest is kept under: each of them, declared or not, by itself."""
    if field == VERSION and not declared:
        return value
    return _APART.join(("", field, DECLARED if declared else "", value))


def value_of(key: str) -> tuple[str, str, bool]:
    """The field and the value that a key stands for, and whether a document declares it."""
    if not key.startswith(_APART):
        return VERSION, key, False
    _, field, declared, value = key.split(_APART, 3)
    return field, value, bool(declared)


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a value's run; ``evicted``: it is over because too many other values came after it."""

    key: str
    change: Change
    evicted: bool = False


@dataclass(frozen=True, slots=True)
class Followed:
    """The traffic that is left, which declared values are in service, what changed, and when to be asked again."""

    traffic: Traffic
    serving: tuple[str, ...]
    seen: tuple[Seen, ...]
    deadline: int | None
    wake: int | None
    late: int


@dataclass(frozen=True, slots=True)
class _Advance:
    """What is left of a value's traffic; ``allowed``: some of it was found to be as agreed, for good."""

    runs: Runs | None
    changes: tuple[Change, ...] = ()
    deadline: int | None = None
    wake: int | None = None
    late: int = 0
    allowed: bool = False


def followed(
    traffic: Traffic,
    serving: tuple[str, ...],
    terms: Callable[[str], Terms],
    fact: Fact | None,
    moment: Moment,
    *,
    quiet: int,
) -> Followed:
    """The traffic after a fact, or after time alone; ``terms`` says on what terms a value may serve, by its key.

    ``serving`` are the declared values that have served as agreed: to announce one of them is to announce nothing new.
    """
    values, due = dict(traffic), ""
    if fact is not None and fact.slice is not None and fact.breaches:
        field, _, source = fact.measure.partition("/")
        key = key_of(field, fact.slice, declared=source.endswith(f"/{DECLARED}"))
        if key not in serving:
            due, fact = key, replace(fact, measure="", count=fact.breaches)
            values.setdefault(due, Runs())
    kept: dict[str, Runs] = {}
    seen: list[Seen] = []
    deadline: int | None = None
    wake: int | None = None
    late = 0
    most = MOST_WINDOWS // max(1, len(values))
    for key, runs in list(values.items()):
        advance = _advance(runs, terms(key), fact if key == due else None, moment, quiet, most)
        seen += (Seen(key, change) for change in advance.changes)
        deadline, wake = earliest(deadline, advance.deadline), earliest(wake, advance.wake)
        late += advance.late
        if advance.runs is not None:
            kept[key] = advance.runs
        if advance.allowed and value_of(key)[2]:
            serving = (*serving, key)[-SERVING_KEPT:]
    seen += _evicted(kept, terms, quiet)
    return Followed(tuple(kept.items()), serving, tuple(seen), deadline, wake, late)


def _advance(runs: Runs, terms: Terms, fact: Fact | None, moment: Moment, quiet: int, most: int) -> _Advance:
    windows, late = runs.windows, 0
    if fact is not None and fact.window_end <= windows.done:
        late = 0 if terms.allows(fact) else 1
    elif fact is not None:
        windows = windows.put(fact, moment.now)
    waiting, allowed = _looked_at(windows.filling, terms, moment, most)
    offending = [window for window in windows.filling if not terms.allows(window.fact)]
    deadline = earliest(*(w.start for w in waiting if w.start > moment.watermark))
    wake = earliest(*(w.arrived + moment.settle for w in waiting if not w.settled(moment)))
    state: Runs | None = Runs(Windows(tuple(offending), windows.done), runs.run)
    changes: list[Change] = []
    after: list[Window] = []
    while state is not None:
        first = _first(state)
        cut = None if first is None else terms.next_begin(first)
        advance, after = _until(state, cut, moment, quiet, most)
        changes += (_not_after(change, cut) for change in advance.changes)
        deadline, wake = earliest(deadline, advance.deadline), earliest(wake, advance.wake)
        late += advance.late
        state = advance.state
        left = state.windows.filling if state is not None else ()
        if cut is None or cut > moment.watermark or left:
            deadline = earliest(deadline, cut if cut is not None and cut > moment.watermark else None)
            break
        # From here on it may serve: what is open of it is over.
        if state is not None and state.run is not None and state.run.open:
            changes.append(Change("off", state.run, cut))
        done = windows.done if state is None else state.windows.done
        state, after = (Runs(Windows(tuple(after), done)) if after else None), []
    else:
        after = []
    run, done = (state.run, state.windows.done) if state is not None else (None, windows.done)
    still = [*waiting, *(state.windows.filling if state is not None else ()), *after]
    kept = Runs(Windows(tuple(sorted(still, key=lambda w: (w.start, w.fact.window))), done), run)
    left_over = kept if still or run is not None else None
    return _Advance(left_over, tuple(changes), deadline, wake, late, allowed)


def _looked_at(filling: tuple[Window, ...], terms: Terms, moment: Moment, most: int) -> tuple[list[Window], bool]:
    """The windows with nothing against them that wait in case something is still said, and whether others do not.

    What would make them a breach, as a withdrawal, may still be on its way by another topic.
    """
    fine = [window for window in filling if terms.allows(window.fact)]
    waiting = [w for w in fine if moment.watermark < w.start or not w.settled(moment)][-most:]
    return waiting, len(waiting) < len(fine)


def _until(state: Runs, cut: int | None, moment: Moment, quiet: int, most: int) -> tuple[Advance, list[Window]]:
    """The rule of occurrences over what came before ``cut``, with the windows of what came after it."""
    before = [w for w in state.windows.filling if cut is None or w.fact.first_time < cut]
    after = [w for w in state.windows.filling if cut is not None and w.fact.first_time >= cut]
    whole = {(w.start, w.fact.window): w for w in before}
    cropped = tuple(replace(w, fact=_before(w.fact, cut)) for w in before)
    advance = occurrences(
        Runs(Windows(cropped, state.windows.done), state.run), None, moment, quiet=quiet, hold=True, most=most
    )
    if advance.state is not None:
        # What waits is kept whole: the time it is cropped at may yet be another.
        filling = tuple(whole.get((w.start, w.fact.window), w) for w in advance.state.windows.filling)
        done = advance.state.windows.done
        advance = replace(advance, state=replace(advance.state, windows=Windows(filling, done)))
    return advance, after


def _before(fact: Fact, cut: int | None) -> Fact:
    if cut is None or fact.last_time < cut:
        return fact
    evidence = tuple(entry for entry in fact.evidence if entry.event_time < cut)
    return replace(fact, last_time=cut - 1, evidence=evidence or fact.evidence[:1])


def _not_after(change: Change, cut: int | None) -> Change:
    return change if cut is None or change.what == "on" or change.at <= cut else replace(change, at=cut)


def _first(state: Runs) -> int | None:
    """The event time of the first event of a run, or of what will be one."""
    if state.run is not None:
        return state.run.evidence[0].event_time
    return state.windows.filling[0].fact.first_time if state.windows.filling else None


def _evicted(traffic: dict[str, Runs], terms: Callable[[str], Terms], quiet: int) -> Iterator[Seen]:
    """Takes out the values beyond what is kept whose last traffic is the oldest; what was open of them is over."""
    if len(traffic) <= VALUES_KEPT:
        return
    last = {key: _last(runs) for key, runs in traffic.items()}
    oldest = sorted(last, key=lambda key: (last[key], key))
    for key in oldest[: len(oldest) - VALUES_KEPT]:
        run = _run_so_far(traffic.pop(key), terms(key))
        if run is not None:
            yield Seen(key, Change("on", run, run.evidence[0].event_time))
            yield Seen(key, Change("off", run, run.quiet_at(quiet)), evicted=True)


def _run_so_far(runs: Runs, terms: Terms) -> Run | None:
    """The run that is open, or the one that what waits will open."""
    if runs.run is not None and runs.run.open:
        return runs.run
    waiting = [window.fact for window in runs.windows.filling if not terms.allows(window.fact)]
    if not waiting:
        return None
    first, last = waiting[0], max(fact.last_time for fact in waiting)
    return Run(first.window_start, waiting[-1].window_start, first.window, first.evidence, open=True, offended=last)


def _last(runs: Runs) -> int:
    if runs.windows.filling:
        return runs.windows.filling[-1].start
    return runs.run.last if runs.run is not None else 2**62
