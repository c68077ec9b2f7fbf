"""Replay: judge a history offline, by the same measuring code and the same judges, with no broker.

The history is put in event-time order (`streams.replay.history`); measured in runs between its rare events (a change,
an acknowledgement, a refresh), so that each is judged after what came before it; and its end advances the clock to the
last event time, or to a later one that is asked for. Nobody is paged, so nothing climbs an escalation list.

An outcome that does not carry what is measured of it takes it from its decision, wherever that stands in the history.

While a run is judged, the next is read and measured on a thread of its own.

What is held in memory: two runs, the judges' own state, the episodes that are still open, the rare events, and some
outcomes with their decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import polars as pl

from seamwatch.collector import unhurried_collector
from seamwatch.columnar.columns import frame_of
from seamwatch.documents import Estate
from seamwatch.engine.judge import Judge
from seamwatch.engine.settings import JudgeSettings
from seamwatch.judging.model.facts import Fact, ForwardedEvent, Measurement, Unknown, Verdict, Violation, Watermark
from seamwatch.judging.model.measure import Source
from streams.measure.plan import Plan
from streams.replay.chunk import Chunk
from streams.replay.history.ahead import ahead
from streams.replay.history.episodes import Episodes
from streams.replay.history.gathering import History, Limits
from streams.replay.history.joining import joined

RUN_ROWS = 50_000
RECORDS_AT_ONCE = 20_000
_SETTINGS = JudgeSettings(lateness=0, settle=0, climbs=False, replayed=True)


def replay(
    estate: Estate,
    records: Iterable[tuple[str, Mapping[str, Any]]],
    now: int | None = None,
    *,
    limits: Limits | None = None,
    run_rows: int = RUN_ROWS,
) -> list[Violation]:
    """The violations of a history, one an episode in its last state, ordered by opening time and id.

    ``records`` are (record type, record) pairs in any order; ``now`` (micros) is where the clock ends when that is
    after the last event.
    """
    with History([Plan(estate)], limits) as history:
        for record_type, frame in chunks_of(records):
            history.add(record_type, frame)
        return list(judged(estate, history, now, run_rows=run_rows))


def judged(
    estate: Estate,
    history: History,
    now: int | None = None,
    *,
    run_rows: int = RUN_ROWS,
    progress: Callable[[int], None] | None = None,
    hear: Callable[[Verdict], None] = lambda _verdict: None,
    unknown: Callable[[Sequence[Unknown]], None] = lambda _unknowns: None,
) -> Iterator[Violation]:
    """The violations of a history that was gathered for a plan of this estate, as `replay` gives them.

    ``progress`` is told after each run how many measured events have been judged, ``unknown`` what could not be told of
    them; ``hear`` what was made of each acknowledgement, in order: of several about one, one that counts holds, else
    the last.
    """
    judge, done = Judge(estate, _SETTINGS), 0
    began: int | None = None
    with Episodes() as episodes, unhurried_collector():

        def tell(at: int, facts: Iterable[Fact] = (), events: Iterable[ForwardedEvent] = ()) -> None:
            mark = Watermark("replay", 0, 0, at, caught_up=True)
            judgement = judge.on_measurement(Measurement(at, (mark,), tuple(facts), tuple(events), began))
            episodes.add(judgement.violations)
            for verdict in judgement.verdicts:
                hear(verdict)

        for batch in ahead(_batches(history, _plan_of(history, estate), run_rows)):
            began = batch.first if began is None else began
            tell(batch.last, batch.facts, batch.events)
            done += batch.rows
            if progress is not None and batch.rows:
                progress(done)
            if batch.unknowns:
                unknown(batch.unknowns)
        last = history.last
        end = max(last, now) if now is not None and last is not None else (last if last is not None else now)
        if end is not None:
            tell(end)
        episodes.add(judge.finish().violations)
        yield from episodes.in_order()


def _plan_of(history: History, estate: Estate) -> Plan:
    # What is measured of each system was found when the history was gathered.
    gathered_for = (plan for plan in history.plans if isinstance(plan, Plan) and plan.estate is estate)
    plan = next((plan.again() for plan in gathered_for), None) or Plan(estate)
    plan.hold(history.named_by("suspension"))
    return plan


def chunks_of(records: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Chunk]:
    """Single records as chunks; of each type in the order in which they came."""
    waiting: dict[str, list[Mapping[str, Any]]] = {}
    for record_type, record in records:
        group = waiting.setdefault(record_type, [])
        group.append(record)
        if len(group) == RECORDS_AT_ONCE:
            yield record_type, frame_of(record_type, group)
            group.clear()
    for record_type, group in waiting.items():
        if group:
            yield record_type, frame_of(record_type, group)


@dataclass(frozen=True, slots=True)
class ReplayBatch:
    """The rare events of one time, or what was measured of a run of so many rows; its first and last event times."""

    first: int
    last: int
    events: Sequence[ForwardedEvent] = ()
    facts: Sequence[Fact] = ()
    rows: int = 0
    unknowns: Sequence[Unknown] = ()


def _batches(history: History, plan: Plan, run_rows: int) -> Iterator[ReplayBatch]:
    # Each rare event stands before the rows of its own time.
    blocks = history.blocks()
    if "outcome" in blocks:
        blocks["outcome"] = joined(
            blocks["outcome"],
            plan.unjoined,
            history.decisions,
            history.scratch(),
            rows_in_memory=history.limits.rows_in_memory,
            block_rows=history.limits.block_rows,
        )
    feeds = {source: _Feed(rows, run_rows) for source, rows in blocks.items()}
    # Those of one time go together, or a clock would run out between them that one of them stops.
    for time, events in groupby(history.rare(), key=lambda event: int(event.record["event_time"])):
        yield from (_measured(plan, run) for run in _runs(feeds, time))
        yield ReplayBatch(time, time, events=list(events))
    yield from (_measured(plan, run) for run in _runs(feeds, None))


def _measured(plan: Plan, run: Mapping[Source, pl.DataFrame]) -> ReplayBatch:
    return ReplayBatch(
        min(int(frame["event_time"][0]) for frame in run.values()),
        max(int(frame["event_time"][-1]) for frame in run.values()),
        facts=[fact for source, frame in run.items() for fact in plan.facts(source, frame)],
        rows=sum(frame.height for frame in run.values()),
        unknowns=plan.take_unknown(),
    )


def _runs(feeds: Mapping[Source, _Feed], cut: int | None) -> Iterator[dict[Source, pl.DataFrame]]:
    # Record types advance together, so that the clock never runs ahead of one of them.
    while horizons := [at for feed in feeds.values() if (at := feed.horizon(cut)) is not None]:
        until = min(horizons)
        taken = {source: feed.take(until) for source, feed in feeds.items()}
        yield {source: frame for source, frame in taken.items() if not frame.is_empty()}


class _Feed:
    """The rows of one record type, ``rows`` at a time."""

    def __init__(self, blocks: Iterator[pl.DataFrame], rows: int) -> None:
        self._blocks = blocks
        self._rows = rows
        self._read = pl.DataFrame(schema={"event_time": pl.Int64()})

    def horizon(self, cut: int | None) -> int | None:
        """The event time up to which a run of these rows alone would go; None when none is before ``cut``."""
        while self._read.height < self._rows and (block := next(self._blocks, None)) is not None:
            if not block.is_empty():
                both = [frame for frame in (self._read, block) if not frame.is_empty()]
                self._read = pl.concat(both, how="diagonal", rechunk=True)
        times = self._read["event_time"]
        end = len(times) if cut is None else int(times.search_sorted(cut, side="left"))
        return int(times[min(self._rows, end) - 1]) if end else None

    def take(self, until: int) -> pl.DataFrame:
        """The rows up to an event time."""
        end = int(self._read["event_time"].search_sorted(until, side="right"))
        taken, self._read = self._read.slice(0, end), self._read.slice(end)
        return taken
