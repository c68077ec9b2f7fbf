"""What is suspended does nothing: traffic that goes on is a breach, whoever suspended it, until it is resumed."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.columnar.columns import frame_of
from seamwatch.documents import Estate
from seamwatch.durations import MINUTE, SECOND, parse_duration
from seamwatch.engine.settings import JudgeSettings
from seamwatch.judging.model.facts import Verdict
from seamwatch.signatures import sign, suspension_bytes
from seamwatch.testing import event_id
from streams.measure.plan import Plan
from streams.replay.history.gathering import ARRIVED, History
from streams.replay.replay import chunks_of, judged, replay
from streams.testing import Load, Stream, loaded
from tests.clauses.history import T0, at, call, contract, decision, estate_of, found, record_of

SYSTEM = """
apiVersion: seamwatch/v1
kind: System
id: agent
type: agent
owner: owner@example.org
"""
NEVER = "- {id: never, kind: prohibition, never: \"tool = 'pay'\", on_breach: suspend}"
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNED_BY = f"""
apiVersion: seamwatch/v1
kind: Person
id: signer@example.org
name: Signer
keys: [{{key_id: k1, public: "{b64encode(SIGNER.public_key().public_bytes_raw()).decode()}"}}]
---
apiVersion: seamwatch/v1
kind: System
id: agent
type: agent
owner: signer@example.org
---
apiVersion: seamwatch/v1
kind: System
id: other
type: agent
owner: signer@example.org
"""


def said(offset: str, state: str = "suspended", **more: Any) -> dict[str, Any]:
    """What a person says of `agent` so long after T0."""
    return {
        "type": "suspension", "event_time": at(offset), "system": "agent", "state": state,
        "person": "owner@example.org", "reason": "it refunds twice", **more,
    }  # fmt: skip


def told(
    events: list[dict[str, Any]], *documents: str, now: str | None = None
) -> list[tuple[str | None, str, int, str]]:
    """Slice, state, offset of opening in seconds, and sentence of each breach of what is suspended."""
    violations = found("---".join(documents or (SYSTEM,)), events, now)
    return [(v.slice, v.state, (v.opened_at - T0) // SECOND, v.summary) for v in violations if v.kind == "suspension"]


def verdicts(events: list[dict[str, Any]], *documents: str) -> list[tuple[bool, str]]:
    """What was made of each suspension and resumption."""
    estate, heard = estate_of(*(documents or (SYSTEM,))), list[Verdict]()
    with History([Plan(estate)]) as history:
        for record_type, frame in chunks_of(record_of(event) for event in events):
            history.add(record_type, frame)
        list(judged(estate, history, hear=heard.append))
    return [(v.counted, v.reason) for v in heard if v.of == "suspension"]


def test_traffic_that_goes_on_is_a_breach_until_it_is_resumed() -> None:
    events = [call("1h", "refund"), said("1h1m"), call("1h5m", "refund"), said("1h30m", "resumed", reason="mended"),
              call("1h31m", "refund")]  # fmt: skip
    (episode,) = told(events)
    assert episode == (
        None, "resolved", 3_900,
        "agent was resumed by owner@example.org at 2026-03-02 01:30:00 UTC: “mended”",
    )  # fmt: skip
    (still,) = told(events[:3])
    assert still[3] == (
        "agent goes on, at 2026-03-02 01:05:00 UTC, although it is suspended since 2026-03-02 01:01:00 UTC by "
        "owner@example.org: “it refunds twice”"
    )


def test_what_is_under_way_denied_or_over_is_none() -> None:
    assert told([said("1h"), call("1h900ms", "refund"), call("1h5m", "refund", decision="denied")], now="2h") == []
    assert told([said("1h", until=at("2h")), call("2h1m", "refund")]) == []
    assert told([call("1h", "refund"), said("1h1m"), said("1h2m", "resumed"), call("1h3m", "refund")]) == []


def test_decisions_are_traffic_too() -> None:
    assert len(told([said("1h"), decision("1h1m", system="agent")])) == 1


@pytest.mark.parametrize(
    ("target", "going_on"), [({"version": "v2"}, ["v2"]), ({"tool": "pay"}, ["pay"]), ({}, [None])]
)
def test_a_version_or_a_tool_alone_can_be_suspended(target: dict[str, str], going_on: list[str | None]) -> None:
    calls = [call(f"1h{n}m", tool, version=version) for n, (tool, version) in enumerate(
        [("refund", "v1"), ("pay", "v1"), ("refund", "v2")], 5)]  # fmt: skip
    assert [part for part, *_ in told([said("1h", **target), *calls])] == going_on
    assert told([said("1h", **target), *(c for c in calls if c["version"] == "v1" and c["tool"] != "pay")]) == [] or (
        target == {}
    )


def test_it_is_over_when_nothing_comes_for_long_and_then_there_is_another() -> None:
    events = [said("1h"), call("1h5m", "refund"), call("9h", "refund"), call("50h", "refund")]
    assert [(state, opened) for _, state, opened, _ in told(events)] == [("resolved", 3_900), ("open", 180_000)]


def test_who_has_no_authority_suspends_nothing() -> None:
    other = [said("1h", person="second@example.org"), call("1h5m", "refund")]
    assert (told(other), verdicts(other)) == ([], [(False, "no_authority")])
    may = SYSTEM + "authority: {suspend: [second@example.org]}\n"
    assert (len(told(other, may)), verdicts(other, may)) == (1, [(True, "counts")])
    # Who may suspend may not resume by that.
    resumed = [*other, said("1h6m", "resumed", person="second@example.org")]
    assert verdicts(resumed, may) == [(True, "counts"), (False, "no_authority")]
    assert verdicts([said("1h")], "") == [(False, "no_authority")]  # which nobody declares


def test_a_claimed_contract_is_not_the_judges_word() -> None:
    assert verdicts([said("1h", contract="pact@1#never")]) == [(False, "no_authority")]


def test_what_changes_nothing_says_so() -> None:
    assert verdicts([said("1h", "resumed")]) == [(False, "not_suspended")]
    assert verdicts([said("1h", version="v1", tool="refund")]) == [(False, "no_target")]
    assert verdicts([said("1h", until=at("30m"))]) == [(False, "no_target")]
    assert verdicts([said("1h", tool="refund"), said("2h", "resumed")]) == [(True, "counts"), (False, "not_suspended")]


def signed(event: dict[str, Any]) -> dict[str, Any]:
    """The event with the signer's signature."""
    _, record = record_of(event)
    return {**event, "key_id": "k1", "signature": b64encode(sign(suspension_bytes(record), bytes(range(32)))).decode()}


