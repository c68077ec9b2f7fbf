"""Silence: pages are held back by who may, for so long at most; it says so itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from seamwatch.clauses.silence.statement import Begun, Lifted, Statement, read_statement
from seamwatch.clauses.stated import stated_text
from seamwatch.durations import HOUR
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import Verdict, Violation
from streams.measure.plan import Plan
from streams.replay.history.gathering import History
from streams.replay.replay import chunks_of, judged
from tests.clauses.history import at, contract, decision, estate_of, found, record_of
from tests.clauses.test_state import Live

VALID = "- {id: valid, kind: range, min: 0, max: 1, quiet: 1h}\n- {id: wide, kind: range, min: -9, max: 9, quiet: 1h}"
AGREED = contract("scorer", VALID)


def until(offset: str, clause: str | None = None) -> Begun:
    return Begun(clause=clause, until=format_instant(at(offset)), reason="load test")


def said(offset: str, what: Statement, name: str = "s1", **fields: Any) -> dict[str, Any]:
    return {
        "type": "attestation", "event_time": at(offset), "system": "scorer", "subject": f"example#silence/{name}",
        "kind": "silence", "person": "owner@example.org", "event_id": f"a{offset}{name}",
        "statement": stated_text(what), **fields,
    }  # fmt: skip


def silences(events: Sequence[dict[str, Any]], now: str, documents: str = AGREED) -> list[Violation]:
    return [v for v in found(documents, events, now) if v.kind == "silence"]


def verdicts(documents: str, *events: dict[str, Any]) -> list[tuple[str, str]]:
    estate, heard = estate_of(documents), dict[str, Verdict]()
    with History([Plan(estate)]) as history:
        for record_type, frame in chunks_of([record_of(event) for event in events]):
            history.add(record_type, frame)
        list(judged(estate, history, at("60d"), hear=lambda v: heard.__setitem__(v.acknowledgement_id, v)))
    return [(v.reason, v.summary) for v in sorted(heard.values(), key=lambda v: v.answered_at)]


def test_a_silence_is_a_warning_of_its_own_that_another_is_told_of() -> None:
    (quiet,) = silences([said("1h", until("3h"))], "2h")
    assert (quiet.severity, quiet.state, quiet.clause, quiet.slice) == ("warning", "open", "silence", None)
    assert (quiet.since, quiet.limit, quiet.unit) == (at("1h"), 7_200, "s")
    assert quiet.person == "second@example.org", "who asked for it knows"
    assert quiet.summary == (
        "scorer: owner@example.org holds back the pages of all its clauses until 2026-03-02 03:00:00 UTC, for 2 h: "
        "“load test”"
    )


def test_it_ends_by_itself_whatever_opened_and_ended_meanwhile() -> None:
    before, within, after = decision("30m", score=2), decision("2h", score=20), decision("3h30m", score=3)
    (quiet,) = silences([before, said("1h", until("4h")), within, after], "9h")
    assert (quiet.state, quiet.resolved_at) == ("resolved", at("4h"))
    (nothing,) = silences([said("1h", until("4h"))], "9h")
    # Of what conversations come to, more may be known later than a silence ends: the record counts it.
    assert quiet.summary == nothing.summary
    assert "what is still open is told now, and `seamwatch silences --over` says what opened meanwhile" in quiet.summary
    (other,) = silences([said("1h", until("9h", "valid")), decision("2h", score=20)], "10h")
    assert "of clause 'valid' are held back no longer" in other.summary


def test_what_is_broken_meanwhile_opens_as_ever() -> None:
    events = [said("1h", until("4h")), decision("2h", score=2)]
    (breach,) = [v for v in found(AGREED, events, "2h30m") if v.kind == "range"]
    assert (breach.state, breach.severity, breach.person) == ("open", "breach", "owner@example.org")


def test_it_is_lifted_by_any_who_may_begin_one() -> None:
    lifted = said("2h", Lifted(why="done early"), person="second@example.org")
    (quiet,) = silences([said("1h", until("4h")), lifted], "9h")
    assert quiet.resolved_at == at("2h")
    assert "second@example.org lifts that: “done early”" in quiet.summary
    again = said("3h", Lifted(why="done"))
    assert verdicts(AGREED, said("1h", until("4h")), lifted, again)[2] == (
        "over", "no silence s1 of scorer is in force",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("event", "reason", "text"),
    [
        (said("1h", until("4h"), person="stranger@example.org"), "not_asked", "nobody that the documents know"),
        (said("1h", until("9d")), "unreadable", "it would last 8 d 23 h, and at most 7 d are agreed"),
        (said("1h", until("30m")), "unreadable", "before it began"),
        (said("1h", until("4h"), subject="example#silence"), "nobody_asks", "no silence of example#silence"),
        (said("1h", until("4h"), statement=None), "unreadable", "`seamwatch silence`"),
        (said("1h", until("4h"), statement="{"), "unreadable", "is no JSON"),
        (said("1h", until("4h"), statement='{"state":"begun","until":"soon","reason":"x"}'), "unreadable", "until: "),
        (
            said("1h", until("4h"), statement='{"state":"begun","until":"2026-03-02","reason":" "}'),
            "unreadable",
            "says",
        ),
    ],
)
def test_what_is_no_silence_holds_nothing_back(event: dict[str, Any], reason: str, text: str) -> None:
    assert silences([event], "2h") == []
    ((why, sentence),) = verdicts(AGREED, event)
    assert why == reason
    assert text in sentence


def test_a_contract_says_who_may_and_for_how_long() -> None:
    strict = contract("scorer", f"{VALID}\n- {{id: silence, kind: silence, by: second@example.org, longest: 1h}}")
    assert verdicts(strict, said("1h", until("90m")))[0] == (
        "not_asked",
        "to hold back pages of scorer by example is for second@example.org, not for owner@example.org",
    )
    by = {"person": "second@example.org"}
    assert "at most 1 h are agreed" in verdicts(strict, said("1h", until("3h"), **by))[0][1]
    assert len(silences([said("1h", until("2h"), **by)], "90m", strict)) == 1


def test_several_are_in_force_side_by_side_up_to_a_number() -> None:
    many = [said(f"1h{n}m", until("9h"), f"s{n}") for n in range(21)]
    assert len(silences(many, "2h")) == 20
    assert verdicts(AGREED, *many)[20][0] == "taken"
    assert verdicts(AGREED, said("1h", until("9h")), said("2h", until("9h")))[1] == ("taken", "silence s1 is in force")


def test_nothing_is_remembered_where_no_silence_is_in_force() -> None:
    live = Live(AGREED)
    live.flush([decision("1h", score=2)], at("1h"))
    live.flush([], at("4h"))
    assert [v.state for v in live.latest.values()] == ["resolved"]
    assert not any('"silence"' in key for key in live.topic)
    live.flush([said("5h", until("6h"))], at("5h"))
    assert any('"silence"' in key for key in live.topic)
    live.flush([], at("7h"))
    (quiet,) = [v for v in live.latest.values() if v.kind == "silence"]
    assert quiet.resolved_at == at("6h")


def test_what_is_live_is_what_a_replay_finds() -> None:
    events = [said("1h", until("4h")), decision("2h", score=2)]
    live = Live(AGREED)
    for event in events:
        live.flush([event], event["event_time"])
    for hour in range(3, 6):
        live.flush([], at(f"{hour}h"))
    (replayed,) = silences(events, "5h")
    (heard,) = [v for v in live.latest.values() if v.kind == "silence"]
    assert (heard.violation_id, heard.summary, heard.resolved_at) == (
        replayed.violation_id, replayed.summary, replayed.resolved_at,
    )  # fmt: skip
    assert replayed.resolved_at == at() + 4 * HOUR


def test_a_statement_is_read_as_it_was_written() -> None:
    for what in (until("2h", "valid"), Lifted(why="no")):
        assert read_statement(stated_text(what)) == what
