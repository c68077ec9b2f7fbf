"""What a guard denies is what the stream finds a fault with, and what it lets pass the stream finds none with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from seamwatch.expressions import Expression
from seamwatch.expressions.closure import closure
from seamwatch.guard import Verdict
from seamwatch.guard.specialising import for_tool
from seamwatch.judging.model.facts import Violation
from streams.replay.replay import replay
from tests.expressions import strategies
from tests.guard.scene import Scene

PACT = """
- id: tools
  kind: scope
  tools:
    - {tool: find}
    - {tool: verify}
    - tool: refund
      where: coalesce(arguments.amount, 100) <= 100
- {id: flown, kind: prohibition, never: tool = 'refund' AND arguments.flown > 0}
- {id: lax, kind: prohibition, never: tool = 'refund' AND arguments.flown > 1, unknown: ignore, missing: ignore}
- {id: strict, kind: prohibition, never: "tool = 'find' AND arguments.user <> 7", missing: breach}
- {id: own, kind: prohibition, never: arguments.user <> arguments.payer, where: tool = 'refund'}
- {id: verified, kind: precondition, tool: refund, requires: verify, matching: [user]}
- {id: by-name, kind: precondition, tool: verify, requires: find, where: arguments.user = 1}
- {id: two, kind: rate, max: 2, per: trace, tool: refund}
- {id: some, kind: rate, max: 3, per: trace, where: tool <> 'find' AND arguments.amount > 1}
- {id: hourly, kind: rate, max: 4, per: 1h, tool: refund}
- {id: unsure, kind: human_review, below: 0.5}
"""

ORDER, NEXT = 2512292042121000001, 2512292042121000002
users = st.sampled_from([1, 1.0, "1", 2, 7, None, ORDER, NEXT, float(ORDER), [1], {"id": 1}, True, 10**25])
texts = st.sampled_from(
    [
        "",
        "null",
        "{}",
        "[1]",
        "5",
        '"{}"',
        '{"user": 1',
        '{"user": NaN}',
        '{"amount": 1e999}',
        '{"user": 7, "user": 7}',
        '{"user": 7, "\\u0075ser": 8}',
        '{"user": 7, "note": {"a": 1, "a": 2}}',
        '{"user": "\\ud83e"}',
        '{"user": 7.0, "payer": 7e0, "amount": 1e2, "flown": -0.0}',
        '{"user": 2512292042121000001.0, "payer": 2512292042121000001}',
    ]
)
objects = st.fixed_dictionaries(
    {},
    optional={
        "user": users,
        "payer": users,
        "amount": st.sampled_from([50, 100, 101, "5", [5], None]),
        "flown": st.sampled_from([0, 1, 2, None, "1", 1e30, [1], 0.5]),
    },
)
acts = st.lists(
    st.fixed_dictionaries(
        {
            "tool": st.sampled_from(["find", "verify", "refund", "refund", "sell"]),
            "trace": st.sampled_from(["t1", "t2", "t3", None]),
            "arguments": objects | objects | objects | texts,
            "confidence": st.sampled_from([None, 0.4, 0.5]),
            # Below the half hour after which a conversation's episode is over.
            "after": st.integers(0, 5 * 60_000_000),
        }
    ),
    max_size=30,
)

FINE = {"user": 7, "payer": 7, "amount": 50, "flown": 0}
REFUND = {"tool": "refund", "trace": "t1", "arguments": FINE, "confidence": None, "after": 1}
Place = tuple[str, str | None, str]


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(acts)
@example([{**REFUND, "tool": tool} for tool in ("find", "verify", "refund", "refund", "refund", "refund")])
@example([{**REFUND, "trace": trace} for trace in ("t1", "t2", None, None, "t3")])
@example([{**REFUND, "tool": "sell"}] * 12)
@example([{**REFUND, "tool": "find", "arguments": '{"user": 7, "user": 7}'}] * 3)
@example(
    [{**REFUND, "tool": tool, "arguments": FINE | {"user": u}} for tool, u in (("verify", ORDER), ("refund", NEXT))]
)
def test_what_a_guard_says_is_what_a_replay_of_its_reports_finds(asked: list[dict[str, Any]]) -> None:
    scene = Scene(PACT)
    said: dict[Place, list[str]] = defaultdict(list)
    for act in asked:
        scene.clock.time += act["after"]
        talk = scene.guard.current if act["trace"] is None else scene.guard.conversation(act["trace"])
        verdict = talk.check(act["tool"], act["arguments"], confidence=act["confidence"])
        for place in places(verdict, act["trace"]):
            said[place].append(str(verdict.event_id))
    found: dict[Place, list[str]] = defaultdict(list)
    for violation in sorted(replay(scene.estate, scene.emitter.records), key=lambda v: v.opened_at):
        if violation.kind in KINDS:
            aspect = aspect_of(violation)
            if aspect == "attempts":
                # Of the attempts of one conversation, the tenth.
                tried = said[violation.clause, violation.slice, "attempt"]
                assert (violation.severity, len(tried) >= 10) == ("breach", True)
                continue
            found[violation.clause, violation.slice, aspect] += [str(e.event_id) for e in violation.evidence]
    # Nothing that was permitted is found; of an episode the first five are shown.
    assert {place for place in found if place[2] == "made"} == set()
    assert {place: ids[0] for place, ids in found.items()} == {place: ids[0] for place, ids in said.items()}
    for place, ids in found.items():
        assert set(ids) <= set(said[place])
        assert len(ids) >= min(5, len(said[place]))


def places(verdict: Verdict, trace: str | None) -> Iterator[Place]:
    """Where the stream must find what a verdict says: clause, slice and what is told of it."""
    if verdict.decision == "denied":
        for number, fault in enumerate(verdict.faults):
            # What is wrong with the arguments is no clause's; and a call that was denied needs no person.
            if fault.clause is None or fault.kind == "human_review":
                continue
            # A rate is told of what was denied by it: by the clause that the report names.
            if fault.kind != "rate" or number == 0:
                yield fault.clause, trace, "attempt"
    else:
        for warning in verdict.warnings:
            yield str(warning.clause), trace, "missing"


def aspect_of(violation: Violation) -> str:
    if "are too many" in violation.summary:
        return "attempts"
    if "denied by the guard" in violation.summary:
        return "attempt"
    return "missing" if violation.severity == "warning" else "made"


KINDS = {"scope", "prohibition", "precondition", "rate", "human_review"}


@settings(max_examples=75)
@given(strategies.EVENTS["tool_call"], st.sampled_from(["refund", "approve", ""]), st.data())
def test_a_condition_narrowed_to_a_tool_says_the_same_of_its_calls(
    record: dict[str, Any], tool: str, data: st.DataObject
) -> None:
    condition = Expression.parse(data.draw(st.sampled_from(CONDITIONS)))
    record = {**record, "tool": tool}
    assert closure(for_tool(condition, tool), "tool_call")(record) == closure(condition, "tool_call")(record)


CONDITIONS = [
    "tool = 'refund' AND arguments.a > 1",
    "tool <> 'refund' OR arguments.a IS NULL",
    "NOT (tool IN ('refund', 'approve') AND arguments.a = 'ab')",
    "('refund' = tool) IS TRUE AND confidence < 0.5",
    "(tool = 'approve' AND arguments.b = 1) IS NOT TRUE",
    "tool IS NULL OR decision = 'allowed'",
    "tool NOT IN ('approve') AND (arguments.a = 1 OR tool = '')",
    "tool = resource",
    "starts_with(tool, 're') AND tool = 'refund'",
]
