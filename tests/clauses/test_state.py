"""What clauses remember: as much as is said, for as long as is said, the same over restarts and in any batches."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pytest

from seamwatch.clauses import Clause, coverage
from seamwatch.clauses.change_notice import state as change_state
from seamwatch.clauses.rate import looking as rate
from seamwatch.clauses.volume import looking as volume
from seamwatch.columnar.columns import frame_of
from seamwatch.durations import MINUTE, SECOND
from seamwatch.engine.judge import Judge
from seamwatch.engine.settings import JudgeSettings
from seamwatch.engine.unjudged import is_part
from seamwatch.judging.model.facts import ForwardedEvent, Measurement, Notice, Violation, Watermark
from seamwatch.judging.patterns import calls, handovers, runs, unannounced, windows
from seamwatch.testing import named
from streams.measure.plan import Plan
from streams.replay.replay import replay
from tests.clauses.history import at, call, contract, decision, estate_of, found, record_of

AGENT_CLAUSES = {
    "scope": "tools: [{tool: find}]",
    "prohibition": "never: tool = 'refund'",
    "human_review": "below: 0.5",
    "assertion": "on: tool_call, must: confidence > 0.5",
    "precondition": "tool: refund, requires: verify",
    "rate": "per: trace, max: 1",
    "escalation": "when: tool = 'refund', within: 1",
}


def clause(kind: str, says: str) -> str:
    return contract("agent", f"- {{id: held, kind: {kind}, {says}}}")


@dataclass
class Live:
    """A judge that is restarted between any two flushes, and what it told and keeps.

    Not what it keeps of whether a clause has anything to judge, which is one state of a system.
    """

    documents: str
    topic: dict[str, bytes] = field(default_factory=dict)
    latest: dict[str, Violation] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    late: int = 0
    evicted: int = 0

    def __post_init__(self) -> None:
        self.estate = estate_of(self.documents)
        self.plan = Plan(self.estate)

    def flush(self, events: Iterable[Mapping[str, Any]], now: int, watermark: int | None = None) -> None:
        """Judge these events at a time, and then time alone."""
        groups: dict[str, list[Mapping[str, Any]]] = {}
        rare: list[ForwardedEvent] = []
        for name, record in (record_of(event) for event in events):
            if name in ("inference", "tool_call", "outcome"):
                groups.setdefault(name, []).append(record)
            else:
                rare.append(ForwardedEvent(name, dict(record)))
        facts = []
        position = {"__topic": pl.String(), "__partition": pl.Int32(), "__offset": pl.Int64()}
        for name, records in groups.items():
            frame = frame_of(name, records).with_columns(pl.lit(None, dtype).alias(n) for n, dtype in position.items())
            facts += self.plan.facts(name, frame)  # type: ignore[arg-type]
        for clock, told in ((now, tuple(facts)), (now + 3 * SECOND, ())):
            judge = Judge(self.estate, JudgeSettings(lateness=0))
            for key, value in self.topic.items():
                judge.restore(key, value)
            mark = Watermark("calls", 0, 0, clock if watermark is None else watermark, caught_up=True)
            output = judge.on_measurement(Measurement(clock, (mark,), told, tuple(rare) if clock == now else ()))
            self.latest |= {v.violation_id: v for v in output.violations}
            self.notices += output.notices
            self.late += judge.late
            self.evicted += judge.evicted
            for key, kept in judge.take_dirty().items():
                self.topic.pop(key, None) if kept is None else self.topic.update({key: kept})

    @property
    def entries(self) -> dict[str, Any]:
        """The entries kept, by part."""
        return {part: json.loads(value) for part, value in self._kept()}

    @property
    def sizes(self) -> list[int]:
        """How many bytes each of them takes."""
        return [len(value) for _, value in self._kept()]

    def _kept(self) -> Iterator[tuple[str, bytes]]:
        for key, value in self.topic.items():
            if not key.startswith("\x00") and not is_part(part := json.loads(key)[3]):
                yield part, value

    @property
    def held(self) -> dict[str, Any]:
        """Those of them that hold more than the names of episodes that are over."""
        return {part: e for part, e in self.entries.items() if any(e[of] for of in ("state", "episodes", "held"))}

    def told(self) -> list[tuple[Any, ...]]:
        return sorted(_seen(violation) for violation in self.latest.values())


def _seen(v: Violation) -> tuple[Any, ...]:
    return (
        v.opened_at,
        v.violation_id,
        v.slice or "",
        v.state,
        v.resolved_at,
        v.summary,
        [named(e.event_id) for e in v.evidence],
    )


def offending(offset: str, trace: str, number: int, gap: int = SECOND) -> list[dict[str, Any]]:
    return [
        call(
            "1s", "refund", trace, confidence=0.1, event_time=at(offset) + n * gap, event_id=f"{trace}-{offset}-{n:05d}"
        )
        for n in range(number)
    ]


@pytest.mark.parametrize("kind", AGENT_CLAUSES)
def test_a_conversation_is_forgotten_within_two_days_and_restarts_change_nothing(kind: str) -> None:
    documents = clause(kind, AGENT_CLAUSES[kind])
    events = [*offending("1h", "t1", 3), *offending("1h20m", "t2", 3), *offending("1h40m", "t1", 2)]
    live = Live(documents)
    for event in events:
        live.flush([event], event["event_time"] + SECOND)
    assert set(live.entries) == {"t1", "t2"}
    live.flush([], at("2d5h"))
    assert live.held == {}, "all but the names of their episodes"
    assert live.told() == sorted(_seen(v) for v in found(documents, events, now="2d5h"))
    assert {v.state for v in live.latest.values()} == {"resolved"}
    live.flush([], at("31d5h"))
    assert live.entries == {}


@pytest.mark.parametrize("kind", AGENT_CLAUSES)
def test_a_conversation_costs_no_more_the_longer_it_offends(kind: str) -> None:
    sizes = []
    for number in (300, 900):
        live = Live(clause(kind, AGENT_CLAUSES[kind]))
        live.flush(offending("1h", "t1", number), at("1h20m"))
        (size,) = live.sizes
        sizes.append(size)
    assert sizes[1] < sizes[0] + 100
    assert sizes[1] < 5_000


def test_of_what_was_required_the_oldest_by_event_time_makes_room() -> None:
    documents = clause("precondition", "tool: refund, requires: verify, matching: [user]")

    def of(number: int, tool: str, user: int) -> dict[str, Any]:
        arguments = json.dumps({"user": user})
        return call("1s", tool, event_time=at("1h") + number * SECOND, arguments=arguments, event_id=f"{tool}{number}")

    required = [of(number, "verify", number) for number in range(1_001)]
    used = [of(1_100, "refund", 0), of(1_101, "refund", 1), of(1_102, "refund", 1_000)]
    violations = found(documents, [*reversed(required), *used])
    assert [[named(e.event_id) for e in v.evidence] for v in violations] == [["refund1100"]]


def test_while_its_clock_stands_still_a_conversation_holds_so_many_calls_and_counts_who_comes_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calls, "MOST_CALLS", 4)
    live = Live(clause("escalation", "when: tool = 'refund', within: 1"))
    stalled = at()
    for number in range(1, 10):
        event = call(f"{number}m", "find" if number % 3 else "refund", event_id=f"c{number}")
        live.flush([event], at(f"{number}m"), watermark=stalled)
        assert len(live.entries["t1"]["state"]["calls"]["waiting"]) == min(number, 4)
    # Judged before their time, in order: the refund of the third minute was not handed over by the call after it.
    assert [v.opened_at for v in live.latest.values()] == [at("3m")]
    assert live.late == 0
    live.flush([call("2m30s", "find", event_id="late")], at("10m"), watermark=stalled)
    assert live.late == 1


@pytest.mark.parametrize("says", ["range, min: 0, max: 1, quiet: 5m, window: 1m",
                                  "range, min: 0, max: 1, tolerate: 0.5, window: 1m",
                                  "signal, signal: fallback, max: 0.5, window: 1m, min_count: 1",
                                  "volume, of: inference, min: 1, max: 1, per: 1m"])  # fmt: skip
def test_while_its_clock_stands_still_so_many_windows_wait_and_the_oldest_is_judged_as_it_is(
    says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (windows, runs, volume):
        monkeypatch.setattr(module, "MOST_WINDOWS", 3)
    documents = contract("scorer", f"- {{id: held, kind: {says}}}")
    events = [
        decision(f"{minute}m", score=2.0 if minute in (2, 3, 4, 12) else 0.5, fallback=minute in (2, 3, 4, 12),
                 event_id=f"d{minute}{copy}")
        for minute in range(1, 17) for copy in ("ab" if minute in (2, 3, 4, 12) else "a")
    ]  # fmt: skip
    live = Live(documents)
    for event in events:
        live.flush([event], event["event_time"], watermark=at())
        assert all(len(entry["state"]["windows"]["filling"]) <= 3 for entry in live.entries.values())
    assert live.latest
    last = decision("2h", score=0.5, event_id="last")
    live.flush([last], at("2h"), watermark=at())
    live.flush([], at("2d"))
    # What was judged early was judged as a replay judges it: nothing came for it afterwards.
    assert live.told() == sorted(_seen(v) for v in found(documents, [*events, last], now="2d"))
    late = Live(documents)
    for minute in range(1, 9):
        late.flush([decision(f"{minute}m", score=2.0)], at(f"{minute}m"), watermark=at())
    late.flush([decision("1m30s", score=2.0)], at("9m"), watermark=at())
    assert late.late == 1


@pytest.mark.parametrize("bound", ["windows", "events"])
def test_of_a_rate_as_many_windows_wait_as_are_said(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if bound == "windows":
        monkeypatch.setattr(rate, "MOST_WINDOWS", 3)
    else:
        monkeypatch.setattr(rate, "EVENTS_KEPT", 7)
    documents = clause("rate", "per: 1m, max: 1")
    events = [event for minute in range(1, 12) for event in offending(f"{minute}m", f"t{minute}", 1 + minute % 3)]
    live = Live(documents)
    for event in events:
        live.flush([event], event["event_time"], watermark=at())
        state = live.entries[""]["state"]
        assert len(state["tallies"]) <= 3 or sum(len(t["events"]) for t in state["tallies"]) <= 7
    live.flush([call("1m40s", "find", event_id="late")], at("12m"), watermark=at())
    assert live.late == 1
    live.flush([], at("9h"))
    assert live.told() == sorted(_seen(v) for v in found(documents, events, now="9h"))


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_of_all_conversations_those_silent_for_longest_are_waited_for_no_longer(
    batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handovers, "MOST_OWED", 2)
    monkeypatch.setattr(handovers, "MOST_SILENT", 1)
    says = "when: tool = 'refund', within: 9, summary: {every: 1d, to: second@example.org}"
    events = [
        call("1h", "refund", "a"), call("1h1m", "refund", "b"), call("1h2m", "find", "a"),
        # b has been silent for longest, and makes room; a is handed over, b in vain.
        call("1h3m", "refund", "c"),
        call("1h4m", "find", "a", decision="escalated"), call("1h5m", "find", "b", decision="escalated"),
        call("1h6m", "find", "c", decision="escalated"), call("3h", "find", "d"),
    ]  # fmt: skip
    live = Live(clause("escalation", says))
    for begun in range(0, len(events), batch):
        part = [{**event, "event_id": f"e{begun + n}"} for n, event in enumerate(events[begun : begun + batch])]
        live.flush(part, part[-1]["event_time"] + SECOND)
    assert len(live.entries["\x00summary"]["state"]["handovers"]["talks"]) == 1
    live.flush([], at("1d1h"))
    (notice,) = live.notices
    assert ": hand-overs due 3, missed 1, made 3, needlessly 1; " in notice.summary
    assert notice.summary.endswith("; 1 of those missed were waited for no longer")


def test_while_its_clock_stands_still_a_summary_holds_so_many_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handovers, "MOST_WAITING", 5)
    says = "when: tool = 'refund', within: 2, summary: {every: 1d, to: second@example.org}"
    events = [
        call(f"{minute}m", ("refund", "find", "hand")[minute % 3], f"t{minute % 2}", event_id=f"e{minute:02d}",
             decision="escalated" if minute % 3 == 2 else "allowed")
        for minute in range(1, 30)
    ]  # fmt: skip
    stalled, plain = Live(clause("escalation", says)), Live(clause("escalation", says))
    for event in events:
        stalled.flush([event], event["event_time"], watermark=at())
        talks = stalled.entries["\x00summary"]["state"]["handovers"]["talks"]
        assert sum(len(talk["calls"]["waiting"]) for talk in talks) <= 5
    plain.flush(events, at("30m"))
    for live in (stalled, plain):
        live.flush([], at("1d1h"))
    assert [n.summary for n in stalled.notices] == [n.summary for n in plain.notices]


def test_a_cohort_of_which_nothing_comes_is_forgotten_and_its_breach_is_over() -> None:
    documents = contract("scorer", "- {id: held, kind: signal, signal: fallback, max: 0.1, min_count: 1, by: cohort}")
    events = [
        decision("1h", cohort="gone", fallback=True, event_id="a"),
        decision("1h", cohort="fine", event_id="b"),
        decision("40d", cohort="gone", fallback=True, event_id="c"),
    ]
    live = Live(documents)
    live.flush(events[:2], at("1h1m"))
    assert set(live.entries) == {"gone", "fine"}
    live.flush([], at("3d"))
    assert set(live.entries) == {"gone"}
    live.flush([], at("33d"))
    assert live.held == {}
    (over,) = live.latest.values()
    assert (over.state, over.resolved_at) == ("resolved", at("30d2h"))
    assert over.summary == "scorer: nothing came of cohort gone for 30 d; it is judged no longer"
    live.flush(events[2:], at("40d1m"))
    live.flush([], at("41d"))
    assert live.told() == sorted(_seen(v) for v in found(documents, events, now="41d"))
    assert len(live.latest) == 2


def test_of_too_many_conversations_the_one_silent_for_longest_is_evicted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clause, "most_parts", 3)
    documents = clause("scope", AGENT_CLAUSES["scope"])
    whole, single = Live(documents), Live(documents)
    events = [offending(f"{1 + n % 5}m", f"t{n % 5}", 1 + n // 5)[-1] for n in range(10)]
    events.sort(key=lambda event: event["event_time"])
    for event in events:
        single.flush([event], event["event_time"])
        assert len(single.entries) <= 3
    whole.flush(events, events[-1]["event_time"])
    assert set(single.entries) == set(whole.entries) == {"t2", "t3", "t4"}
    assert (single.evicted, single.told()) == (whole.evicted, whole.told()) == (2, single.told())
    assert {v.slice: (v.state, v.resolved_at) for v in single.latest.values() if v.state != "open"} == {
        "t0": ("resolved", at("1m1s")), "t1": ("resolved", at("2m1s"))
    }  # fmt: skip
    (summary,) = {v.summary for v in single.latest.values() if v.state != "open"}
    assert summary == "agent: followed no longer, since too many others of the same clause came after it"


@pytest.mark.parametrize("kind", AGENT_CLAUSES)
def test_conversations_that_are_over_need_no_room(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = clause(kind, AGENT_CLAUSES[kind])
    records = [record_of(e) for n in range(12) for e in offending(f"{1 + 50 * n}h", f"t{n}", 2)]
    estate = estate_of(documents)
    expected = replay(estate, records)
    assert len(expected) == 12
    monkeypatch.setattr(Clause, "most_parts", 2)
    assert replay(estate, records) == expected
    assert replay(estate, records, run_rows=1) == expected


def change(number: int, **fields: Any) -> dict[str, Any]:
    time = at("1h") + number * MINUTE
    return {
        "type": "config_change", "system": "agent", "event_time": time, "event_id": f"c{number}", "summary": "-",
        "change_id": f"C-{number}", "kind": "prompt", "effective_at": time, "announced_by": "example", **fields,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("module", "bound", "says"),
    [
        (change_state, "CLOCKS_KEPT", "change_notice, acknowledgers: [owner@example.org], acknowledge_within: 1m"),
        (coverage, "_CLOCKS_KEPT", "coverage, reviewer: owner@example.org, within: 1m"),
    ],
)
def test_the_clock_of_the_oldest_change_makes_room_and_its_breach_says_so(
    module: Any, bound: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, bound, 3)
    violations = found(contract("agent", f"- {{id: held, kind: {says}}}"), [change(n) for n in range(5)], now="3h")
    assert [(v.slice or "").split("/")[0] for v in violations if v.state == "open"] == ["C-2", "C-3", "C-4"]
    gone = [v for v in violations if v.state == "resolved"]
    assert [v.resolved_at for v in gone] == [at("1h3m"), at("1h4m")]
    assert gone[0].summary == "agent: change C-0 is followed no longer, 3 came after it"


def test_of_unannounced_values_the_one_not_seen_for_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unannounced, "VALUES_KEPT", 2)
    documents = contract("scorer", "- {id: held, kind: change_notice, unannounced: true, quiet: 1d}")
    events = [
        decision(f"{hour}h", version=version, event_id=f"e{hour}")
        for hour, version in ((1, "a"), (2, "b"), (3, "a"), (4, "c"))
    ]
    violations = found(documents, events, now="5h")
    assert {v.slice: v.state for v in violations} == {"a": "open", "b": "resolved", "c": "open"}


def test_bounds_do_not_change_what_is_found_in_a_history(monkeypatch: pytest.MonkeyPatch) -> None:
    text = [clause(kind, says).split("clauses:\n")[1].replace("held", kind) for kind, says in AGENT_CLAUSES.items()]
    text.append("  - {id: busy, kind: rate, per: 5m, max: 3}\n")
    documents = clause("scope", AGENT_CLAUSES["scope"]).split("clauses:\n")[0] + "clauses:\n" + "".join(text)
    events = [
        event for n in range(40)
        for event in offending(f"{1 + n * 17}m", f"t{n % 7}", 1 + n % 9, gap=(n % 5 + 1) * 6 * MINUTE)
    ]  # fmt: skip
    events = [{**event, "event_id": f"e{n}"} for n, event in enumerate(events)]
    estate, records = estate_of(documents), [record_of(event) for event in events]
    expected = replay(estate, records, at("3d"))
    assert {v.kind for v in expected} == set(AGENT_CLAUSES)
    for module in (windows, runs, rate):
        monkeypatch.setattr(module, "MOST_WINDOWS", 1)
    monkeypatch.setattr(calls, "MOST_CALLS", 1)
    assert replay(estate, records, at("3d")) == expected
    assert [_seen(v) for v in replay(estate, records, at("3d"), run_rows=7)] == [_seen(v) for v in expected]
