"""Thousands of contracts that differ by their literals share a pass, and nobody can tell from what it counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamwatch.columnar.columns import frame_of
from seamwatch.documents import Contract, Estate, Person, System
from seamwatch.documents.estate import Term
from seamwatch.documents.loading import DOCUMENT_KINDS
from seamwatch.documents.reading import read_text
from seamwatch.expressions import Expression
from seamwatch.expressions.build import above, all_of, any_of, equals, negate, not_true, outside
from seamwatch.judging.model.facts import Fact, Violation
from seamwatch.judging.model.measure import DECIDED_BY, FAILS, Histogram, Measure, Source, Watch
from seamwatch.judging.model.merging import merge_facts
from streams.measure.counting import Rows, Statistic, Unknowns
from streams.measure.dedup import EveryId
from streams.measure.groups import coded
from streams.measure.likeness import parted
from streams.measure.plan import Plan
from streams.measure.program import Program
from streams.measure.sharing import Share, shared_out
from streams.replay.replay import replay
from tests.streams import every_kind
from tests.streams.measure.test_plan import START, _at, events, expected, frame
from tests.streams.stages import inference

SYSTEMS = ("one", "two", "three")
MINUTE = 60_000_000

numbers = st.sampled_from([-0.5, 0.0, 0.2, 0.5, 0.7, 0.9, 1.0, 2.0])
own = st.fixed_dictionaries(
    {
        "limit": numbers,
        "low": numbers,
        "window": st.sampled_from([MINUTE // 2, MINUTE, 7 * MINUTE, 60 * MINUTE]),
        "ends": st.sampled_from([(0.0, 1.0), (0.2, 0.8), (-1.0, 2.0)]),
        "cohort": st.sampled_from(["a", "b", "", "it's"]),
    }
)


def measures(limit: float, low: float, window: int, ends: tuple[float, float], cohort: str) -> tuple[Measure, ...]:
    """Measures as clauses make them, of somebody's own numbers and texts."""
    score = Expression.parse("score")
    written = Expression.parse(f"score > {abs(limit)} AND NOT (score BETWEEN 0.1 AND {abs(low) + 0.05})")
    return (
        Measure("inference", above("score", limit), window, value=score),
        Measure("inference", any_of(outside("score", low, limit), negate(written)), 7 * MINUTE, slice=("cohort",)),
        Measure(
            "inference", None, window, select=all_of(equals("cohort", cohort), negate(above("score", limit))),
            value=score, histogram=Histogram(*ends, 3), slice=("cohort", "version"),
        ),
        Measure("inference", not_true(written), window, select=equals("cohort", cohort), label="version"),
        Measure("inference", written, 60 * MINUTE, only_breaches=True, name="first"),
        Measure("inference", written, 60 * MINUTE, only_breaches=True, name="second"),
        Measure("inference", above("score", low), window, value=score, histogram=Histogram(*ends, 2), distinct=True),
        Measure(
            "inference", None, window, select=above("score", low), slice=("cohort",),
            missing=(above("confidence", limit), Expression.parse("confidence IS NULL"), above("score", limit)),
        ),
        Measure(
            "inference", None, window, select=above("score", low),
            left_out=(Expression.parse("score IS NULL"), negate(above("score", low))),
        ),
    )  # fmt: skip


def watches(limit: float, tool: str) -> tuple[Watch, ...]:
    """What is watched, with numbers and texts of its own."""
    large = Expression.parse(f"arguments.amount > {abs(limit) + 1}")
    return (
        Watch("tool_call", large),
        Watch("tool_call", any_of(large, negate(above("arguments.fee", limit))), equals("tool", tool)),
        Watch("tool_call", above("arguments.amount", limit), holds="absent"),
    )


