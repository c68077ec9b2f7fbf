"""The vectorised plan against a plain loop over events, whatever the batches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamwatch.columnar.columns import frame_of
from seamwatch.documents import Contract, Estate
from seamwatch.documents.estate import BEGINNING, END, Term
from seamwatch.expressions import Expression
from seamwatch.expressions.closure import closure, value_closure
from seamwatch.judging.model.facts import Evidence, Fact, merge_evidence
from seamwatch.judging.model.measure import Histogram, Measure
from seamwatch.judging.model.merging import merge_facts
from streams.measure.counting import Rows
from streams.measure.dedup import EveryId
from streams.measure.groups import coded
from streams.measure.plan import Binding, Bound, Plan
from streams.measure.program import Program
from tests.streams.stages import inference

HOUR = 3_600_000_000
MINUTE = 60_000_000
START = 1_790_000_000_000_000

MEASURES = (
    Measure("inference", Expression.parse("score > 0.7"), HOUR, value=Expression.parse("score")),
    Measure("inference", Expression.parse("score > 0.7"), MINUTE, slice=("cohort",), only_breaches=True),
    Measure(
        "inference",
        None,
        MINUTE,
        select=Expression.parse("confidence IS NOT NULL"),
        value=Expression.parse("score"),
        histogram=Histogram(0.2, 0.8, 3),
        slice=("cohort", "version"),
    ),
    Measure(
        "inference",
        Expression.parse("score > 0.7"),
        HOUR,
        select=Expression.parse("score < 0.8 AND confidence IS NOT NULL"),
        slice=("cohort",),
        left_out=(Expression.parse("score IS NULL"), Expression.parse("score >= 0.8 OR confidence IS NULL")),
    ),
    Measure("inference", None, HOUR, missing=(Expression.parse("score IS NULL"), Expression.parse("TRUE"))),
    Measure(
        "inference", Expression.parse("NOT fallback"), HOUR, select=Expression.parse("cohort = 'a'"), label="version"
    ),
    Measure(
        "inference",
        Expression.parse("score <= 1"),
        MINUTE,
        value=Expression.parse("score"),
        histogram=Histogram(0, 1, 2),
        distinct=True,
    ),
    Measure(
        "inference",
        Expression.parse("TRUE"),
        HOUR,
        only_breaches=True,
        value=Expression.parse("event_time - data_as_of"),
    ),
)

events = st.lists(
    st.fixed_dictionaries(
        {
            "system": st.sampled_from(["one", "two", "three"]),
            "event_time": st.integers(START, START + 2 * HOUR).map(lambda t: t - t % (MINUTE // 2)),
            "score": st.none() | st.sampled_from([0.0, 0.2, 0.5, 0.71, 0.9]),
            "confidence": st.none() | st.just(0.5),
            "cohort": st.none() | st.sampled_from(["a", "b", ""]),
            "version": st.sampled_from(["1", "2"]),
            "fallback": st.booleans(),
            "data_as_of": st.none() | st.just(START),
        }
    ),
    max_size=40,
)


def frame(records: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    blank = {"producer": "p", "environment": "e", "attributes": [], "use_case": "u", "subject": "s"}
    full = [{**dict.fromkeys(_NULLS), **blank, "abuse": False, "human_review": False, **record} for record in records]
    return frame_of("inference", full)


_NULLS = ("trace_id", "parent_id", "config_digest", "decision", "latency_ms", "approval_id", "input_digest")


def expected(number: int, measure: Measure, records: list[dict[str, Any]]) -> dict[tuple[Any, ...], Fact]:
    """What a plain loop counts."""
    facts: dict[tuple[Any, ...], Fact] = {}
    repeated: set[tuple[Any, ...]] = set()
    select = closure(measure.select, "inference") if measure.select else lambda _: True
    breach = closure(measure.breach, "inference") if measure.breach else lambda _: False
    of = value_closure(measure.value, "inference") if measure.value else lambda _: None
    why = [closure(condition, "inference") for condition in measure.left_out]
    missing = [closure(condition, "inference") for condition in measure.missing]
    for record in records:
        offends = breach(record) is True
        left_out = [number for number, holds in enumerate(why) if holds(record) is True][:1]
        if select(record) is not True and not left_out:
            continue
        parts = [record[name] for name in measure.slice]
        part = None if not parts else parts[0] if len(parts) == 1 else "/".join(p or "" for p in parts)
        window = record["event_time"] // measure.window * measure.window
        value = of(record)
        if measure.distinct and value is not None:
            key = (record["system"], part, window, value)
            if key in repeated:
                continue
            repeated.add(key)
        if measure.only_breaches and not offends:
            continue
        evidence = Evidence(
            record["event_time"],
            record["event_id"],
            None,
            None,
            None,
            value,
            record[measure.label] if measure.label else None,
        )
        bins = [0] * (measure.histogram.bins if measure.histogram else 0)
        if measure.histogram and value is not None:
            shape = measure.histogram
            place = math.floor((value - shape.low) * (shape.bins / (shape.high - shape.low)))
            bins[min(max(place, 0), shape.bins - 1)] = 1
        fact = Fact(
            "c",
            "1",
            "d",
            str(number),
            record["system"],
            part,
            window,
            measure.window,
            int(not left_out),
            int(offends and not left_out),
            record["event_time"],
            record["event_time"],
            value,
            value,
            value,
            tuple(bins),
            (evidence,) if offends and not left_out else (),
            missing=tuple(int(n in left_out) for n in range(len(why)) if left_out)
            or tuple(int(holds(record) is True) for holds in missing),
        )
        identity = (number, record["system"], part, window)
        facts[identity] = merge_facts(facts[identity], fact) if identity in facts else fact
    return facts


def measured(batches: Iterable[list[dict[str, Any]]]) -> dict[tuple[Any, ...], Fact]:
    """What the program counts over batches, merged."""
    program, seen = Program("inference", MEASURES), EveryId()
    facts: dict[tuple[Any, ...], Fact] = {}
    for batch in batches:
        if not batch:
            continue
        rows = frame(batch)
        whole = Rows(rows, coded(rows["system"]), rows["event_time"].to_numpy(), lambda _: (None, None, None))
        for found in program.run(whole, seen)[0]:
            number = program.index.index(found.measure)
            fact = Fact(
                "c",
                "1",
                "d",
                str(number),
                found.system,
                found.slice,
                found.window_start,
                MEASURES[number].window,
                **found.numbers,
            )
            identity = (number, found.system, found.slice, found.window_start)
            facts[identity] = merge_facts(facts[identity], fact) if identity in facts else fact
    return facts


@settings(max_examples=60)
@given(events, st.lists(st.integers(0, 40), max_size=4))
def test_facts_are_those_of_a_plain_loop_however_events_are_batched(
    found: list[dict[str, Any]], cuts: list[int]
) -> None:
    records = [inference(number=number, **{"at": None, **_at(event)}) for number, event in enumerate(found)]
    borders = [0, *sorted(cut for cut in cuts if cut < len(records)), len(records)]
    batches = [records[start:end] for start, end in pairwise(borders)]
    wanted = {key: fact for n, measure in enumerate(MEASURES) for key, fact in expected(n, measure, records).items()}
    got = measured(batches)
    assert got.keys() == wanted.keys()
    for key, fact in got.items():
        assert replace(fact, total=None) == replace(wanted[key], total=None)
        assert fact.total == pytest.approx(wanted[key].total)
        assert [e.value for e in fact.evidence] == pytest.approx([e.value for e in wanted[key].evidence])
        assert [e.label for e in fact.evidence] == [e.label for e in wanted[key].evidence]


def _at(event: dict[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in event.items() if name != "event_time"}, "at": event["event_time"]}


def contract(name: str, covers: list[str], clauses: list[dict[str, Any]], version: str = "1") -> Contract:
    parties: dict[str, Any] = {"provider": {}, "consumer": {}}
    return Contract.model_validate(
        {"id": name, "version": version, "seam": "operations", "covers": covers, "parties": parties, "clauses": clauses}
    )


def tight(version: str, high: float) -> Contract:
    return contract("tight", ["one"], [{"id": "r", "kind": "range", "min": 0, "max": high, "unjudged": None}], version)


def test_each_event_is_measured_by_the_version_in_force_at_its_time() -> None:
    change = START + MINUTE
    estate = Estate(
        terms=(Term(tight("1", 0.5), BEGINNING, change), Term(tight("2", 0.8), change, END)),
    )
    records = [
        {**inference("one", 1, START, score=0.6), **_rest()},
        {**inference("one", 2, change, score=0.6), **_rest()},
        {**inference("one", 3, change, score=0.9), **_rest()},
    ]
    facts = Plan(estate).facts("inference", frame(records))
    assert [(f.contract_version, f.breaches, [e.event_id[-1] for e in f.evidence]) for f in facts] == [
        ("1", 1, ["1"]),
        ("2", 1, ["3"]),
    ]


def test_a_system_without_a_contract_is_measured_by_the_defaults() -> None:
    facts = Plan(Estate()).facts("inference", frame([{**inference("stray", 1, START), **_rest()}]))
    assert {(f.contract, f.clause, f.system, f.count, f.breaches) for f in facts} == {
        ("defaults", "approval", "stray", 1, 1),
        ("defaults", "drift", "stray", 1, 0),
        ("defaults", "complete", "stray", 1, 0),
        ("defaults", "abuse", "stray", 1, 0),
        ("defaults", "fallback", "stray", 1, 0),
    }


def test_systems_with_other_measures_do_not_see_each_other() -> None:
    wide = contract("wide", ["two"], [{"id": "r", "kind": "range", "min": 0, "max": 2, "unjudged": None}])
    estate = Estate(terms=(Term(tight("1", 0.5)), Term(wide)))
    records = [{**inference(name, n, START, score=1.5), **_rest()} for n, name in enumerate(["one", "two"])]
    facts = Plan(estate).facts("inference", frame(records))
    assert [(f.contract, f.system, f.breaches, f.evidence[0].value) for f in facts] == [("tight", "one", 1, 1.5)]


def test_evidence_says_where_its_event_lies() -> None:
    positions: dict[str, list[Any]] = {"__topic": ["t", "t"], "__partition": [3, 3], "__offset": [70, 71]}
    rows = frame([{**inference("one", n, START, score=s), **_rest()} for n, s in enumerate([0.4, 0.9])])
    (fact,) = Plan(Estate(terms=(Term(tight("1", 0.5)),))).facts(
        "inference", rows.with_columns(**{name: pl.Series(values) for name, values in positions.items()})
    )
    assert [(e.topic, e.partition, e.offset) for e in fact.evidence] == [("t", 3, 71)]


def test_no_more_than_the_five_earliest_are_evidence_and_ids_settle_ties() -> None:
    records = [{**inference("one", n, START, score=0.9), **_rest()} for n in (9, 3, 7, 1, 5, 8, 2)]
    (fact,) = Plan(Estate(terms=(Term(tight("1", 0.5)),))).facts("inference", frame(records))
    assert fact.breaches == 7
    assert [e.event_id[-1] for e in fact.evidence] == ["1", "2", "3", "5", "7"]
    assert fact.evidence == merge_evidence(fact.evidence)


def test_no_rows_give_no_facts() -> None:
    assert Plan(Estate()).facts("inference", frame([])) == []


def _rest() -> dict[str, Any]:
    return {"confidence": None, "cohort": None, "fallback": False, "data_as_of": None}


# What is kept


def test_systems_and_programs_in_use_are_kept_and_not_those_met_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.measure.plan.SYSTEMS_KEPT", 5)
    monkeypatch.setattr("streams.measure.plan.PROGRAMS_KEPT", 2)
    looked_up: list[str] = []
    made: list[Expression | None] = []
    plans = Plan._plans_of

    def counted_plans(plan: Plan, system: str) -> Any:
        looked_up.append(system)
        return plans(plan, system)

    def counted_program(source: Any, measures: Any, watches: Any, *, varied: bool) -> Program:
        made.append(measures[0].select)
        return Program(source, measures, watches, varied=varied)

    monkeypatch.setattr("streams.measure.plan.Plan._plans_of", counted_plans)
    monkeypatch.setattr("streams.measure.plan.Program", counted_program)
    plan = Plan(Estate())
    for number in range(40):
        plan.meet(["regular", f"passing-{number}"])
        assert plan.of_system("regular") is not None
    assert looked_up.count("regular") == 1
    assert len(plan._systems) == 5

    def bound(measure: Measure) -> Bound:
        return plan._alike.bound("inference", [Binding("c", "1", "0" * 64, "clause", measure)])

    # The words that are compared with make the form: each of these is a program of its own.
    passing = [bound(replace(MEASURES[0], select=Expression.parse(f"cohort = 'c{n}'"))) for n in range(20)]
    regular = bound(MEASURES[1])
    for own in passing:
        plan._alike.program("inference", [regular])
        plan._alike.program("inference", [own])
    assert made.count(MEASURES[1].select) == 1
    assert len(made) == 21