def test_forged_suspensions_count_for_nothing() -> None:
    mine = said("1h", person="signer@example.org")
    good = signed(mine)
    for forged, reason in (
        (mine, "unsigned"),
        ({**good, "reason": "another"}, "wrong_signature"),
        ({**signed({**mine, "system": "other"}), "system": "agent"}, "wrong_signature"),
        ({**good, "tool": "refund"}, "wrong_signature"),
        ({**good, "state": "resumed"}, "wrong_signature"),
        ({**good, "event_time": at("2h")}, "wrong_signature"),
        ({**good, "key_id": "k2"}, "unknown_key"),
        ({**good, "person": "owner@example.org"}, "no_authority"),
    ):
        events = [forged, call("3h", "refund")]
        assert (verdicts(events, SIGNED_BY), told(events, SIGNED_BY)) == ([(False, reason)], []), reason
    assert verdicts([good], SIGNED_BY) == [(True, "counts")]


def test_what_was_signed_once_serves_no_second_time() -> None:
    stream = Stream(estate_of(SIGNED_BY), now=at("3h"))
    for when, state in (("2h58m", "suspended"), ("2h59m", "resumed"), ("2h58m", "suspended")):
        event = signed(said(when, state, person="signer@example.org"))
        stream.put("suspension", record_of({**event, "event_id": f"{len(stream.verdicts)}"})[1])
        stream.advance(SECOND)
    assert [(v.counted, v.reason) for v in stream.verdicts] == [
        (True, "counts"), (True, "counts"), (False, "superseded"),
    ]  # fmt: skip
    assert [each.state for each in stream.suspended] == ["suspended", "resumed"]


def test_a_contract_suspends_and_a_person_resumes() -> None:
    documents = (SYSTEM, contract("agent", NEVER))
    events = [call("1h", "refund"), call("1h10m", "pay"), call("1h10m30s", "refund"), call("1h20m", "refund", "t2"),
              said("2h", "resumed"), call("2h5m", "refund", "t3")]  # fmt: skip
    (episode,) = told(events[:4], *documents)
    assert episode[:3] == (None, "open", 4_800)
    assert "suspended since 2026-03-02 01:10:00 UTC by contract example@1#never: “agent did what" in episode[3]
    assert [state for _, state, *_ in told(events, *documents)] == ["resolved"]
    assert verdicts(events, *documents) == [(True, "counts")]


def test_a_contract_suspends_for_breaches_alone_and_only_where_it_was_agreed() -> None:
    events = [call("1h", "pay"), call("1h20m", "refund", "t2")]
    assert told(events, SYSTEM, contract("agent", NEVER.replace(", on_breach: suspend", ""))) == []
    assert told(events, SYSTEM, contract("agent", NEVER.replace("}", ", severity: warning}"))) == []


