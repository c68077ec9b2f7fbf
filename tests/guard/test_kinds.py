"""What a guard answers, kind by kind, and what it reports of it."""

from __future__ import annotations

from typing import Any

import pytest

from seamwatch.guard import Denied, Escalated
from streams.replay.replay import replay
from tests.clauses.history import T0
from tests.guard.scene import Scene

SCOPE = """
- id: tools
  kind: scope
  tools:
    - tool: find_user
    - tool: refund
      where: arguments.amount <= 100
"""


def test_scope_allows_what_is_listed_with_arguments_as_agreed() -> None:
    talk = Scene(SCOPE).guard.conversation("t1")
    assert talk.check("find_user").permitted
    assert talk.check("refund", {"amount": 100}).decision == "allowed"
    assert talk.check("refund", '{"amount": 99.5}').basis == "example@1#tools"
    for arguments in ({"amount": 101}, {"amount": "1"}, {}, None):
        verdict = talk.check("refund", arguments)
        assert (verdict.decision, verdict.clause) == ("denied", "tools"), arguments
    assert talk.check("refund", {"amount": 101}).sentence == (
        "The call of refund was denied: it may be called only when arguments.amount <= 100 (example@1#tools)."
    )
    assert talk.check("drop_tables").sentence == (
        "The call of drop_tables was denied: it is none of the tools that may be called (find_user, refund) "
        "(example@1#tools)."
    )


def test_prohibition_denies_what_must_never_happen() -> None:
    talk = Scene(
        "- {id: flown, kind: prohibition, never: tool = 'refund' AND arguments.flown > 0}"
    ).guard.conversation()
    assert talk.check("refund", {"flown": 1}).clause == "flown"
    # NULL does not happen.
    assert talk.check("refund", {}).permitted
    assert talk.check("rebook", {"flown": 1}).permitted


def test_what_is_prohibited_of_an_allowed_call_is_judged_before_it_is_allowed() -> None:
    scene = Scene("- {id: no, kind: prohibition, never: tool = 'refund' AND decision = 'allowed'}")
    assert scene.guard.conversation().check("refund").decision == "denied"
    assert scene.reported[0]["decision"] == "denied"


PRECONDITION = """
- {id: scope, kind: scope, tools: [{tool: refund}, {tool: verify, where: arguments.user IS NOT NULL}]}
- {id: first, kind: precondition, tool: refund, requires: verify, matching: [user]}
"""


def test_a_precondition_is_of_the_same_conversation_and_arguments() -> None:
    scene = Scene(PRECONDITION)
    talk, other = scene.guard.conversation("t1"), scene.guard.conversation("t2")
    assert talk.check("refund", {"user": 7}).clause == "first"
    assert talk.check("verify", {"user": 7}).permitted
    assert talk.check("refund", {"user": 7.0}).permitted
    assert talk.check("refund", {"user": "7"}).clause == "first"
    assert other.check("refund", {"user": 7}).clause == "first"
    # Another object for the same conversation.
    assert scene.guard.conversation("t1").check("refund", {"user": 7}).permitted
    scene.clock.pass_("25h")
    assert talk.check("refund", {"user": 7}).clause == "first"


def test_a_call_outside_any_conversation_has_nothing_before_it() -> None:
    scene = Scene(PRECONDITION)
    scene.guard.current.check("verify", {"user": 7})
    verdict = scene.guard.current.check("refund", {"user": 7})
    assert "there is no conversation" in verdict.sentence
    assert [record["trace_id"] for record in scene.reported] == [None, None]


def test_a_required_call_that_another_clause_denied_did_not_happen() -> None:
    clauses = PRECONDITION.replace("arguments.user IS NOT NULL", "arguments.code = 'right'")
    talk = Scene(clauses).guard.conversation()
    assert talk.check("verify", {"user": 7, "code": "wrong"}).clause == "scope"
    assert talk.check("refund", {"user": 7}).clause == "first"
    assert talk.check("verify", {"user": 7, "code": "right"}).permitted
    assert talk.check("refund", {"user": 7}).permitted


def test_a_rate_per_conversation_counts_what_was_made() -> None:
    scene = Scene("- {id: one, kind: rate, max: 1, per: trace, tool: refund}")
    talk = scene.guard.conversation("t1")
    assert [talk.check("refund").permitted for _ in range(3)] == [True, False, False]
    assert talk.check("find_user").permitted
    assert scene.guard.conversation("t2").check("refund").permitted
    assert talk.check("refund").sentence == (
        "The call of refund was denied: at most 1 call of refund in a conversation (example@1#one)."
    )
    scene.clock.pass_("25h")
    assert talk.check("refund").permitted


