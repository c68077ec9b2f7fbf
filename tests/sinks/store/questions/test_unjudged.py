"""What could not be judged is counted with its reason, by system and clause; nothing of it is silently zero."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sinks.store.questions.estate import estate_on_record
from sinks.store.questions.unjudged import Looked, Period, looked, not_judged, sentence
from tests.sinks.store.questions.judged import AGENT, BASE, DATA, END, MODEL, STRAY, Judged

DAY = Period(BASE, END)


@pytest.fixture(scope="module")
def found(day: Judged) -> list[Looked]:
    return looked(day.store, estate_on_record(day.store), DAY)


def of(found: list[Looked], clause: str | None, system: str = MODEL) -> list[tuple[str, str, str, int, int, int]]:
    return [
        (one.source, one.why, one.what, one.came, one.looked_at, one.count)
        for one in found
        if one.system == system and one.clause == clause
    ]


def test_the_estate_on_record_is_what_was_published(day: Judged) -> None:
    known = estate_on_record(day.store)
    assert known.systems == day.estate.systems
    assert known.contracts == day.estate.contracts
    (problem,) = known.problems
    assert "Contract/ours/1" in problem


def test_a_field_that_is_missing_and_windows_that_hold_too_few(found: list[Looked]) -> None:
    assert of(found, "quick") == [
        ("inference", "judged", "", 23, 23, 17),
        ("inference", "missing", "latency_ms", 23, 23, 6),
        ("inference", "too few", "1 of 2 windows (1 h) that hold any hold fewer than 5 decisions", 17, 17, 3),
    ]


def test_outcomes_without_a_decision_decisions_without_an_outcome_and_labels_that_are_odd(found: list[Looked]) -> None:
    assert of(found, "means-it") == [
        ("outcome", "judged", "", 15, 15, 13),
        ("outcome", "missing", "score", 15, 15, 1),
        ("outcome", "no decision", "", 15, 15, 1),
        ("outcome", "no outcome", "", 23, 23, 9),
        ("outcome", "too few", "fewer than 8 outcomes of a cohort in 1 of 2 cohorts", 13, 13, 4),
        ("outcome", "unreadable", "label", 15, 15, 1),
    ]
    # 0.5 says neither that it happens nor that it does not, and is compared as it stands: 4 of the south are judged.
    accuracy = of(found, "right")
    assert ("outcome", "too few", "1 of 2 windows (24 h) that hold any hold fewer than 5 outcomes of a cohort",
            13, 13, 4) in accuracy  # fmt: skip


def test_arguments_that_are_missing_are_told_from_those_that_cannot_be_used(found: list[Looked]) -> None:
    assert of(found, "may", AGENT) == [
        ("tool_call", "judged", "", 5, 5, 3),
        ("tool_call", "missing", "arguments.amount, tool", 5, 5, 1),
        ("tool_call", "unreadable", "arguments.amount, tool", 5, 5, 1),
    ]


def test_a_clause_that_cannot_fire_on_this_traffic_says_so(found: list[Looked]) -> None:
    assert ("inference", "none selected", "use_case = 'letters'", 23, 0, 23) in of(found, "spoken")


def test_refreshes_that_do_not_say_how_many_rows_they_have(found: list[Looked]) -> None:
    assert of(found, "enough", DATA) == [
        ("dataset_refresh", "judged", "", 2, 2, 1),
        ("dataset_refresh", "missing", "row_count", 2, 2, 1),
    ]


def test_signals_that_no_clause_is_on_and_systems_that_no_contract_covers(found: list[Looked]) -> None:
    assert of(found, None) == [
        ("inference", "unwatched", signal, 23, 23, 23) for signal in ("abuse", "drift", "fallback")
    ]
    assert ("inference", "no contract", "", 2, 2, 2) in of(found, None, STRAY)
    # Of the defaults every clause over what did not come says that.
    assert ("tool_call", "no event", "", 0, 0, 0) in of(found, "calls-complete", STRAY)


def test_what_cannot_be_used_at_all_is_told_of_no_system(found: list[Looked]) -> None:
    unused = [(one.source, one.why, one.count) for one in found if one.system == ""]
    assert unused == [("document", "not used", 1), ("inference", "not used", 1)]


def test_who_may_not_see_arguments_is_told_that_something_is_hidden(day: Judged) -> None:
    rows = looked(day.store, day.estate, DAY, [AGENT], everything=False)
    assert [(one.clause, one.why) for one in rows] == [("may", "hidden")]


def test_each_row_is_a_sentence_and_what_was_judged_is_none_of_them(found: list[Looked]) -> None:
    assert {one.why for one in found} - {one.why for one in not_judged(found)} == {"judged"}
    assert len({sentence(one) for one in found if one.system == MODEL}) > 8
    (missing,) = [one for one in found if (one.clause, one.why) == ("quick", "missing")]
    assert sentence(missing) == "6 of 23 decisions lack latency_ms"
    assert sentence(replace(missing, came=1, count=1)) == "1 of 1 decision lack latency_ms"


def test_a_clause_younger_than_the_time_is_asked_of_what_came_since(day: Judged) -> None:
    from sinks.store.questions.unjudged.asking import asked_of
    from sinks.store.questions.unjudged.counting import counted

    asked = [replace(each, since=BASE + 90 * 60_000_000) for each in asked_of(day.estate, MODEL, DAY)]
    rows = [one for one in counted(day.store, asked, DAY) if one.clause == "quick"]
    assert [(one.why, one.came, one.count) for one in rows] == [("judged", 6, 0), ("missing", 6, 6)]