calls = st.lists(
    st.tuples(
        st.sampled_from(SYSTEMS), st.sampled_from(["a", "b", None]),
        st.sampled_from(['{"amount":2}', '{"amount":"2"}', '{"amount":0.5,"fee":9}', '{"fee":"9"}', "{}", "[", None]),
    ),
    min_size=1, max_size=20,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(calls, st.tuples(numbers, numbers, numbers), st.sampled_from(["a", "b"]))
def test_what_could_not_be_told_of_systems_that_are_alike_is_that_of_each_alone(
    found: list[tuple[str, str | None, str | None]], limits: tuple[float, ...], tool: str
) -> None:
    theirs = {name: watches(limit, tool) for name, limit in zip(SYSTEMS, limits, strict=True)}
    amount = {
        name: Measure(
            "tool_call", own[0].condition, MINUTE, offends=FAILS, label="tool", evidence=1, select=own[1].select
        )
        for name, own in theirs.items()
    }
    whole = pl.DataFrame(
        [{"event_id": f"{n:036}", "event_time": START + n, "system": system, "tool": called,
          "arguments": arguments} for n, (system, called, arguments) in enumerate(found)],
        schema={"event_id": pl.String, "event_time": pl.Int64, "system": pl.String, "tool": pl.String,
                "arguments": pl.String},
    )  # fmt: skip
    got = _run(whole, amount, theirs, varied=True)
    alone = [_run(part, amount, theirs, varied=False) for part in whole.partition_by("system")]
    assert sorted(got[0], key=repr) == sorted((one for each in alone for one in each[0]), key=repr)
    assert sorted(got[1], key=repr) == sorted((one for each in alone for one in each[1]), key=repr)


def _run(
    whole: pl.DataFrame, measured: Mapping[str, Measure], watched: Mapping[str, tuple[Watch, ...]], *, varied: bool
) -> tuple[list[Statistic], list[Unknowns]]:
    rows = Rows(whole, coded(whole["system"]), whole["event_time"].to_numpy(), lambda _: (None, None, None))
    names = [str(name) for name in rows.systems.names]
    parts = [parted([measured[name]], watched[name]) for name in names]
    assert len({part.alike for part in parts}) == 1
    program = Program("tool_call", [measured[names[0]]], watched[names[0]], varied=varied)
    statistics, unknowns = program.run(rows, EveryId(), program.own(parts) if varied else None)
    return list(statistics), list(unknowns)


def plain(fact: Fact) -> tuple[Any, ...]:
    """A fact that may be compared with another: sums of doubles depend on the order of the rows."""
    return (
        replace(fact, total=None, evidence=()),
        None if fact.total is None else pytest.approx(fact.total),
        [(e.event_id, e.label, None if e.value is None else pytest.approx(e.value)) for e in fact.evidence],
    )


@settings(max_examples=60, deadline=None)
@given(events, st.tuples(own, own, own))
def test_systems_that_are_alike_are_counted_together_as_each_alone(
    found: list[dict[str, Any]], agreed: tuple[dict[str, Any], ...]
) -> None:
    records = [inference(number=number, **{"at": None, **_at(event)}) for number, event in enumerate(found)]
    theirs = {name: measures(**values) for name, values in zip(SYSTEMS, agreed, strict=True)}
    got: dict[tuple[Any, ...], Fact] = {}
    # Measures that are one for some are two for others.
    for alike in {parted(mine).alike for mine in theirs.values()}:
        group = [name for name, mine in theirs.items() if parted(mine).alike == alike]
        whole = frame(record for record in records if record["system"] in group)
        if whole.is_empty():
            continue
        rows = Rows(whole, coded(whole["system"]), whole["event_time"].to_numpy(), lambda _: (None, None, None))
        parts = [parted(theirs[str(name)]) for name in rows.systems.names]
        program = Program("inference", theirs[group[0]], varied=True)
        for statistic in program.run(rows, EveryId(), program.own(parts))[0]:
            for number, index in enumerate(program.index):
                if index == statistic.measure:
                    window = theirs[statistic.system][number].window
                    fact = Fact(
                        "c", "1", "d", str(number), statistic.system, statistic.slice, statistic.window_start, window,
                        **statistic.numbers,
                    )  # fmt: skip
                    key = (number, fact.system, fact.slice, fact.window_start)
                    got[key] = merge_facts(got[key], fact) if key in got else fact
    wanted: dict[tuple[Any, ...], Fact] = {}
    for name in SYSTEMS:
        mine = [record for record in records if record["system"] == name]
        for number, measure in enumerate(theirs[name]):
            wanted |= expected(number, measure, mine)
    assert got.keys() == wanted.keys()
    assert {key: plain(fact) for key, fact in got.items()} == {key: plain(fact) for key, fact in wanted.items()}


# Other numbers for the same clauses, each still one that may be agreed.
CHANGED = (
    (r"max: 0\.02", "max: 0.03"), (r"max: 100,", "max: 90,"), (r"min: 0\.8,", "min: 0.75,"), (r"0\.3\b", "0.35"),
    (r"latency_ms < 500", "latency_ms < 400.5"), (r"score >= 0\.5", "score >= 0.55"), (r"window: 10m", "window: 20m"),
    (r"max: 1\b", "max: 0.9"), (r"max_lag: 26h", "max_lag: 25h"), (r"<= 100", "<= 95"), (r"> 80", "> 70"),
    (r"0\.4, 0\.6", "0.45, 0.55"), (r"per: 10m", "per: 5m"), (r"per: 30m", "per: 15m"), (r"'cash'", "'card'"),
    (r"version: v1\b", "version: v3"), (r"use_case: credit\b", "use_case: collections"), (r"max: 7,", "max: 6,"),
)  # fmt: skip


def copies(start: int) -> list[Estate]:
    """The estate of every kind, and two that differ from it by their literals, each with systems of its own."""
    text = every_kind.documents(start)
    made = []
    for number in range(3):
        mine = re.sub(r"\b(model|claims|agent|silent-feed|silent-contract)\b(?!-to)(?!s)", rf"\1-{number}", text)
        mine = mine.replace(f"type: model-{number}", "type: model").replace(f"type: agent-{number}", "type: agent")
        mine = mine.replace(f"seam: agent-{number}-pact", "seam: agent-pact").replace(
            f"-to-model-{number}", "-to-model"
        )
        mine = mine.replace(f"seam: model-{number}-to", "seam: model-to")
        for old, new in CHANGED[number - 1 :: 2] if number else ():
            mine = re.sub(old, new, mine)
        found, problems = read_text(mine, "x")
        assert problems == []
        made.append(estate_of([written.content for written in found]))
    return made


def estate_of(documents: Iterable[Mapping[str, Any]]) -> Estate:
    read = [DOCUMENT_KINDS[d["kind"]].model_validate(d) for d in documents]
    return Estate(
        {d.id: d for d in read if isinstance(d, Person)},
        {d.id: d for d in read if isinstance(d, System)},
        tuple(Term(d) for d in read if isinstance(d, Contract)),
    )


def together(estates: list[Estate]) -> Estate:
    systems = {name: system for estate in estates for name, system in estate.systems.items()}
    return Estate(estates[0].persons, systems, tuple(term for estate in estates for term in estate.terms))


def events_of(number: int) -> list[tuple[str, dict[str, Any]]]:
    found = every_kind.history(START)
    return [
        (kind, {**record, "system": f"{record['system']}-{number}", "event_id": f"{number}{record['event_id'][1:]}"})
        for kind, record in found
    ]


def test_clauses_of_every_kind_are_measured_together_as_each_estate_alone() -> None:
    estates = copies(START)
    records = [events_of(number) for number in range(3)]
    for source in get_args(Source):
        frames = [frame_of(source, [r for kind, r in those if kind == source]) for those in records]
        alone = [fact for estate, rows in zip(estates, frames, strict=True) for fact in facts_of(estate, source, rows)]
        mixed = pl.concat(frames).sort("event_time", "event_id")
        assert by_place(facts_of(together(estates), source, mixed)) == by_place(alone)
    plan = Plan(together(estates))
    plan.meet(f"{name}-{number}" for name in ("model", "agent") for number in range(3))
    alike = [{plan.of_system(f"model-{n}")[0].bound["inference"].alike for n in range(3)}]
    alike += [{plan.of_system(f"model-{n}")[0].bound["outcome"].alike for n in range(3)}]
    alike += [{plan.of_system(f"agent-{n}")[0].bound["tool_call"].alike for n in range(3)}]
    # A text that an author wrote into a condition may be a time, and stays where it is: one agent is apart.
    assert [len(those) for those in alike] == [1, 1, 2]


def facts_of(estate: Estate, source: Source, rows: pl.DataFrame) -> list[Fact]:
    if source == "outcome":
        rows = rows.with_columns(pl.lit("v1").alias(DECIDED_BY))
    return Plan(estate).facts(source, rows)


def by_place(facts: list[Fact]) -> list[tuple[Any, ...]]:
    key = lambda f: (f.contract, f.clause, f.measure, f.system, f.slice or "", f.window_start, f.first_time)  # noqa: E731
    return [plain(fact) for fact in sorted(facts, key=key)]


def test_a_replay_of_all_finds_what_a_replay_of_each_finds() -> None:
    estates = copies(START)
    records = [events_of(number) for number in range(3)]
    alone = [told(v) for estate, those in zip(estates, records, strict=True) for v in replay(estate, those)]
    assert alone
    mixed = [event for those in records for event in those]
    assert sorted(told(v) for v in replay(together(estates), mixed)) == sorted(alone)


def told(violation: Violation) -> str:
    return repr(replace(violation, contract_digest=""))


def test_contracts_that_differ_by_literals_share_one_program() -> None:
    def contract(number: int) -> Contract:
        clauses = [
            {"id": "r", "kind": "range", "min": number / 1000, "max": 1},
            {"id": "t", "kind": "threshold", "decision": f"d{number}", "when": f"score >= 0.{number + 1}"},
            {"id": "s", "kind": "signal", "signal": "latency", "max": 10 + number, "window": f"{1 + number % 7}m"},
            {"id": "f", "kind": "freshness", "of": "inference", "max_lag": f"{number + 1}h"},
        ]
        parties: dict[str, Any] = {"provider": {}, "consumer": {}}
        return Contract.model_validate(
            {"id": f"c{number}", "version": "1", "seam": "operations", "covers": [f"s{number}"], "parties": parties,
             "clauses": clauses}
        )  # fmt: skip

    estate = Estate(terms=tuple(Term(contract(number)) for number in range(300)))
    rest = {"confidence": None, "cohort": None, "fallback": False, "data_as_of": None, "latency_ms": 5.0}
    records = [{**inference(f"s{n % 300}", n, START + n, score=0.5), **rest} for n in range(900)]
    plan = Plan(estate)
    facts = plan.facts("inference", frame(records))
    assert {fact.system for fact in facts} == {f"s{number}" for number in range(300)}
    assert len(plan._alike._programs) == 1
    # One that comes alone is measured by the same program.
    assert plan.facts("inference", frame(records[:1]))
    assert len(plan._alike._programs) == 1


def test_a_plan_whose_documents_change_measures_as_one_that_is_made_of_them() -> None:
    def estate(*highs: float, owner: str = "a@example.org", versions: tuple[str, ...] = ()) -> Estate:
        contracts = [
            {"id": f"c{number}", "version": "1", "seam": "operations", "covers": [f"s{number}"],
             "parties": {"provider": {}, "consumer": {}},
             "clauses": [{"id": "r", "kind": "range", "min": 0, "max": high}, {"id": "a", "kind": "approval"}]}
            for number, high in enumerate(highs)
        ]  # fmt: skip
        declared = [
            {"version": version, "approvals": [{"id": "A", "use_case": "u", "approved_by": "b@example.org"}]}
            for version in versions
        ]
        system = {"kind": "System", "id": "s0", "type": "model", "owner": owner, "versions": declared}
        return Estate(
            {}, {"s0": System.model_validate(system)}, tuple(Term(Contract.model_validate(c)) for c in contracts)
        )

    rest = {"confidence": None, "cohort": None, "fallback": False, "data_as_of": None}
    records = [{**inference(f"s{n % 4}", n, START + n, score=n / 10), **rest} for n in range(40)]
    first = estate(1, 2, 3)
    plan = Plan(first)
    for changed in (
        first,
        Estate(first.persons, first.systems, (*first.terms[:1], *estate(1, 0.5, 3).terms[1:])),
        Estate(first.persons, estate(1, versions=("1",)).systems, first.terms),
        Estate(first.persons, {}, first.terms[1:]),
        estate(3, 2, 1, 0.3),
        Estate(),
        first,
    ):
        plan.replace_estate(changed)
        fresh = Plan(changed)
        assert by_place(plan.facts("inference", frame(records))) == by_place(fresh.facts("inference", frame(records)))
        assert plan.columns("inference") == fresh.columns("inference")


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.data())
def test_every_row_is_in_the_shares_of_its_system_that_have_its_time(codes: list[int], data: st.DataObject) -> None:
    names = [f"s{code}" for code in codes]
    whole = pl.DataFrame({"event_id": [str(n) for n in range(len(codes))], "system": names})
    times = data.draw(st.lists(st.integers(0, 9), min_size=len(codes), max_size=len(codes)))
    rows = Rows(whole, coded(whole["system"]), pl.Series(times).to_numpy(), lambda row: (None, None, row))
    known = range(len(rows.systems.names))
    shares = [
        Share(start, start + data.draw(st.integers(1, 10)), members)
        for start in data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=4))
        if (members := data.draw(st.lists(st.sampled_from(known), min_size=1, unique=True)))
    ]
    for share, part in zip(shares, shared_out(rows, shares), strict=True):
        named = [rows.systems.names[code] for code in share.codes]
        wanted = [row for row, name in enumerate(names) if name in named and share.start <= times[row] < share.end]
        assert part.frame["event_id"].to_list() == [str(row) for row in wanted]
        assert part.systems.names == tuple(named)
        assert [part.systems.names[code] for code in part.systems.codes] == [names[row] for row in wanted]
        assert part.position is not None
        assert [part.position(row)[2] for row in range(len(wanted))] == wanted