def test_a_call_that_another_clause_denied_counts_for_no_rate_unless_the_clause_says_so() -> None:
    for where, permitted in (("", True), (", where: decision <> 'denied'", True), (WITH_DENIED, False)):
        clauses = f"""
- {{id: one, kind: rate, max: 1, per: trace, tool: refund{where}}}
- {{id: small, kind: prohibition, never: arguments.amount > 100}}
"""
        talk = Scene(clauses).guard.conversation()
        assert talk.check("refund", {"amount": 500}).clause == "small"
        assert talk.check("refund", {"amount": 50}).permitted is permitted
        assert talk.check("refund", {"amount": 50}).clause == "one"


WITH_DENIED = ", where: \"decision IN ('allowed', 'denied')\""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"amount": "5000"}, "arguments.amount is text, not a number"),
        ({"amount": [5000]}, "arguments.amount is a list, not a number"),
        ('{"amount": 5000, "amount": 5}', "its arguments give the key 'amount' twice"),
    ],
)
def test_what_cannot_be_told_of_a_prohibition_is_denied_with_the_reason(arguments: Any, said: str) -> None:
    never = "- {id: large, kind: prohibition, never: tool = 'refund' AND arguments.amount > 1000"
    verdict = Scene(never + "}").guard.conversation().check("refund", arguments)
    assert f"it would cannot be told: {said} (example@1#large)" in verdict.sentence
    ignored = Scene(never + ", unknown: ignore}").guard.conversation().check("refund", arguments)
    assert ignored.permitted is not isinstance(arguments, str)


def test_an_argument_that_is_missing_is_a_warning_a_denial_or_nothing_as_agreed() -> None:
    never = "- {id: large, kind: prohibition, never: tool = 'refund' AND arguments.amount > 1000"
    for missing, permitted, warned in (("", True, 1), (", missing: breach", False, 0), (", missing: ignore", True, 0)):
        verdict = Scene(f"{never}{missing}}}").guard.conversation().check("refund", {"Amount": 5000})
        assert (verdict.permitted, len(verdict.warnings)) == (permitted, warned)
    # Of a rule that names no tool most calls lack the argument.
    bare = Scene("- {id: large, kind: prohibition, never: arguments.amount > 1000}").guard.conversation()
    assert bare.check("refund", {}).warnings == ()


def test_a_call_without_a_confidence_goes_to_a_person_where_that_is_agreed() -> None:
    scene = Scene("- {id: unsure, kind: human_review, below: 0.6, unknown: breach}")
    verdict = scene.guard.conversation().check("refund", {})
    assert verdict.decision == "escalated"
    assert "it states no confidence, so a person decides" in verdict.sentence
    assert replay(scene.estate, scene.emitter.records) == []


def test_a_rate_over_time_is_of_the_whole_system_and_begins_anew_with_each_window() -> None:
    scene = Scene("- {id: hourly, kind: rate, max: 2, per: 1h}")
    talks = [scene.guard.conversation(), scene.guard.conversation()]
    assert [talks[n % 2].check("find_user").permitted for n in range(3)] == [True, True, False]
    scene.clock.pass_("59m")
    assert not talks[0].check("find_user").permitted
    scene.clock.pass_("1m")
    assert talks[0].check("find_user").permitted


def test_a_rate_per_person_counts_decisions() -> None:
    scene = Scene("- {id: daily, kind: rate, max: 1, per: subject}")
    talk = scene.guard.conversation()
    assert talk.decide(subject="ada", decision="approve").permitted
    denied = talk.decide(subject="ada", decision="approve")
    assert (denied.clause, denied.event_id) == ("daily", None)
    assert talk.decide(subject="bob", decision="approve").permitted
    # A decision that was not made is not an event.
    assert [record["subject"] for record in scene.reported] == ["ada", "bob"]


REVIEW = "- {id: unsure, kind: human_review, below: 0.6}"


