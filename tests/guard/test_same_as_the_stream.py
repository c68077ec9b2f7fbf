"""What a guard denies is what the stream finds a fault with, and what it lets pass the stream finds none with."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from seamwatch.expressions import Expression
from seamwatch.expressions.closure import closure
from seamwatch.guard.specialising import for_tool
from streams.replay import replay
from tests.expressions import strategies
from tests.guard.scene import Scene

PACT = """
- id: tools
  kind: scope
  tools:
    - {tool: find}
    - {tool: verify}
    - tool: refund
      where: arguments.amount <= 100
- {id: flown, kind: prohibition, never: tool = 'refund' AND arguments.flown > 0}
- {id: verified, kind: precondition, tool: refund, requires: verify, matching: [user]}
- {id: by-name, kind: precondition, tool: verify, requires: find, where: arguments.user = 1}
- {id: two, kind: rate, max: 2, per: trace, tool: refund}
- {id: some, kind: rate, max: 3, per: trace, where: tool <> 'find'}
- {id: hourly, kind: rate, max: 4, per: 1h, tool: refund}
- {id: unsure, kind: human_review, below: 0.5}
"""

acts = st.lists(
    st.fixed_dictionaries(
        {
            "tool": st.sampled_from(["find", "verify", "refund", "refund", "sell"]),
            "trace": st.sampled_from(["t1", "t2", "t3", None]),
            "arguments": st.fixed_dictionaries(
                {},
                optional={
                    "user": st.sampled_from([1, 1.0, "1", 2, None]),
                    "amount": st.sampled_from([50, 100, 101, "5"]),
                    "flown": st.sampled_from([0, 1, None]),
                },
            ),
            "confidence": st.sampled_from([None, 0.4, 0.5]),
            # Below the half hour after which a conversation's episode is over.
            "after": st.integers(0, 5 * 60_000_000),
        }
    ),
    max_size=25,
)

REFUND = {"tool": "refund", "trace": "t1", "arguments": {"user": 1, "amount": 50}, "confidence": None, "after": 1}


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(acts)
@example([{**REFUND, "tool": tool} for tool in ("find", "verify", "refund", "refund", "refund", "refund")])
@example([{**REFUND, "trace": trace} for trace in ("t1", "t2", None, None, "t3")])
def test_a_guard_denies_what_a_replay_of_its_reports_finds(asked: list[dict[str, Any]]) -> None:
    scene = Scene(PACT)
    faults: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    for act in asked:
        scene.clock.time += act["after"]
        talk = scene.guard.current if act["trace"] is None else scene.guard.conversation(act["trace"])
        verdict = talk.check(act["tool"], act["arguments"], confidence=act["confidence"])
        for fault in verdict.faults:
            # A call that went to a person, or was denied, is what human review wants.
            # Outside any conversation there is nothing to count in: the guard denies, the stream counts no such call.
            uncounted = fault.clause in {"two", "some"} and act["trace"] is None
            if fault.kind != "human_review" and not uncounted:
                part = None if fault.clause == "hourly" else act["trace"]
                faults[str(fault.clause), part].append(str(verdict.event_id))
    found = replay(scene.estate, scene.emitter.records)
    shown: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    for violation in sorted(found, key=lambda v: v.opened_at):
        if violation.clause in {clause for clause, _ in faults} or violation.kind in KINDS:
            shown[violation.clause, violation.slice] += [str(e.event_id) for e in violation.evidence]
    # Of an episode the first five are shown, and outside a conversation one can follow another.
    assert {place: ids[0] for place, ids in shown.items()} == {place: ids[0] for place, ids in faults.items()}
    for place, ids in shown.items():
        assert set(ids) <= set(faults[place])
        assert len(ids) >= min(5, len(faults[place])) or place[0] == "hourly"


KINDS = {"scope", "prohibition", "precondition", "rate", "human_review"}


@settings(max_examples=150)
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
