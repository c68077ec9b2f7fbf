"""Rotas as they are judged: who is asked is whoever was on call when it opened, and when each step came due."""

from __future__ import annotations

from typing import Any

import pytest

from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.engine.judge import Judge
from seamwatch.engine.settings import JudgeSettings
from seamwatch.judging.model.facts import Violation
from seamwatch.judging.model.seam import RotaStep, Step
from seamwatch.judging.patterns.ladder import asked, ladder, members
from seamwatch.testing import event_id
from streams.replay.replay import replay
from streams.testing import Stream
from tests.clauses.history import at, contract, decision, estate_of, record_of
from tests.engine.test_episodes import answer, fact, flush, one

ANN, BEN, CAI, OWNER = (f"{name}@example.org" for name in ("ann", "ben", "cai", "owner"))
PEOPLE = "\n---\n".join(f"kind: Person\nid: {name}\nname: Example" for name in (ANN, BEN, CAI)) + "\n"
ROTA = f"""
kind: Rota
id: on-call
owner: {OWNER}
time_zone: UTC
starts: 2026-03-02
hand_over: "09:00"
every: 7d
persons: [{ANN}, {BEN}]
instead:
  - {{from: 2026-03-11, to: 2026-03-12, person: {CAI}, reason: holiday}}
"""
CLAUSES = "- {id: valid, kind: range, min: 0, max: 1, quiet: 6h}"
LISTED = """escalation:
  - {person: owner@example.org, acknowledge_within: 15m}
  - {person: second@example.org, acknowledge_within: 30m}
"""
ROTATED = """escalation:
  - {rota: on-call, acknowledge_within: 15m}
  - {rota: on-call, acknowledge_within: 15m}
  - {person: second@example.org, acknowledge_within: 30m}
"""
DOCUMENT = contract("scorer", CLAUSES).replace(LISTED, ROTATED)
assert ROTATED in DOCUMENT


def estate(rota: str = ROTA, document: str = DOCUMENT) -> Any:
    return estate_of(PEOPLE, rota, document)


def broken(offset: str) -> dict[str, Any]:
    return decision(offset, event_id=f"e{offset}", score=2.0)


def persons(violations: list[Violation]) -> list[str | None]:
    return [violation.person for violation in sorted(violations, key=lambda v: v.opened_at)]


def test_whoever_is_on_call_when_it_opens_is_asked() -> None:
    times = ("1h", "9h", "3d", "7d1h", "7d9h", "9d9h", "9d23h", "10d9h", "14d9h")
    found = replay(estate(), [record_of(broken(offset)) for offset in times])
    assert persons(found) == [OWNER, ANN, ANN, ANN, BEN, CAI, CAI, BEN, ANN]


def test_live_the_same_are_asked_as_in_a_replay() -> None:
    rota = ROTA.replace("7d", "1d").replace("03-11", "03-03 11:00").replace("03-12", "03-03 12:00")
    daily = estate(rota, DOCUMENT.replace("quiet: 6h", "quiet: 10m"))
    events = [record_of(broken(offset)) for offset in ("1d8h30m", "1d9h", "1d11h30m", "1d12h")]
    stream = Stream(daily, now=at("1d8h"), settings=JudgeSettings(lateness=MINUTE, settle=0, climbs=False))
    for record_type, record in events:
        stream.advance(record["event_time"] - stream.now)
        stream.put(record_type, record)
        stream.advance(2 * MINUTE)
    assert persons(stream.violations) == [ANN, BEN, CAI, BEN]
    assert {(v.violation_id, v.person) for v in stream.violations} == {
        (v.violation_id, v.person) for v in replay(daily, events)
    }


def opened(judge: Judge, offset: str) -> Violation:
    return one(judge, flush(at(offset) + MINUTE, fact(at(offset), event_id(offset))))


def judge_of(documents: Any) -> Judge:
    return Judge(documents, JudgeSettings(lateness=0, settle=0))


def test_the_climb_goes_over_a_hand_over_and_asks_nobody_twice_in_a_row() -> None:
    judge = judge_of(estate())
    first = opened(judge, "7d8h50m")
    assert first.person == ANN, "and the second step comes due at 09:05, when Ben has taken over"
    climbed = [one(judge, flush(first.detected_at + minutes * MINUTE)) for minutes in (15, 30)]
    assert [(v.step, v.person) for v in climbed] == [(1, BEN), (2, "second@example.org")]
    judge = judge_of(estate())
    first = opened(judge, "3d")
    climbed = [one(judge, flush(first.detected_at + 15 * MINUTE))]
    assert [(v.step, v.person) for v in climbed] == [(1, "second@example.org")]


