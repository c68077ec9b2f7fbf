"""The life of an episode: opened once, updated, acknowledged or escalated, resolved once; docs/episodes.md tells it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from seamwatch.durations import DAY, HOUR, MINUTE, SECOND
from seamwatch.engine.answers import MOST, Answers
from seamwatch.engine.judge import Judge
from seamwatch.engine.settings import JudgeSettings
from seamwatch.judging.model.facts import Evidence, Fact, ForwardedEvent, Measurement, Violation, Watermark
from tests.clauses.history import at, contract, decision, estate_of, found

CLAUSES = """
- {id: valid, kind: range, min: 0, max: 1, quiet: 6h}
- {id: mostly, kind: range, min: 0, max: 1, tolerate: 0.1}
- {id: hint, kind: range, min: 0, max: 1, severity: warning}
"""
DOCUMENT = contract("scorer", CLAUSES)
ESTATE = estate_of(DOCUMENT)
NONE_LATE = JudgeSettings(lateness=0, settle=0)


def fact(time: int, event_id: str, clause: str = "valid", breaches: int = 1, count: int = 1) -> Fact:
    known = ESTATE.contracts[0]
    evidence = (Evidence(time, event_id, value=2.0),) if breaches else ()
    start = time // HOUR * HOUR
    return Fact("example", "1", known.digest, clause, "scorer", None, start, HOUR, count, breaches, time, time,
                evidence=evidence)  # fmt: skip


def flush(time: int, *facts: Fact, events: tuple[ForwardedEvent, ...] = ()) -> Measurement:
    return Measurement(time, (Watermark("seamwatch.inference", 0, 0, time, caught_up=True),), facts, events)


def answer(time: int, reference: str, person: str = "owner@example.org", **fields: Any) -> ForwardedEvent:
    record = {
        "event_id": f"a{time}{person}", "event_time": time, "system": "scorer", "of": "violation", "note": None,
        "reference": reference, "person": person, "answer": "accept", "key_id": None, "signature": None, **fields,
    }  # fmt: skip
    return ForwardedEvent("acknowledgement", record)


def told(judge: Judge, measurement: Measurement) -> list[tuple[str, str, int]]:
    return [(v.clause, v.state, len(v.evidence)) for v in judge.on_measurement(measurement).violations]


def one(judge: Judge, measurement: Measurement) -> Violation:
    (violation,) = judge.on_measurement(measurement).violations
    return violation


def restarted(judge: Judge) -> Judge:
    successor = Judge(ESTATE, NONE_LATE)
    for key, value in judge.take_dirty().items():
        if value is not None:
            successor.restore(key, value)
    return successor


def test_it_opens_once_grows_by_its_first_five_events_and_ends_once() -> None:
    judge = Judge(ESTATE, JudgeSettings(lateness=0, settle=0, climbs=False))
    states = []
    for number in range(8):
        states += told(judge, flush(at(f"1h{number + 1}m"), fact(at(f"1h{number}m30s"), f"e{number}")))
    assert states == [("valid", "open", number) for number in range(1, 6)]
    states = [state for hour in range(2, 40) for state in told(judge, flush(at(f"{hour}h")))]
    assert states == [("valid", "resolved", 5)]


def test_what_breaks_again_within_the_quiet_time_is_the_same_episode_and_pages_nobody_again() -> None:
    judge = Judge(ESTATE, NONE_LATE)
    opened = one(judge, flush(at("1h1m"), fact(at("1h"), "e")))
    one(judge, flush(at("1h2m"), events=(answer(at("1h2m"), opened.violation_id),)))
    again = one(judge, flush(at("6h59m"), fact(at("6h58m"), "f")))
    assert (again.violation_id, again.state, again.step) == (opened.violation_id, "acknowledged", 0)
    # Six quiet hours after the last event that offended it is over; what comes then is another.
    assert told(judge, flush(at("12h57m"))) == []
    over = one(judge, flush(at("12h59m")))
    assert (over.violation_id, over.state, over.resolved_at) == (opened.violation_id, "resolved", at("12h58m"))
    other = one(judge, flush(at("14h2m"), fact(at("14h1m"), "g")))
    assert (other.state, other.violation_id != opened.violation_id) == ("open", True)


def test_a_share_ends_with_the_first_window_that_is_within_what_was_agreed() -> None:
    judge = Judge(ESTATE, NONE_LATE)
    judge.on_measurement(flush(at("1h1m"), fact(at("1h"), "a", "mostly", 5, 10)))
    opened = one(judge, flush(at("2h")))
    judge.on_measurement(flush(at("2h1m"), events=(answer(at("2h1m"), opened.violation_id),)))
    judge.on_measurement(flush(at("2h2m"), fact(at("2h1m"), "b", "mostly", 5, 10)))
    longer = one(judge, flush(at("3h")))
    assert (longer.violation_id, longer.state) == (opened.violation_id, "acknowledged")
    # A window without events says nothing, one within ends it, and the next beyond is another.
    assert told(judge, flush(at("4h30m"))) == []
    judge.on_measurement(flush(at("4h31m"), fact(at("4h30m30s"), "c", "mostly", 0, 10)))
    over = one(judge, flush(at("5h")))
    assert (over.violation_id, over.state, over.resolved_at) == (opened.violation_id, "resolved", at("5h"))
    judge.on_measurement(flush(at("5h1m"), fact(at("5h"), "d", "mostly", 5, 10)))
    assert one(judge, flush(at("6h"))).violation_id != opened.violation_id


def test_a_warning_climbs_no_list() -> None:
    judge = Judge(ESTATE, NONE_LATE)
    warned = one(judge, flush(at("1h1m"), fact(at("1h"), "e", "hint")))
    assert (warned.severity, warned.person) == ("warning", "owner@example.org")
    assert told(judge, flush(at("6h"))) == []


def test_the_last_of_the_list_keeps_it() -> None:
    judge = Judge(ESTATE, NONE_LATE)
    judge.on_measurement(flush(at("1h1m"), fact(at("1h"), "e")))
    climbed = one(judge, flush(at("1h16m")))
    assert (climbed.state, climbed.person, climbed.step) == ("escalated", "second@example.org", 1)
    assert told(judge, flush(at("6h"))) == []
    # Whoever of the list answers, at whatever step, has it.
    known = one(judge, flush(at("6h1m"), events=(answer(at("6h1m"), climbed.violation_id),)))
    assert (known.state, known.acknowledged_by, known.step) == ("acknowledged", "owner@example.org", 1)


def test_an_objection_by_the_last_of_the_list_hands_over_to_nobody() -> None:
    judge = Judge(ESTATE, NONE_LATE)
    opened = one(judge, flush(at("1h1m"), fact(at("1h"), "e")))
    no = answer(at("1h2m"), opened.violation_id, answer="object")
    assert one(judge, flush(at("1h2m"), events=(no,))).person == "second@example.org"
    again = answer(at("1h3m"), opened.violation_id, "second@example.org", answer="object")
    assert told(judge, flush(at("1h3m"), events=(again,))) == []


def test_one_answer_is_enough_and_a_later_one_changes_nothing() -> None:
    judge = Judge(ESTATE, NONE_LATE)
    opened = one(judge, flush(at("1h1m"), fact(at("1h"), "e")))
    one(judge, flush(at("1h2m"), events=(answer(at("1h2m"), opened.violation_id),)))
    others = [answer(at("1h3m"), opened.violation_id, "second@example.org"),
              answer(at("1h4m"), opened.violation_id, answer="object")]  # fmt: skip
    for other in others:
        assert told(judge, flush(at("1h5m"), events=(other,))) == []
    assert told(judge, flush(at("3h"))) == []


def test_an_answer_to_what_is_over_changes_nothing() -> None:
    judge = Judge(ESTATE, NONE_LATE)
    opened = one(judge, flush(at("1h1m"), fact(at("1h"), "e")))
    judge.on_measurement(flush(at("1h16m")))
    one(judge, flush(at("8h")))
    assert told(judge, flush(at("9h"), events=(answer(at("9h"), opened.violation_id),))) == []


@pytest.mark.parametrize("crash", [False, True], ids=["", "through a crash"])
def test_an_answer_that_is_read_before_its_violation_counts_when_that_opens(crash: bool) -> None:
    known = one(Judge(ESTATE, NONE_LATE), flush(at("1h1m"), fact(at("1h"), "e"))).violation_id
    judge = Judge(ESTATE, NONE_LATE)
    early = (answer(at("1h2m"), known), answer(at("1h3m"), "another"))
    assert told(judge, flush(at("1h30s"), events=early)) == []
    judge = restarted(judge) if crash else judge
    assert told(judge, flush(at("1h4m"), fact(at("1h"), "e"))) == [("valid", "open", 1), ("valid", "acknowledged", 1)]
    # Nobody is asked again.
    assert told(judge, flush(at("3h"))) == []


def test_an_early_answer_by_somebody_else_counts_as_little_as_a_late_one() -> None:
    known = one(Judge(ESTATE, NONE_LATE), flush(at("1h1m"), fact(at("1h"), "e"))).violation_id
    judge = Judge(ESTATE, NONE_LATE)
    judge.on_measurement(flush(at("1h"), events=(answer(at("1h"), known, "stranger@example.org"),)))
    assert told(judge, flush(at("1h4m"), fact(at("1h"), "e"))) == [("valid", "open", 1)]


def test_early_answers_are_kept_for_a_day_and_so_many() -> None:
    answers = Answers()
    for number in range(MOST + 1):
        answers.keep(answer(number, f"v{number}").record, number * SECOND)
    assert (answers.take("v0"), len(answers.take("v1")), answers.take("v1")) == ([], 1, [])
    (kept,) = answers.saved().values()
    assert kept is not None
    answers.keep(answer(0, "w").record, DAY + 400 * SECOND)
    assert (answers.take("v300"), len(answers.take("v450")), len(answers.take("w"))) == ([], 1, 1)
    again = Answers()
    again.restore("\x00answers", kept)
    assert len(again.take("v2")) == 1
    long = Answers()
    for number in range(MOST):
        long.keep(answer(number, f"v{number}", note="x" * 4_000).record, number)
    (value,) = long.saved().values()
    assert value is not None
    assert len(value) < 600_000
    assert (long.take("v0"), len(long.take(f"v{MOST - 1}"))) == ([], 1)


def test_the_id_is_the_same_after_a_crash_and_in_a_replay() -> None:
    judge = Judge(ESTATE, NONE_LATE)
    opened = one(judge, flush(at("1h1m"), fact(at("1h"), "e")))
    grown = one(restarted(judge), flush(at("1h2m"), fact(at("1h1m"), "f")))
    assert (grown.violation_id, grown.opened_at) == (opened.violation_id, opened.opened_at)
    (replayed,) = [v for v in found(DOCUMENT, [decision("1h", score=2.0)], now="2h") if v.clause == "valid"]
    assert replayed.violation_id == opened.violation_id


def test_an_answer_within_a_history_counts_in_its_replay() -> None:
    history = [decision("1h", score=2.0)]
    (violation,) = [v for v in found(DOCUMENT, history, now="2h") if v.clause == "valid"]
    asked = {"type": "acknowledgement", **answer(at("1h"), violation.violation_id).record}
    asked = {name: value for name, value in asked.items() if value is not None}
    for offset in (0, 90 * MINUTE):
        # At the very time of the event it is read before what it answers.
        answered = [*history, {**asked, "event_time": at("1h") + offset}]
        (known,) = [v for v in found(DOCUMENT, answered, now="3h") if v.clause == "valid"]
        assert (known.state, known.acknowledged_by, known.acknowledged_at) == (
            "acknowledged", "owner@example.org", at("1h") + offset,
        )  # fmt: skip
        assert replace(known, state="open", acknowledged_at=None, acknowledged_by=None) == violation