def test_a_call_of_low_confidence_waits_for_a_person_and_is_counted_once() -> None:
    scene = Scene(REVIEW + "\n- {id: one, kind: rate, max: 1, per: trace}")
    talk = scene.guard.conversation("t1")
    with pytest.raises(Escalated) as raised:
        talk.require("refund", {"amount": 5}, confidence=0.4, call_id="c1")
    assert raised.value.verdict.sentence == (
        "The call of refund waits for a person: a confidence of 0.4 is below 0.6, so a person decides "
        "(example@1#unsure)."
    )
    verdict = talk.require("refund", {"amount": 5}, confidence=0.4, call_id="c1", reviewed_by="owner@example.org")
    assert (verdict.permitted, verdict.repeated) == (True, True)
    assert verdict.sentence == "The call of refund was approved by owner@example.org."
    assert {record["decision"] for record in scene.reported} == {"escalated"}
    assert len({record["event_id"] for record in scene.reported}) == 1
    assert talk.check("refund", {"amount": 5}).clause == "one"


def test_a_person_cannot_permit_what_another_clause_denies() -> None:
    talk = Scene(SCOPE + REVIEW).guard.conversation()
    with pytest.raises(Denied):
        talk.require("refund", {"amount": 500}, confidence=0.4, reviewed_by="owner@example.org")
    assert talk.check("refund", {"amount": 500}, confidence=0.4).decision == "denied"


def test_a_decision_of_low_confidence_is_reported_as_one_for_a_person() -> None:
    scene = Scene(REVIEW)
    talk = scene.guard.conversation("t1")
    assert talk.decide(confidence=0.4).decision == "escalated"
    assert talk.decide(confidence=0.4, reviewed_by="owner@example.org").permitted
    assert talk.decide(confidence=0.6).decision == "allowed"
    assert [record["human_review"] for record in scene.reported] == [True, True, False]
    with pytest.raises(TypeError, match="mood"):
        talk.decide(mood="glad")


def test_a_clause_of_severity_warning_warns_and_stops_nothing() -> None:
    scene = Scene("- {id: one, kind: rate, max: 1, per: trace, severity: warning}")
    talk = scene.guard.conversation()
    assert talk.check("refund").warnings == ()
    verdict = talk.check("refund")
    assert (verdict.decision, [fault.clause for fault in verdict.warnings]) == ("allowed", ["one"])


def test_what_no_contract_covers_is_denied_unless_that_is_configured() -> None:
    scene = Scene(None)
    assert not scene.guard.covered
    assert scene.guard.conversation().check("find_user").sentence == (
        "The call of find_user was denied: no contract covers agent, and no policy is not permission."
    )
    assert Scene(None, {"uncovered": "allowed"}).guard.conversation().check("find_user").permitted


def test_every_call_that_was_asked_for_is_reported_as_it_was_decided() -> None:
    scene = Scene(SCOPE)
    scene.clock.pass_("5m")
    talk = scene.guard.conversation("t1")
    verdict = talk.check("refund", {"amount": 101}, resource="order/1", attributes={"desk": "a"}, call_id="c7")
    record = scene.reported[0]
    assert record["event_id"] == verdict.event_id
    assert record["event_time"] == T0 + 300_000_000
    given = ("system", "version", "trace_id", "tool", "arguments", "decision", "authorisation", "resource", "producer")
    assert {name: record[name] for name in given} == {
        "system": "agent", "version": "v1", "trace_id": "t1", "tool": "refund", "arguments": '{"amount":101}',
        "decision": "denied", "authorisation": "example@1#tools", "resource": "order/1", "producer": "agents",
    }  # fmt: skip
    assert record["attributes"] == [{"key": "desk", "value": "a"}, {"key": "call_id", "value": "c7"}]


