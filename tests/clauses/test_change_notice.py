"""Change notice: a clock per change and acknowledger, objections, late answers, and traffic nobody announced."""

from __future__ import annotations

from typing import Any

from seamwatch.durations import HOUR, SECOND
from tests.clauses.history import T0, at, brief, call, contract, decision, found

TWO = contract(
    "scorer",
    "- {id: tell, kind: change_notice, kinds: [threshold], acknowledge_within: 48h,"
    " acknowledgers: [owner@example.org, second@example.org]}",
)
TRAFFIC = contract("scorer", "- {id: tell, kind: change_notice, unannounced: true}")
DECLARED = """---
apiVersion: seamwatch/v1
kind: System
id: scorer
type: model
owner: owner@example.org
versions:
  - {version: v1, config_digest: aaa}
"""


def change(offset: str, change_id: str = "c1", **fields: Any) -> dict[str, Any]:
    return {
        "type": "config_change", "event_time": at(offset), "system": "scorer", "change_id": change_id,
        "kind": "threshold", "effective_at": at(offset) + 72 * HOUR, "summary": "moved", "announced_by": "x",
        "from_value": "0.5", "to_value": "0.6", **fields,
    }  # fmt: skip


def answer(offset: str, person: str, reference: str = "c1", **fields: Any) -> dict[str, Any]:
    return {
        "type": "acknowledgement", "event_time": at(offset), "system": "scorer", "of": "change",
        "reference": reference, "person": person, "answer": "accept", **fields,
    }  # fmt: skip


def test_each_acknowledger_has_a_clock_of_their_own() -> None:
    violations = found(TWO, [change("1h"), answer("2h", "owner@example.org")], now="3d")
    assert brief(violations) == [("c1/second@example.org", "breach", "open", 49 * HOUR)]
    assert violations[0].person == "second@example.org"
    assert "48 h" in violations[0].summary


def test_both_in_time_is_silence() -> None:
    answers = [answer("2h", "owner@example.org"), answer("49h", "second@example.org")]
    assert found(TWO, [change("1h"), *answers], now="9d") == []


def test_a_late_answer_resolves_the_missed_clock() -> None:
    events = [change("1h"), answer("2h", "owner@example.org"), answer("60h", "second@example.org")]
    violations = found(TWO, events, now="9d")
    assert brief(violations) == [("c1/second@example.org", "breach", "resolved", 49 * HOUR)]
    assert violations[0].resolved_at == at("60h")


def test_an_objection_stops_the_clock_and_is_a_breach_at_its_own_time() -> None:
    events = [change("1h"), answer("2h", "owner@example.org"), answer("5h", "second@example.org", answer="object")]
    assert brief(found(TWO, events, now="9d")) == [("c1/second@example.org", "breach", "open", 5 * HOUR)]
    accepted = [*events, answer("7h", "second@example.org")]
    assert brief(found(TWO, accepted, now="9d")) == [("c1/second@example.org", "breach", "resolved", 5 * HOUR)]


def test_a_late_objection_resolves_the_miss_and_opens_its_own() -> None:
    events = [change("1h"), answer("2h", "owner@example.org"), answer("60h", "second@example.org", answer="object")]
    assert brief(found(TWO, events, now="9d")) == [
        ("c1/second@example.org", "breach", "resolved", 49 * HOUR),
        ("c1/second@example.org", "breach", "open", 60 * HOUR),
    ]


def test_answers_by_others_or_to_others_have_no_effect() -> None:
    events = [
        change("1h"),
        answer("2h", "stranger@example.org"),
        answer("2h", "owner@example.org", reference="c2"),
        answer("2h", "owner@example.org", of="violation"),
    ]
    assert len(found(TWO, events, now="9d")) == 2


def test_kinds_not_agreed_start_no_clock() -> None:
    assert found(TWO, [change("1h", kind="prompt")], now="9d") == []


def test_two_changes_have_two_clocks_each_and_a_repeated_change_none() -> None:
    events = [change("1h"), change("2h", change_id="c2"), change("3h")]
    assert [v.slice for v in found(TWO, events, now="9d")] == [
        "c1/owner@example.org", "c1/second@example.org", "c2/owner@example.org", "c2/second@example.org",
    ]  # fmt: skip


def test_short_notice_is_a_breach_when_it_is_announced() -> None:
    clauses = "- {id: ahead, kind: change_notice, notice_before: 24h}"
    late, early = change("1h", effective_at=at("2h")), change("2h", change_id="c2")
    violations = found(contract("scorer", clauses), [late, early])
    assert brief(violations) == [("c1", "breach", "open", HOUR)]
    assert (violations[0].observed, violations[0].limit) == (3600, 86_400)


def test_traffic_of_a_version_nobody_announced_is_a_breach_from_its_first_event() -> None:
    events = [decision("1h"), decision("2h", version="v2", event_id="first"), call("2h", "x", system="scorer")]
    violations = found(TRAFFIC + DECLARED, events)
    assert brief(violations) == [("v2", "breach", "open", 2 * HOUR)]
    assert [e.event_id for e in violations[0].evidence] == ["first"]


def test_an_unannounced_digest_under_a_known_version_is_seen_too() -> None:
    events = [decision("1h", config_digest="aaa"), decision("2h", config_digest="bbb")]
    assert brief(found(TRAFFIC + DECLARED, events)) == [("bbb", "breach", "open", 2 * HOUR)]


def test_what_was_announced_before_it_served_is_fine_and_afterwards_resolves() -> None:
    told = change("1h", kind="model", to_value="v2", config_digest="bbb")
    traffic = decision("2h", version="v2", config_digest="bbb")
    assert found(TRAFFIC + DECLARED, [told, traffic]) == []

    late = change("3h", kind="model", to_value="v2", config_digest="bbb")
    violations = found(TRAFFIC + DECLARED, [traffic, late], now="9h")
    assert [(v.slice, v.state, v.resolved_at) for v in violations] == [
        ("bbb", "resolved", at("3h")),
        ("v2", "resolved", at("3h")),
    ] or [(v.slice, v.state, v.resolved_at) for v in violations] == [
        ("v2", "resolved", at("3h")),
        ("bbb", "resolved", at("3h")),
    ]


def test_an_answer_that_overtakes_its_change_counts() -> None:
    # The same instant: the acknowledgement sorts before the change by its id.
    events = [change("1h", event_id="zz"), answer("1h", "owner@example.org", event_id="aa")]
    assert [v.slice for v in found(TWO, events, now="9d")] == ["c1/second@example.org"]
    assert T0 % SECOND == 0
