"""Replay as plainly as it can be written, all in memory: what the replay of long histories must agree with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast, get_args

import polars as pl

from seamwatch.columnar.columns import frame_of
from seamwatch.documents import Estate
from seamwatch.engine.judge import Judge
from seamwatch.engine.settings import JudgeSettings
from seamwatch.judging.model.facts import Fact, ForwardedEvent, Measurement, Violation, Watermark
from seamwatch.judging.model.measure import Source
from streams.measure.dedup import EveryId
from streams.measure.plan import Plan

RUN_ROWS = 50_000
_SETTINGS = JudgeSettings(lateness=0, settle=0, climbs=False, replayed=True)


def plain_replay(
    estate: Estate, records: Iterable[tuple[str, Mapping[str, Any]]], now: int | None = None
) -> list[Violation]:
    """The violations of a history, one an episode in its last state, ordered by opening time and id."""
    records = list(records)
    frames, rare, last = _arranged([*_joined(records)])
    judge, plan = Judge(estate, _SETTINGS), Plan(estate)
    episodes: dict[str, Violation] = {}
    began = min((record["event_time"] for _, record in records), default=None)

    def tell(at: int, facts: Iterable[Fact] = (), events: Iterable[ForwardedEvent] = ()) -> None:
        mark = Watermark("replay", 0, 0, at, caught_up=True)
        measurement = Measurement(at, (mark,), tuple(facts), tuple(events), began)
        for violation in judge.on_measurement(measurement).violations:
            episodes[violation.violation_id] = violation

    for run in _runs(frames, [event.record["event_time"] for event in rare]):
        if isinstance(run, int):
            event = rare[run]
            tell(event.record["event_time"], events=[event])
        else:
            facts = [fact for source, frame in run.items() for fact in plan.facts(source, frame)]
            tell(max(int(frame["event_time"][-1]) for frame in run.values()), facts=facts)
    end = max(last, now) if now is not None and last is not None else (last if last is not None else now)
    if end is not None:
        tell(end)
    episodes |= {violation.violation_id: violation for violation in judge.finish().violations}
    return sorted(episodes.values(), key=lambda v: (v.opened_at, v.violation_id))


def _joined(records: list[tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    # What an outcome lacks, its decision has: of decisions with one id the earliest.
    decisions: dict[tuple[str, str], Mapping[str, Any]] = {}
    once: set[str] = set()
    for record_type, record in sorted(records, key=lambda r: (r[1]["event_time"], r[1]["event_id"])):
        if record_type == "inference" and record["event_id"] not in once:
            once.add(record["event_id"])
            decisions[record["system"], record["event_id"]] = record
    for record_type, record in records:
        decision = decisions.get((record["system"], record.get("inference_id", "")))
        if record_type != "outcome" or decision is None:
            yield record_type, record
            continue
        lacking = {name: decision[name] for name in ("score", "cohort") if record[name] is None}
        yield record_type, {**record, **lacking}


def _arranged(
    records: Iterable[tuple[str, Mapping[str, Any]]],
) -> tuple[dict[Source, pl.DataFrame], list[ForwardedEvent], int | None]:
    by_type: dict[str, list[Mapping[str, Any]]] = {}
    for record_type, record in records:
        by_type.setdefault(record_type, []).append(record)
    last = max((record["event_time"] for group in by_type.values() for record in group), default=None)
    frames: dict[Source, pl.DataFrame] = {}
    rare: list[ForwardedEvent] = []
    for record_type, group in by_type.items():
        if record_type in get_args(Source):
            frame = frame_of(record_type, group).sort("event_time", "event_id", maintain_order=True)
            frames[cast(Source, record_type)] = frame.filter(EveryId().fresh(frame["event_id"]))
        else:
            once = {record["event_id"]: record for record in reversed(group)}
            rare.extend(ForwardedEvent(record_type, dict(record)) for record in once.values())
    rare.sort(key=lambda event: (event.record["event_time"], event.record["event_id"]))
    return frames, rare, last


def _runs(frames: Mapping[Source, pl.DataFrame], cuts: list[int]) -> Iterator[int | dict[Source, pl.DataFrame]]:
    # Runs of rows in time order, and the index of each rare event at its place between them.
    begun = dict.fromkeys(frames, 0)
    for index, cut in [*enumerate(cuts), (None, None)]:
        ends = {
            name: len(frame) if cut is None else int(frame["event_time"].search_sorted(cut, side="left"))
            for name, frame in frames.items()
        }
        yield from _slices(frames, begun, ends)
        begun = ends
        if index is not None:
            yield index


def _slices(
    frames: Mapping[Source, pl.DataFrame], begun: Mapping[Source, int], ends: Mapping[Source, int]
) -> Iterator[dict[Source, pl.DataFrame]]:
    # Record types advance together, so that the clock never runs ahead of one of them.
    at = dict(begun)
    while True:
        left = {name: frames[name] for name in frames if at[name] < ends[name]}
        if not left:
            return
        horizons = [int(f["event_time"][min(at[n] + RUN_ROWS, ends[n]) - 1]) for n, f in left.items()]
        until = min(horizons)
        run: dict[Source, pl.DataFrame] = {}
        for name, frame in left.items():
            stop = min(int(frame["event_time"].search_sorted(until, side="right")), ends[name])
            if stop > at[name]:
                run[name] = frame.slice(at[name], stop - at[name])
                at[name] = stop
        yield run
