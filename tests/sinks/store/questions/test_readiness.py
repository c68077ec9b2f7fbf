"""What the record of a day answers to the questions of readiness."""

from __future__ import annotations

from seamwatch.durations import HOUR
from sinks.store.questions.estate import estate_on_record
from sinks.store.questions.readiness import QUESTIONS, readiness, tally
from tests.sinks.store.questions.judged import AGENT, DATA, END, MODEL, STRAY, Judged


def test_a_day_with_gaps_is_answered_for_every_system(day: Judged) -> None:
    answers = readiness(day.store, estate_on_record(day.store), END + HOUR)
    of = {(one.system, one.question): one for one in answers}
    assert set(of) == {(system, question) for system in (AGENT, DATA, MODEL, STRAY) for question in QUESTIONS}
    assert all(bool(one.remedy) is (one.answer != "yes") and one.evidence for one in answers)
    said = {question: of[MODEL, question].answer for question in QUESTIONS}
    assert said == {
        "quality": "yes", "runbook": "no", "thresholds": "no", "inventory": "no", "reviews": "no", "swap": "no",
        "paged": "no", "decision_log": "no", "permissions": "no", "contract": "no",
    }  # fmt: skip
    assert "lending@2 is not signed by" in of[MODEL, "thresholds"].evidence
    assert "'risk_tier'" in of[MODEL, "inventory"].evidence
    # The store's user in this test is its writer.
    assert "may also write" in of[MODEL, "decision_log"].evidence
    # What nobody declared has the built-in clause on its scores, which has seen too few of them.
    assert of[STRAY, "quality"].answer == "no"
    assert (of[STRAY, "swap"].answer, "reference" in of[STRAY, "swap"].evidence) == ("not_known", True)
    (one, *_) = [tally(each for each in answers if each.system == MODEL)]
    assert one.startswith("1 yes, 9 no (runbook, ")


def test_one_system_is_answered_alone(day: Judged) -> None:
    answers = readiness(day.store, estate_on_record(day.store), END + HOUR, [AGENT])
    assert [one.question for one in answers] == list(QUESTIONS)
    assert {one.system for one in answers} == {AGENT}