def test_a_restart_and_a_later_version_of_the_rota_change_nothing_of_what_is_open() -> None:
    judge = judge_of(estate())
    first = opened(judge, "7d8h50m")
    other = estate(ROTA.replace(f"[{ANN}, {BEN}]", f"[{CAI}]"))
    successor = judge_of(other)
    for key, value in judge.take_dirty().items():
        assert value is not None
        successor.restore(key, value)
    climbed = one(successor, flush(first.detected_at + 15 * MINUTE))
    assert (climbed.person, climbed.step) == (BEN, 1)
    assert opened(judge_of(other), "7d8h50m").person == CAI


@pytest.mark.parametrize("person", [BEN, CAI, OWNER])
def test_any_member_of_the_rota_may_take_it_on_and_a_stranger_may_not(person: str) -> None:
    judge = judge_of(estate())
    first = opened(judge, "3d")
    stranger = answer(first.detected_at + MINUTE, first.violation_id, "nobody@example.org")
    assert judge.on_measurement(flush(first.detected_at + MINUTE, events=(stranger,))).violations == ()
    taken = one(judge, flush(first.detected_at + 2 * MINUTE, events=(answer(at("3d2m"), first.violation_id, person),)))
    assert (taken.state, taken.acknowledged_by) == ("acknowledged", person)


def test_a_member_hands_it_over_to_the_next_of_the_list() -> None:
    judge = judge_of(estate())
    first = opened(judge, "3d")
    no = answer(at("3d2m"), first.violation_id, BEN, answer="object")
    assert one(judge, flush(at("3d2m"), events=(no,))).person == "second@example.org"


def test_in_place_of_a_rota_that_is_published_no_longer_the_owner_or_who_signs_is_asked() -> None:
    known = estate()
    gone = type(known)(known.persons, known.systems, known.terms)
    assert gone.rotas == {}
    assert opened(judge_of(gone), "3d").person == "second@example.org", "who signs for the consumer"


WEEK = 7 * DAY
STEP = RotaStep(estate().rotas["on-call"], HOUR)
MONDAY = at("9h")


def names(steps: tuple[Step, ...]) -> list[str]:
    return [step.person for step in steps]


def test_who_is_asked_by_a_list_follows_from_when_each_step_comes_due() -> None:
    before = MONDAY + WEEK - 30 * MINUTE
    assert names(asked((STEP, STEP), before)) == [ANN, BEN]
    assert names(asked((STEP, STEP), MONDAY)) == [ANN]
    # Whoever was left out had no time, so that the next step comes due at once.
    assert names(asked((STEP, STEP, STEP), before - HOUR, (ANN,))) == []
    assert names(asked((Step(BEN, HOUR), STEP, Step(CAI)), before)) == [BEN, CAI]
    assert names(asked((STEP, Step(ANN), Step(ANN)), MONDAY)) == [ANN]
    # A list that names somebody twice in a row by name is what somebody agreed.
    assert names(asked((Step(ANN), Step(ANN)), MONDAY)) == [ANN, ANN]
    assert members((Step(BEN), STEP)) == (BEN, ANN, CAI, OWNER)


def test_whom_a_finding_names_comes_first_and_whoever_is_after_them_so_much_later() -> None:
    before = MONDAY + WEEK - 30 * MINUTE
    assert names(ladder((STEP, Step(CAI)), before, None)) == [ANN, CAI]
    assert names(ladder((STEP, Step(CAI)), before, ANN)) == [ANN, CAI], "their own step is not asked again"
    assert names(ladder((STEP, Step(CAI)), before, "x")) == ["x", BEN, CAI], "by then Ben has taken over"
    assert names(ladder((STEP, Step(CAI)), MONDAY, CAI)) == [CAI, ANN]
    assert names(ladder((STEP,), MONDAY, None, said_by=ANN, signatories=(ANN, CAI))) == [CAI]
    assert [step.acknowledge_within for step in ladder((STEP,), MONDAY, "x")] == [HOUR, HOUR]
