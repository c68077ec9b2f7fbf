"""Holding: what a drill's steps come to, from what was heard, what the documents say and what persons answer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from itertools import count
from typing import Any

import pytest

from console.drilling.answering import Answer
from console.drilling.checking import Checked, Subject, offline, runbook
from console.drilling.climbing import Climb, paged_of, taken_of
from console.drilling.holding import Holding
from console.drilling.report import FORMS, Report, written
from console.drilling.scenario import Scenario, Step, read_scenario
from seamwatch.clauses.drill.statement import Held, Paged, Taken, read_statement
from seamwatch.clauses.drill.statement import Step as Outcome
from seamwatch.clauses.stated import stated_text
from seamwatch.documents import Rota
from seamwatch.durations import MINUTE
from seamwatch.engine.seams import seam_of
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import Violation
from seamwatch.judging.model.seam import EscalationList, RotaStep
from seamwatch.judging.model.seam import Step as Listed
from seamwatch.judging.patterns.ladder import asked
from tests.clauses.history import at, contract, estate_of

OWNER, SECOND_ONE = "owner@example.org", "second@example.org"
SYSTEM = f"kind: System\nid: scorer\ntype: model\nowner: {OWNER}\n"
AGREED = contract("scorer", "- {id: valid, kind: range, min: 0, max: 1}")
DRILLED = Violation(
    violation_id="v1", contract="example", contract_version="1", contract_digest="d", clause="drill", kind="drill",
    system="scorer", slice="leak-1", severity="drill", state="open", observed=None, limit=None, unit=None,
    summary="DRILL", opened_at=at(), since=at(), detected_at=at(), person=OWNER,
)  # fmt: skip


def subject(system: str = SYSTEM) -> Subject:
    estate = estate_of(f"{AGREED}\n---\n{system}")
    return Subject(seam_of(estate, estate.contracts[0], "scorer"), estate, at())


def reached(system: str = SYSTEM) -> Subject:
    """The same, where the owner has a channel."""
    found = subject(system)
    person = found.estate.persons[OWNER].model_copy(update={"channels": ("mailto://owner@example.org",)})
    return replace(found, estate=replace(found.estate, persons={**found.estate.persons, OWNER: person}))


def page(person: str, channel: str, offset: str, step: int = 0, result: str = "delivered", **more: Any) -> Any:
    record = {
        "violation_id": "v1", "person": person, "channel": channel, "step": step, "sent_at": at(offset),
        "result": result, "news": "trigger",
    }  # fmt: skip
    return "page", record | more


def state(**more: Any) -> Any:
    return "violation", asdict(replace(DRILLED, **more))


def answer(person: str, offset: str, producer: str = "seamwatch ack") -> Any:
    return "acknowledgement", {"reference": "v1", "person": person, "event_time": at(offset), "producer": producer}


class Script:
    """What is heard, turn by turn, and a clock that each turn puts on."""

    def __init__(self, *turns: tuple[str, Iterable[Any]]) -> None:
        self.turns, self.time = list(turns), at()

    def read(self, _seconds: float) -> Iterable[tuple[str, dict[str, Any]]]:
        if not self.turns:
            return ()
        offset, records = self.turns.pop(0)
        self.time = at(offset)
        return tuple(records)


def climbed(
    *turns: tuple[str, Iterable[Any]], at_most: int | None = None, listed: EscalationList | None = None
) -> tuple[Any, list[str], Script]:
    script, lines = Script(*turns), list[str]()
    steps = asked(subject().seam.escalation if listed is None else listed, at())
    climb = Climb("leak-1", at(), steps, lambda: script.time, lines.append, at_most)
    return climb.follow(script), lines, script


# Climbing


def test_it_climbs_until_somebody_takes_it_on() -> None:
    taken = state(
        state="acknowledged", step=1, person=SECOND_ONE, acknowledged_by=SECOND_ONE, acknowledged_at=at("18m")
    )
    episode, lines, _ = climbed(
        ("2s", [page(OWNER, "mail", "1s"), state()]),
        ("3s", [page(OWNER, "slack", "3s", result="no such channel")]),
        ("15m", [state(state="escalated", step=1, person=SECOND_ONE), page(SECOND_ONE, "mail", "15m", 1)]),
        ("18m1s", [taken]),
        ("18m2s", [answer(SECOND_ONE, "18m", "slack")]),
    )
    assert [line.rpartition("  ")[2] for line in lines] == [
        f"{OWNER} told by mail: delivered", f"{OWNER} must act", f"{OWNER} told by slack: no such channel",
        f"{SECOND_ONE} must act", f"{SECOND_ONE} told by mail: delivered", f"{SECOND_ONE} takes it on",
    ]  # fmt: skip
    assert [(p.person, p.channel, p.after_seconds, p.result) for p in paged_of(episode, at(), 9)] == [
        (OWNER, "mail", 1.0, "delivered"), (OWNER, "slack", 3.0, "no such channel"),
        (SECOND_ONE, "mail", 900.0, "delivered"),
    ]  # fmt: skip
    by = taken_of(episode, at())
    assert by == Taken(person=SECOND_ONE, by="slack", after_seconds=1080.0, told_seconds=180.0)
    assert len(paged_of(episode, at(), 1)) == 1


def test_it_is_over_when_the_last_of_the_list_has_had_their_time() -> None:
    last = state(state="escalated", step=1, person=SECOND_ONE)
    episode, _, script = climbed(("1s", [state()]), ("15m", [last]), ("44m", []), ("45m1s", []), ("2h", []), ("3h", []))
    assert taken_of(episode, at()) is None
    # After the end it listens once more, and no longer.
    assert script.time == at("2h")


def test_a_step_by_a_rota_is_who_is_on_call_when_it_comes_due_and_nobody_twice_in_a_row() -> None:
    days = {"time_zone": "UTC", "starts": "2000-01-01", "owner": OWNER, "persons": [OWNER]}
    away = [{"from": format_instant(at("10m")), "to": "2999-01-01", "person": SECOND_ONE, "reason": "leave"}]
    night = Rota.model_validate({"kind": "Rota", "id": "night", **days, "instead": away})
    last = state(state="escalated", step=1, person=SECOND_ONE)
    _, lines, script = climbed(
        ("1s", [state()]), ("15m", [last]), ("44m", []), ("45m1s", []), ("2h", []), ("3h", []),
        listed=(Listed(OWNER, 15 * MINUTE), RotaStep(night, 30 * MINUTE)),
    )  # fmt: skip
    assert [line.rpartition("  ")[2] for line in lines] == [f"{OWNER} must act", f"{SECOND_ONE} must act"]
    assert script.time == at("2h")
    # Who keeps the rota is on call all along, and had their time already: nobody is left after them.
    alone = Rota.model_validate({"kind": "Rota", "id": "alone", **days})
    _, _, script = climbed(
        ("1s", [state()]), ("16m", []), ("17m", []), ("18m", []),
        listed=(Listed(OWNER, 15 * MINUTE), RotaStep(alone, 30 * MINUTE)),
    )  # fmt: skip
    assert script.time == at("17m")


def test_it_waits_no_longer_than_it_is_told_to_or_where_no_episode_comes() -> None:
    _, _, script = climbed(("1s", [state()]), ("6m", []), ("7m", []), ("8m", []), at_most=5 * MINUTE)
    assert script.time == at("7m")
    episode, _, script = climbed(("30s", []), ("61s", []), ("62s", []), ("63s", []))
    assert (episode.violation, script.time) == (None, at("62s"))


def test_what_is_of_other_episodes_is_not_heard() -> None:
    taken = state(state="acknowledged", acknowledged_by=OWNER, acknowledged_at=at("1m"))
    episode, _, _ = climbed(
        ("1s", [state(violation_id="v2", slice="leak-2"), page(OWNER, "mail", "1s", violation_id="v2")]),
        ("2s", [state(), page(OWNER, "mail", "2s", news="acknowledged"), page(OWNER, "mail", "2s"), taken]),
    )
    assert [p.after_seconds for p in paged_of(episode, at(), 9)] == [2.0]
    assert taken_of(episode, at()) == Taken(person=OWNER, by="unknown", after_seconds=60.0, told_seconds=58.0)


# Steps


def held(
    *steps: dict[str, Any], told: tuple[Paged, ...] = (), taken: Taken | None = None,
    answers: dict[str, Answer] | None = None, reconstructed: Checked | None = None, of: Subject | None = None,
) -> list[Outcome]:  # fmt: skip
    scenario = Scenario(id="mine", title="Mine", story="It rained.", steps=tuple(map(Step.model_validate, steps)))
    clock = count()
    holding = Holding(
        of or subject(), told, taken, lambda asked: (answers or {}).get(asked.step.id),
        lambda: reconstructed or Checked(True, "told"), lambda: float(next(clock)),
    )  # fmt: skip
    return list(holding.outcomes(scenario))


def answered(**said: str) -> Answer:
    return Answer.model_validate(said)


def brief(outcomes: list[Outcome]) -> list[tuple[str, float | None, str]]:
    return [(one.result, one.took_seconds, one.said) for one in outcomes]


TOLD = (
    Paged(person=OWNER, channel="slack", step=0, after_seconds=1.0, result="refused"),
    Paged(person=OWNER, channel="mail", step=0, after_seconds=2.5, result="delivered"),
)


def test_detection_passes_when_somebody_was_told_in_time() -> None:
    step = {"id": "detection", "check": "paged", "within": "5s"}
    told = f"{OWNER} was told first, by mail; 1 of 2 attempts failed"
    assert brief(held(step, told=TOLD)) == [("passed", 2.5, told)]
    assert brief(held(step | {"within": "2s"}, told=TOLD)) == [
        ("failed", 2.5, f"{told}; it took 2.5 s, longer than it may")
    ]
    assert brief(held(step, told=TOLD[:1])) == [("failed", None, f"nobody was told: {OWNER} by slack: refused")]
    assert "does the pager run?" in held(step)[0].said


def test_escalation_passes_when_somebody_took_it_on_in_time() -> None:
    step = {"id": "escalation", "check": "taken", "within": "15m"}
    by = Taken(person=SECOND_ONE, by="slack", after_seconds=600, told_seconds=120)
    assert brief(held(step, told=TOLD, taken=by)) == [
        ("passed", 600, f"{SECOND_ONE} took it on by slack, 2 m after being told")
    ]
    assert held(step | {"within": "5m"}, taken=by)[0].result == "failed"
    assert brief(held(step, told=TOLD)) == [("failed", None, f"nobody took it on; asked were: {OWNER}")]


def test_a_runbook_is_there_or_not() -> None:
    assert not runbook(subject()).holds
    book = f"{SYSTEM}runbook: https://example.org/runbook\n"
    assert "no scheduled review" in runbook(subject(book)).said
    kept = f"{book}runbook_review: {{every: 180d, by: {OWNER}, last: 2026-01-15}}\n"
    assert runbook(subject(kept)) == Checked(
        True, f"https://example.org/runbook; reviewed every 180 d by {OWNER}, last at 2026-01-15 00:00:00 UTC"
    )


def test_who_may_take_it_offline_is_known_and_can_be_reached() -> None:
    assert offline(subject()) == Checked(
        False, f"{OWNER} may take it offline, but {OWNER} cannot be reached by any channel"
    )
    found = offline(reached(f"{SYSTEM}versions: [{{version: '2.1'}}]\n"))
    assert found.holds
    assert found.said == (f"{OWNER} may take it offline; in a dry run a guard of version 2.1 refuses what they suspend")
    other = reached(f"{SYSTEM}authority: {{suspend: [{SECOND_ONE}], resume: [{OWNER}]}}\n")
    assert offline(other).said.startswith(f"{SECOND_ONE} may take it offline, but")
    alone = replace(reached(), estate=replace(reached().estate, terms=()))
    assert offline(alone) == Checked(
        False, f"{OWNER} may take it offline; no contract covers it, so that a guard refuses whatever it does"
    )


def test_what_persons_do_passes_when_they_say_so_in_time() -> None:
    steps = (
        {"id": "letter", "by": "consumer", "what": "Write.", "within": "1h"},
        {"id": "call", "by": OWNER, "what": "Call."},
        {"id": "left", "by": "provider", "what": "Look."},
    )
    answers = {"letter": answered(said="sent", took="1h"), "call": answered(said="called", by=SECOND_ONE)}
    outcomes = held(*steps, answers=answers)
    assert [(one.result, one.by, one.said) for one in outcomes] == [
        ("passed", SECOND_ONE, "sent"), ("passed", SECOND_ONE, "called"),
        ("skipped", OWNER, "nobody says that it was done"),
    ]  # fmt: skip
    late = held(steps[0], answers={"letter": answered(said="sent", took="61m")})
    assert late[0].result == "failed"
    assert held(steps[0], answers={"letter": answered(said="sent")})[0].said == "sent; nobody says how long it took"


def test_a_decision_is_reconstructed_or_not_and_how_long_that_took() -> None:
    step = {"id": "reconstruct", "check": "reconstructed", "within": "10m"}
    assert brief(held(step)) == [("passed", 1.0, "told")]
    assert brief(held(step, reconstructed=Checked(False, "no decision"))) == [("failed", 1.0, "no decision")]


# The report


def report(outcomes: list[Outcome], title: str = "Leaked data") -> Report:
    scenario = read_scenario("leaked-data").model_copy(update={"title": title})
    by = Taken(person=OWNER, by="seamwatch ack", after_seconds=60, told_seconds=58)
    return Report(
        "leak-1", "scorer", "example", "1", "drill", scenario, OWNER, at(), at("30m"), "v1", TOLD, by, tuple(outcomes)
    )


def test_it_passed_when_each_step_did() -> None:
    well, left = {"id": "reconstruct", "check": "reconstructed"}, {"id": "left", "by": "owner", "what": "Look."}
    assert report(held(well)).passed
    assert not report(held(well, left)).passed
    assert report(held(well, left)).headline == "scorer did not pass: 1 of 2 steps passed, in 30 m"


def test_what_is_signed_names_the_report_by_its_digest() -> None:
    made = report(held({"id": "reconstruct", "check": "reconstructed"}))
    said = read_statement(stated_text(made.held()))
    assert isinstance(said, Held)
    assert (said.report, said.passed, said.violation) == (made.digest, True, "v1")
    assert json.loads(written(made, ".json"))["report"] == made.digest
    assert report(held({"id": "other", "check": "reconstructed"})).digest != made.digest


@pytest.mark.parametrize("form", FORMS)
def test_a_report_says_all_of_it_and_nothing_in_it_becomes_markup(form: str) -> None:
    step, said = {"id": "letter", "by": "owner", "what": "W", "within": "1h"}, "<b>sent</b> | [x](y)"
    made = report(held(step, answers={"letter": Answer.model_validate({"said": said, "took": "1m"})}), "A <i>title</i>")
    text, took = written(made, form).replace("\\", ""), "60" if form == ".json" else "1 m"
    for part in ("leak-1", made.digest, "seamwatch ack", OWNER, "refused", "delivered", took):
        assert part in text
    if form == ".html":
        assert "<i>" not in text
        assert "<b>" not in text
    if form == ".md":
        assert "\\<b\\>sent\\</b\\> \\| \\[x\\](y)" in written(made, form)