def test_a_guard_says_which_clauses_it_leaves_to_the_stream() -> None:
    clauses = SCOPE + "- {id: fresh, kind: freshness, max_lag: 1h}\n- {id: approved, kind: approval}"
    assert [str(one) for one in Scene(clauses).guard.unchecked] == [
        "example@1#fresh (freshness)", "example@1#approved (approval)"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tool", "arguments", "more", "said"),
    [
        ("find_user", {"x": float("nan")}, {}, "cannot be written as JSON"),
        ("find_user", {"x": object()}, {}, "a object has no JSON"),
        ("find_user", "[1]", {}, "no JSON object"),
        ("find_user", '{"x": 1e999}', {}, "its arguments hold a number that is too large (1e999)"),
        ("find_user", '{"x": 1, "x": 2}', {}, "its arguments give the key 'x' twice"),
        ("find_user", '"{}"', {}, "its arguments are text, and no JSON object"),
        ("find_user", {"x": "y" * 300_000}, {}, "at most 262144 are judged"),
        ("find_user", {"x": "\ud800"}, {}, "cannot be written as JSON"),
        ("", {}, {}, "no name that is text"),
        ("a\ud800", {}, {}, "no name that is text"),
        ("find_user", {}, {"confidence": 1.5}, "no share from 0 to 1"),
        ("find_user", {}, {"confidence": float("nan")}, "no share from 0 to 1"),
    ],
)
def test_what_cannot_be_judged_is_denied_and_reported(
    tool: str, arguments: object, more: dict[str, Any], said: str
) -> None:
    scene = Scene(SCOPE)
    verdict = scene.guard.conversation().check(tool, arguments, **more)  # type: ignore[arg-type]
    assert verdict.decision == "denied"
    assert said in verdict.sentence
    assert [record["decision"] for record in scene.reported] == ["denied"]


def test_a_call_asked_again_with_its_id_is_counted_once_and_another_under_its_id_is_denied() -> None:
    scene = Scene("- {id: two, kind: rate, max: 2, per: trace}")
    talk = scene.guard.conversation("t1")
    first, again = (talk.check("refund", {"n": 1}, call_id="c1") for _ in range(2))
    assert (again.permitted, again.repeated, again.event_id) == (True, True, first.event_id)
    other = talk.check("refund", {"n": 2}, call_id="c1")
    assert other.decision == "denied"
    assert "is that of an earlier call with other arguments" in other.sentence
    assert other.event_id != first.event_id
    # In another conversation the id is another's.
    assert not scene.guard.conversation("t2").check("refund", {"n": 2}, call_id="c1").repeated


def test_a_clause_that_breaks_denies_and_the_caller_sees_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from seamwatch.guard import checks

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    scene = Scene("- {id: one, kind: rate, max: 9, per: trace}")
    monkeypatch.setattr(checks._BoundTalkCount, "note", broken)
    assert "could not be remembered (RuntimeError: broken)" in scene.guard.conversation().check("refund").sentence
    monkeypatch.setattr(checks._BoundTalkCount, "offends", broken)
    assert "could not be judged (RuntimeError: broken)" in scene.guard.conversation().check("refund").sentence
    assert [record["decision"] for record in scene.reported] == ["denied", "denied"]


def test_an_act_is_reported_when_it_is_over_with_what_came_of_it() -> None:
    scene = Scene(SCOPE)
    talk = scene.guard.conversation("t1")
    with talk.act("find_user") as act:
        assert scene.reported == []
        act.outcome = "found"
    with pytest.raises(KeyError), talk.act("find_user"):
        raise KeyError("nobody")
    with pytest.raises(Denied), talk.act("drop_tables"):
        pytest.fail("a denied act must not begin")
    assert [(r["decision"], r["outcome"]) for r in scene.reported] == [
        ("allowed", "found"), ("allowed", "failed: KeyError"), ("denied", None)
    ]  # fmt: skip


@pytest.mark.parametrize("where", ["arguments.to <> 'desk'", "NOT contains(arguments.to, 'desk')"])
def test_an_act_slips_past_no_clause_by_a_value_of_another_kind(where: str) -> None:
    clauses = f"""
- {{id: none, kind: rate, max: 0, per: trace, tool: send, where: "{where}"}}
- {{id: after, kind: precondition, tool: send, requires: ask, where: "{where}"}}
- {{id: bounded, kind: scope, tools: [{{tool: find}}], where: "{where}"}}
"""
    given: list[tuple[object, bool]] = [
        ({"to": "desk"}, True), ({"to": "x"}, False), ({"to": ["x"]}, False), ({"to": 5}, False), ({}, True),
        ('{"to": "desk", "to": "desk"}', False),
    ]  # fmt: skip
    for arguments, permitted in given:
        scene = Scene(clauses)
        verdict = scene.guard.conversation("t").check("send", arguments)  # type: ignore[arg-type]
        assert verdict.permitted is permitted, arguments
        found = {violation.clause for violation in replay(scene.estate, scene.emitter.records)}
        # A rate is told of what was denied by it, and the first fault of all is named.
        denied_by = set() if permitted else {"after", "bounded"} | ({"none"} if verdict.clause == "none" else set())
        assert found == denied_by
