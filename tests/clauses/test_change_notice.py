"""Change notice: a clock per change and acknowledger, objections, late answers, and traffic nobody announced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from seamwatch.durations import HOUR, SECOND
from seamwatch.engine.episodes import open_episode
from seamwatch.judging.model.judgement import Open
from seamwatch.judging.model.seam import Seam, Step
from seamwatch.judging.patterns.announcements import change_id_of
from seamwatch.remedies import remedy_command
from seamwatch.signatures import change_digest
from tests.clauses.history import T0, at, brief, call, contract, decision, found, record_of

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
    events = [change("1h"), change("2h", change_id="c2"), change("3h", effective_at=change("1h")["effective_at"])]
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
    told = change("1h", kind="model", to_value="v2", config_digest="bbb", effective_at=at("1h30m"))
    traffic = decision("2h", version="v2", config_digest="bbb")
    assert found(TRAFFIC + DECLARED, [told, traffic]) == []

    late = change("3h", kind="model", to_value="v2", config_digest="bbb", effective_at=at("3h"))
    violations = found(TRAFFIC + DECLARED, [traffic, late], now="9h")
    assert sorted((v.slice or "", v.state, v.resolved_at) for v in violations) == [
        ("bbb", "resolved", at("3h")),
        ("v2", "resolved", at("3h")),
    ]
    assert all("nobody announced" in v.summary for v in violations)


def test_an_answer_that_overtakes_its_change_counts() -> None:
    # The same instant: the acknowledgement sorts before the change by its id.
    events = [change("1h", event_id="zz"), answer("1h", "owner@example.org", event_id="aa")]
    assert [v.slice for v in found(TWO, events, now="9d")] == ["c1/second@example.org"]
    assert T0 % SECOND == 0


def again(offset: str, **fields: Any) -> tuple[dict[str, Any], str]:
    """The first change announced again with something else in it, and its name."""
    event = {**change(offset), "effective_at": change("1h")["effective_at"], **fields}
    return event, f"c1@{change_digest(record_of(event)[1])[:12]}"


OTHERWISE = [
    {"to_value": "0.3"}, {"effective_at": at("9h")}, {"from_value": None}, {"summary": "moved a little"},
    {"announced_by": "y"}, {"config_digest": "ccc"}, {"environment": "staging"},
]  # fmt: skip


@pytest.mark.parametrize("fields", OTHERWISE, ids=lambda fields: next(iter(fields)))
def test_a_yes_does_not_cover_what_is_announced_later_under_the_same_id(fields: dict[str, Any]) -> None:
    answers = [answer("2h", "owner@example.org"), answer("2h", "second@example.org")]
    other, name = again("4h", **fields)
    violations = found(TWO, [change("1h"), *answers, other], now="9d")
    assert sorted(brief(violations)) == [
        (f"{name}/owner@example.org", "breach", "open", 52 * HOUR),
        (f"{name}/second@example.org", "breach", "open", 52 * HOUR),
    ]
    assert f"{name} (announced again with other content)" in violations[0].summary
    assert (change_id_of(name), change_id_of("c1"), change_id_of("a@b")) == ("c1", "c1", "a@b")
    answered = [answer("5h", "owner@example.org"), answer("5h", "second@example.org")]
    assert found(TWO, [change("1h"), *answers, other, *answered], now="9d") == []


def test_what_is_only_repeated_changes_nothing_however_often_and_in_whatever_order() -> None:
    first, (other, _) = change("1h"), again("4h", to_value="0.3")
    answers = [answer("5h", p) for p in ("owner@example.org", "second@example.org")]
    repeated = [{**first, "event_time": at("6h"), "trace_id": "t"}, {**other, "event_time": at("7h"), "producer": "p"}]
    assert found(TWO, [first, other, *answers, *repeated], now="9d") == []


def test_an_answer_is_to_all_announced_so_far_and_an_objection_to_the_newest_of_it() -> None:
    other, name = again("4h", to_value="0.3")
    objection = answer("5h", "second@example.org", answer="object")
    history = [change("1h"), other, answer("5h", "owner@example.org"), objection]
    assert brief(found(TWO, history, now="9d")) == [(f"{name}/second@example.org", "breach", "open", 5 * HOUR)]
    accepted = found(TWO, [*history, answer("8h", "second@example.org")], now="9d")
    assert brief(accepted) == [(f"{name}/second@example.org", "breach", "resolved", 5 * HOUR)]
    # Whoever objects to the first and accepts what was made of it has accepted.
    objected = [change("1h"), answer("2h", "second@example.org", answer="object"), other]
    both = [*objected, answer("6h", "owner@example.org"), answer("6h", "second@example.org")]
    assert brief(found(TWO, both, now="9d")) == [("c1/second@example.org", "breach", "resolved", 2 * HOUR)]


def test_what_is_announced_again_with_other_content_asks_for_its_own_notice() -> None:
    clauses = contract("scorer", "- {id: ahead, kind: change_notice, notice_before: 24h}")
    other, name = again("4h", effective_at=at("5h"))
    assert brief(found(clauses, [change("1h"), other])) == [(name, "breach", "open", 4 * HOUR)]
    assert found(clauses, [change("1h"), {**change("1h"), "event_time": at("72h")}]) == []


OWNER, SECOND_PERSON = "owner@example.org", "second@example.org"
OBJECTION = answer("5h", SECOND_PERSON, answer="object", note=" not before\nthe audit ")
ASKED = [
    ("owner@example.org", OWNER),  # who announced it
    ("x", OWNER),  # nobody that the documents know: the list
    (SECOND_PERSON, OWNER),  # who objects to their own change: the list, without them
]


@pytest.mark.parametrize(("by", "asked"), ASKED)
def test_an_objection_asks_the_announcer_or_the_list_with_the_note_and_never_the_objector(by: str, asked: str) -> None:
    events = [change("1h", announced_by=by), answer("2h", OWNER), OBJECTION]
    (violation,) = found(TWO, events, now="9d")
    assert violation.person == asked
    assert violation.summary.endswith(f"{SECOND_PERSON} objects to threshold change c1: “not before the audit”")
    # Each of them may withdraw it: it is theirs, or they sign for a party.
    assert remedy_command(violation, asked) == f"seamwatch withdraw c1 --as {asked}"


def test_who_may_not_withdraw_a_change_is_not_told_to() -> None:
    others = TWO.replace("signatory: owner@", "signatory: third@") + person("third@example.org")
    (violation,) = found(others, [change("1h", announced_by="x"), answer("2h", OWNER), OBJECTION], now="9d")
    assert violation.person == OWNER
    assert remedy_command(violation, OWNER) is None
    serves = [change("1h"), decision("3h", version=f"a/{OWNER}")]
    strange = found(contract("scorer", "- {id: tell, kind: change_notice, unannounced: true}"), serves, now="4h")
    assert [(v.slice, remedy_command(v, OWNER)) for v in strange] == [(f"a/{OWNER}", None)]


def test_an_objection_climbs_the_list_past_the_objector() -> None:
    seam = Seam(
        "k", "1", "d", "scorer", escalation=(Step(OWNER), Step(SECOND_PERSON), Step("third@example.org")),
        signatories=("lead@example.org", SECOND_PERSON),
    )  # fmt: skip
    told = Open("breach", "objection", 0, "-", slice=f"c1/{SECOND_PERSON}", said_by=SECOND_PERSON)

    def asked(told: Open, seam: Seam = seam) -> list[str]:
        return [step.person for step in open_episode(seam, "c", "change_notice", told, 0, climbs=True).ladder]

    assert asked(told) == [OWNER, "third@example.org"]
    assert asked(replace(told, person="third@example.org")) == ["third@example.org", OWNER]
    only = replace(seam, escalation=(Step(SECOND_PERSON),))
    assert asked(told, only) == ["lead@example.org"], "who signed for the parties, where the list is the objector alone"


def test_a_long_note_is_cut() -> None:
    events = [change("1h"), answer("2h", OWNER), {**OBJECTION, "note": "no " * 1_000}]
    (violation,) = found(TWO, events, now="9d")
    assert violation.summary.endswith("no n…”")
    assert len(violation.summary) < 600


def person(name: str) -> str:
    return f"---\nkind: Person\nid: {name}\nname: Example Third\n"
