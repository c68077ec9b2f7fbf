"""What was measured around an episode, or of a system: which figures show what a clause agrees on, as plots.

Asks the store by its questions, for a bounded time. What no figure on record shows is not drawn in its place: then the
traffic is, and the plot says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from board.framing import LONGEST, Frame
from board.plots import Bound, Line, Plot, Point
from seamwatch.clauses.clause import Clause
from seamwatch.clauses.freshness import Freshness
from seamwatch.clauses.human_review import HumanReview
from seamwatch.clauses.range import Range
from seamwatch.clauses.rate import Rate
from seamwatch.clauses.representation import Representation
from seamwatch.clauses.signal import Signal
from seamwatch.clauses.volume import Volume
from seamwatch.durations import DAY, HOUR, SECOND
from seamwatch.paging import measure_text
from sinks.store.questions import measured, signals
from sinks.store.questions.called import called
from sinks.store.questions.measured import QUANTILES, Decided, Refreshed

if TYPE_CHECKING:
    from sinks.store.client import Store

_OF_CALLS: Final = frozenset({"scope", "prohibition", "precondition", "escalation", "rate"})


def plot_of(store: Store, frame: Frame, clause: Clause | None, kind: str) -> Plot:
    """What was measured of what a clause agrees on; ``kind`` is that of the episode, whose clause may be unknown."""
    if isinstance(clause, Freshness | Representation | Volume) and getattr(clause, "of", None) in ("dataset", None):
        refreshed = _of_dataset(store, frame, clause)
        if not refreshed.is_empty or not isinstance(clause, Volume):
            return refreshed
    if kind in _OF_CALLS and not (isinstance(clause, Rate) and clause.per == "subject"):
        return _calls(store, frame, clause)
    if isinstance(clause, Volume) and clause.of == "tool_call":
        return _calls(store, frame, clause)
    if isinstance(clause, Representation):
        return _share_of_cohort(store, frame, clause)
    if isinstance(clause, Signal) and clause.signal == "accuracy":
        return accuracy(
            store, frame, "What is judged is the share of outcomes that were right; the Brier score is not."
        )
    found = _of_decisions(frame, clause, kind, measured.decided(store, frame.span, frame.cohort))
    if found.is_empty:
        calls = _calls(store, frame, None)
        if not calls.is_empty:
            return calls
    return found


def five_signals(store: Store, frame: Frame, clauses: Sequence[Clause]) -> list[Plot]:
    """Latency, accuracy, drift, abuse and fallback of a system, with what its contracts agree on."""
    of = {
        name: [clause for clause in clauses if isinstance(clause, Signal) and clause.signal == name]
        for name in ("latency", "accuracy", "drift", "abuse", "fallback")
    }
    rows = measured.decided(store, frame.span)

    def named(name: str) -> Frame:
        return replace(frame, name=f"signal-{name}")

    return [
        _latency(named("latency"), rows, *of["latency"]),
        accuracy(store, named("accuracy"), ""),
        _scores(named("drift"), rows, (), "Drift is judged on the whole shape of the scores, of which this is a part."),
        _share(named("abuse"), rows, "abuse", of["abuse"]),
        _share(named("fallback"), rows, "fallback", of["fallback"]),
    ]


def nearness(store: Store, frame: Frame, clause: Clause, rows: list[Decided]) -> list[str]:
    """How far what was measured last is from each bound of a clause, in words; nothing where no figure shows that.

    ``rows``: the decisions of the frame, asked for once for all clauses.
    """
    if isinstance(clause, Freshness) and clause.of == "dataset":
        plot = _of_dataset(store, frame, clause)
    elif clause.kind_name in _OF_CALLS | {"representation"} or clause.cohorts() is not None or clause.where is not None:
        return []
    else:
        plot = _of_decisions(frame, clause, clause.kind_name, rows)
    told = []
    for bound in plot.bounds:
        last = plot.last(highest="least" not in bound.name)
        if last is None:
            told.append("nothing was measured in the last day")
            continue
        share = f", {last / bound.value:.0%} of it" if bound.value > 0 else ""
        told.append(
            f"last {measure_text(last, plot.unit, bound.value)}, {bound.name} "
            f"{measure_text(bound.value, plot.unit)}{share}"
        )
    return list(dict.fromkeys(told))


def accuracy(store: Store, frame: Frame, note: str) -> Plot:
    """The Brier score by day, of each version whose outcomes are known."""
    first = datetime.fromtimestamp(frame.since / 1e6, UTC).date()
    days: dict[str, dict[int, float | None]] = {}
    for row in signals.signals(store, first, frame.system):
        if row.outcomes and row.brier is not None:
            at = int(datetime(row.day.year, row.day.month, row.day.day, tzinfo=UTC).timestamp()) * SECOND
            days.setdefault(row.version, {})[at] = row.brier
    lines = [
        Line(f"version {version}", tuple(Point(at, found[at]) for at in sorted(found)))
        for version, found in sorted(days.items())
    ][-3:]
    by_day = replace(frame, since=frame.since - frame.since % DAY, width=DAY)
    return by_day.plot(
        "Accuracy (Brier score by day, 0 is best)",
        "",
        lines,
        (),
        f"{note} Outcomes are counted on their decision's day.",
    )


def _of_decisions(frame: Frame, clause: Clause | None, kind: str, rows: list[Decided]) -> Plot:
    match clause:
        case Signal(signal="latency"):
            return _latency(frame, rows, clause)
        case Signal(signal="abuse" | "fallback" as name):
            return _share(frame, rows, name, [clause])
        case Freshness():
            bounds = [Bound("agreed at most", clause.max_lag / SECOND)]
            if clause.warn_at is not None:
                bounds.append(Bound("warned at", clause.warn_at / SECOND))
            ages = _values(rows, lambda row: row.age_seconds)
            title = "Age of the oldest data that a decision was made on"
            return frame.plot(title, "s", [frame.line("age", ages)], bounds, frame.parts)
        case Range():
            return _scores(frame, rows, _between(clause.min, clause.max), "")
        case HumanReview():
            shares = _values(rows, lambda row: row.review_share)
            note = f"Agreed is a person for each confidence below {clause.below:g}, of which this is no measure."
            return frame.plot(
                "Share of decisions that went to a person", "share", [frame.line("share", shares)], (), note
            )
        case Volume():
            bounds = _between(clause.min, clause.max) if _is_per(clause, frame) else []
            return _traffic(frame, rows, bounds)
        case _ if kind in ("distribution", "calibration", "range") or isinstance(clause, Signal):
            note = "What is agreed is how far scores may move, or be wrong, which has no place on this scale."
            return _scores(frame, rows, (), note)
        case _:
            note = "No figure on record shows what this clause agrees on: these are the decisions of the time."
            return _traffic(frame, rows, (), note)


def _latency(frame: Frame, rows: list[Decided], *agreed: Signal) -> Plot:
    asked = {clause.quantile for clause in agreed} & set(QUANTILES) | {0.5}
    if len(asked) == 1:
        asked |= {0.95}
    lines = [
        frame.line(
            "median" if quantile == 0.5 else f"{quantile:.0%} are quicker",
            {row.at: row.latencies_ms[QUANTILES.index(quantile)] for row in rows},
        )
        for quantile in sorted(asked)
    ]
    bounds = [
        Bound(f"{each.name}, for {clause.quantile:.4g}:", each.value)
        for clause in agreed
        for each in _between(clause.min, clause.max)
    ]
    return frame.plot("Latency", "ms", lines, bounds, frame.parts)


def _share(frame: Frame, rows: list[Decided], name: str, clauses: Sequence[Signal]) -> Plot:
    shares = _values(rows, lambda row: getattr(row, f"{name}_share"))
    bounds = [bound for clause in clauses for bound in _between(clause.min, clause.max)]
    words = {"abuse": "Abuse (share of decisions)", "fallback": "Fallback (share of decisions)"}[name]
    return frame.plot(words, "share", [frame.line("share", shares)], bounds, frame.parts)


def _scores(frame: Frame, rows: list[Decided], bounds: Iterable[Bound], note: str) -> Plot:
    lines = [
        frame.line("highest", _values(rows, lambda row: row.score_most)),
        frame.line("mean", _values(rows, lambda row: row.score_mean)),
        frame.line("lowest", _values(rows, lambda row: row.score_least)),
    ]
    return frame.plot("Scores", "", lines if bounds else lines[1:2], bounds, f"{frame.parts} {note}")


def _traffic(frame: Frame, rows: list[Decided], bounds: Iterable[Bound], note: str = "") -> Plot:
    counts: dict[int, float | None] = {row.at: float(row.events) for row in rows}
    lines = [frame.line("decisions", counts, 0.0)] if counts else []
    return frame.plot("Decisions", "", lines, bounds, f"{frame.parts} {note}")


def _calls(store: Store, frame: Frame, clause: Clause | None) -> Plot:
    rows = called(store, frame.span)
    bounds: list[Bound] = []
    if isinstance(clause, Rate) and isinstance(clause.per, int) and frame.width == clause.per and clause.tool is None:
        bounds = [Bound("agreed at most", float(clause.max))]
    elif isinstance(clause, Volume) and _is_per(clause, frame):
        bounds = _between(clause.min, clause.max)
    lines = [
        frame.line("calls", {row.at: float(row.events) for row in rows}, 0.0),
        frame.line("denied", {row.at: float(row.denied) for row in rows}, 0.0),
    ]
    return frame.plot("Tool calls", "", lines if rows else (), bounds, frame.parts)


def _share_of_cohort(store: Store, frame: Frame, clause: Representation) -> Plot:
    cohort = frame.cohort or next(iter(clause.shares))
    rows = measured.shares(store, frame.span, cohort)
    low, high = clause.shares.get(cohort, (None, None))
    values: dict[int, float | None] = {row.at: row.of_cohort / row.events for row in rows}
    plotted = replace(frame, cohort=cohort)
    return plotted.plot("Share of decisions", "share", [frame.line("share", values)], _between(low, high), frame.parts)


def _of_dataset(store: Store, frame: Frame, clause: Clause) -> Plot:
    # A dataset is heard of seldom: what was the newest when the time began came before it.
    rows = measured.refreshed(store, replace(frame, since=frame.since - LONGEST, width=DAY).span)
    if isinstance(clause, Freshness):
        bounds = [Bound("agreed at most", clause.max_lag / SECOND)]
        if clause.warn_at is not None:
            bounds.append(Bound("warned at", clause.warn_at / SECOND))
        line = Line("age", _ages(rows, frame.since, frame.until))
        return frame.plot("Age of the newest data", "s", [line], bounds, "It falls with each refresh.")
    counts = Line("rows", tuple(Point(row.at, float(row.row_count)) for row in rows if row.at >= frame.since))
    bounds = _between(clause.min, clause.max) if isinstance(clause, Volume) and clause.per is None else []
    note = "Agreed are shares of cohorts, which are not drawn." if isinstance(clause, Representation) else ""
    return frame.plot("Rows of each refresh", "", [counts], bounds, note)


def _ages(rows: Sequence[Refreshed], since: int, until: int) -> tuple[Point, ...]:
    """How old the newest data was, from refresh to refresh: just before each, with it, and at both ends."""
    points: list[Point] = []
    newest: int | None = None
    for row in rows:
        if newest is None or row.data_as_of > newest:
            if row.at >= since and newest is not None:
                if not points:
                    points.append(Point(since, (since - newest) / SECOND))
                points.append(Point(row.at, (row.at - newest) / SECOND))
            newest = row.data_as_of
            if row.at >= since:
                points.append(Point(row.at, (row.at - newest) / SECOND))
    if newest is not None:
        if not points:
            points.append(Point(since, (since - newest) / SECOND))
        points.append(Point(until, (until - newest) / SECOND))
    return tuple(points)


def _between(least: float | None, most: float | None) -> list[Bound]:
    return [
        Bound(name, float(value))
        for name, value in (("agreed at least", least), ("agreed at most", most))
        if value is not None
    ]


def _values(rows: Iterable[Decided], value: Callable[[Decided], float | None]) -> dict[int, float | None]:
    return {row.at: value(row) for row in rows}


def _is_per(clause: Volume, frame: Frame) -> bool:
    return frame.width == (clause.per or HOUR)