# Live


def estate(*documents: str) -> Estate:
    return estate_of(*(documents or (SYSTEM,)))


def at_now(stream: Stream, event: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return record_of({**event, "event_time": stream.now})


def test_the_conclusion_comes_within_a_second_and_the_breach_with_the_first_call() -> None:
    stream = Stream(estate(), now=T0)
    for _ in range(10):
        stream.put(*at_now(stream, call("", "refund")))
        stream.advance(SECOND)
    stream.put(*at_now(stream, said("")))
    suspended_at = stream.now
    stream.advance(SECOND)
    (concluded,) = stream.suspended
    assert (concluded.system, concluded.state, concluded.since) == ("agent", "suspended", suspended_at)
    assert concluded.judged_at - suspended_at < SECOND
    assert [v for v in stream.violations if v.kind == "suspension"] == []
    stream.advance(2 * SECOND)
    stream.put(*at_now(stream, call("", "refund")))
    went_on = stream.now
    stream.advance(SECOND)
    (breach,) = (v for v in stream.violations if v.kind == "suspension")
    assert (breach.state, breach.opened_at, breach.person) == ("open", went_on, "owner@example.org")
    assert breach.detected_at - went_on < SECOND


def test_a_kill_of_the_judge_forgets_nothing() -> None:
    stream = Stream(estate(), now=T0)
    stream.put(*at_now(stream, said("")))
    stream.advance(SECOND)
    stream.restart_judge()
    stream.advance(5 * SECOND)
    stream.put(*at_now(stream, call("", "refund")))
    stream.advance(SECOND)
    stream.restart_judge()
    stream.put(*at_now(stream, said("", "resumed")))
    stream.advance(MINUTE)
    (breach,) = (v for v in stream.violations if v.kind == "suspension")
    assert breach.state == "resolved"
    assert [each.state for each in stream.suspended] == ["suspended", "resumed"]


def test_a_suspension_is_not_held_up_by_a_producer_that_is_behind() -> None:
    stream = Stream(estate(), now=T0)
    for _ in range(40):
        stream.put("tool_call", record_of({**call("", "refund"), "event_time": stream.now - 20 * SECOND})[1])
        stream.advance(SECOND // 2)
    stream.put(*at_now(stream, said("")))
    stream.put("tool_call", record_of({**call("", "refund"), "event_time": stream.now - 20 * SECOND})[1])
    stream.advance(SECOND)
    assert [each.state for each in stream.suspended] == ["suspended"]


def test_nobody_is_held_to_a_word_that_had_not_arrived_yet_live_and_in_a_replay() -> None:
    stream, recorded = Stream(estate(), now=T0), list[tuple[str, dict[str, Any], int]]()

    def arrives(event: dict[str, Any], happened: int) -> None:
        record_type, record = record_of({**event, "event_time": happened})
        recorded.append((record_type, record, stream.now))
        stream.put(record_type, record)

    for seconds in range(40):
        arrives(call("", "refund"), stream.now)
        if seconds == 20:
            # Signed in a browser ten seconds ago.
            arrives(said(""), stream.now - 10 * SECOND)
        stream.advance(SECOND)
    arrives(said("", "resumed"), stream.now - 5 * SECOND)
    came = stream.now
    stream.advance(MINUTE)
    (breach,) = (v for v in stream.violations if v.kind == "suspension")
    assert T0 + 21 * SECOND <= breach.opened_at <= T0 + 24 * SECOND
    assert (breach.state, breach.resolved_at) == ("resolved", came)
    with History([Plan(estate())]) as history:
        for record_type, record, arrived in recorded:
            frame = frame_of(record_type, [record])
            late = record_type == "suspension"
            history.add(record_type, frame.with_columns(pl.lit(arrived).alias(ARRIVED)) if late else frame)
        (again,) = (v for v in judged(estate(), history, stream.now) if v.kind == "suspension")
    same = ("violation_id", "opened_at", "resolved_at", "summary")
    assert [getattr(again, name) for name in same] == [getattr(breach, name) for name in same]


def test_of_a_history_that_is_put_in_later_what_was_not_measured_is_counted_as_late() -> None:
    for documents, opened, late in (((SYSTEM,), [], 1), ((SYSTEM, contract("agent", NEVER)), ["open"], 0)):
        stream = Stream(estate(*documents), now=at("5h"))
        stream.put(*record_of(call("2h", "refund")))
        stream.advance(SECOND)
        stream.put(*record_of(said("1h")))
        stream.advance(30 * MINUTE)
        assert [v.state for v in stream.violations if v.kind == "suspension"] == opened
        assert stream.late_for["suspensions#suspension"] == late


@pytest.mark.parametrize("keyed", [True, False])
def test_a_history_that_is_loaded_in_the_order_of_its_time_is_judged_as_a_replay_judges_it(keyed: bool) -> None:
    events = [record_of({**call(f"{n * 40 + 1}s", "refund"), "event_id": event_id(f"c{n}")}) for n in range(200)]
    for when, state in (("30m", "suspended"), ("50m", "resumed"), ("1h20m", "suspended"), ("1h40m", "resumed")):
        events.append(record_of({**said(when, state), "event_id": event_id(when)}))
    events.sort(key=lambda event: event[1]["event_time"])
    live = loaded(estate(), events, Load(seed=3, keyed=keyed), at("9h"))
    found = [
        sorted((v.violation_id, v.opened_at, v.state, v.resolved_at) for v in violations if v.kind == "suspension")
        for violations in (live.values(), replay(estate(), events, at("9h")))
    ]
    assert found[0] == found[1]
    assert [state for _, _, state, _ in found[0]] == ["resolved", "resolved"]


def _measured(plan: Plan) -> set[str]:
    frame = frame_of("tool_call", [record_of(call("1h", "refund"))[1]])
    return {fact.clause for fact in plan.facts("tool_call", frame) if fact.contract == "suspensions"}


def test_who_suspends_nothing_pays_nothing() -> None:
    plan = Plan(estate())
    assert _measured(plan) == set()
    assert "tool" not in plan.columns("tool_call")
    plan.hold({"agent", "nobody-declared-it"})
    assert _measured(plan) == {"suspension"}
    assert _measured(plan.again()) == {"suspension"}
    plan.hold(set())
    assert _measured(plan) == set()
    # A contract may suspend at any time, and nobody says so before.
    assert _measured(Plan(estate(SYSTEM, contract("agent", NEVER)))) == {"suspension"}
    stream = Stream(estate(), now=T0)
    for _ in range(5):
        stream.put(*at_now(stream, call("", "refund")))
        stream.advance(SECOND)
    assert not any("suspensions" in key for key in stream.saved)


def test_traffic_is_measured_on_when_measure_was_killed() -> None:
    stream = Stream(estate(), now=T0)
    stream.put(*at_now(stream, said("")))
    stream.advance(SECOND)
    stream.restart_measure()
    stream.advance(5 * SECOND)
    stream.put(*at_now(stream, call("", "refund")))
    stream.advance(10 * SECOND)
    assert [v.state for v in stream.violations if v.kind == "suspension"] == ["open"]


def test_one_from_the_future_or_from_long_ago_counts_for_nothing() -> None:
    stream = Stream(estate(), now=T0)
    stream.put("suspension", record_of({**said(""), "event_time": stream.now + parse_duration("2h")})[1])
    stream.advance(SECOND)
    stream.put("suspension", record_of({**said(""), "event_time": stream.now - parse_duration("25h")})[1])
    stream.advance(SECOND)
    assert [(v.counted, v.reason) for v in stream.verdicts] == [(False, "too_early"), (False, "too_old")]
    assert stream.suspended == []


def test_a_contract_suspends_live_and_again_after_it_was_resumed() -> None:
    stream = Stream(estate(SYSTEM, contract("agent", NEVER)), now=T0, settings=JudgeSettings())
    stream.put(*at_now(stream, call("", "pay", "t1")))
    stream.advance(10 * SECOND)
    (first,) = stream.suspended
    assert (first.state, first.person, first.contract) == ("suspended", None, "example@1#never")
    assert first.violation_id in {v.violation_id for v in stream.violations}
    stream.put(*at_now(stream, said("", "resumed", evidence_uri="https://example.org/81")))
    stream.advance(10 * SECOND)
    stream.put(*at_now(stream, call("", "pay", "t2")))
    stream.advance(10 * SECOND)
    assert [each.state for each in stream.suspended] == ["suspended", "resumed", "suspended"]


def test_review_tells_the_first_person_and_nobody_after_them() -> None:
    clause = NEVER.replace("suspend}", "review}")
    stream = Stream(estate(SYSTEM, contract("agent", clause)), now=T0)
    stream.put(*at_now(stream, call("", "pay", "t1")))
    stream.advance(3 * 60 * MINUTE)
    (breach,) = (v for v in stream.violations if v.clause == "never")
    assert (breach.severity, breach.step, breach.person) == ("breach", 0, "owner@example.org")
