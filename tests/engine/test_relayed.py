"""What people answer elsewhere: a relay's word counts for violations, never for more, and in any order."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from seamwatch.durations import HOUR, MINUTE, SECOND
from seamwatch.engine.judge import Judge
from seamwatch.engine.settings import JudgeSettings
from seamwatch.judging.model.facts import Evidence, Fact, ForwardedEvent, Violation
from seamwatch.testing import event_id
from tests.clauses.history import at
from tests.engine.test_verdicts import ESTATE, KEY, Scene, change, flush, record, relayed, signed

RETRACT = {"answer": "retract"}


def latest(scene: Scene) -> Violation:
    (episode,) = scene.judge.episodes()
    return episode


def told(scene: Scene, *answers: dict[str, Any]) -> list[str]:
    return [scene.one({**answer, "event_id": event_id(f"told{n}")})[1] for n, answer in enumerate(answers)]


def test_a_relayed_answer_counts_also_for_who_has_keys_and_stops_the_climb() -> None:
    scene = Scene()
    mira = scene.answer("mira@example.org")
    assert scene.one(mira) == (False, "unsigned")
    assert scene.one({**relayed(mira), "event_id": event_id("r")}) == (True, "counts")
    assert latest(scene).acknowledged_by == "mira@example.org"
    later = scene.judge.on_measurement(flush(at("1h40m")))
    assert later.violations == ()


def test_a_relays_word_counts_by_its_own_key_over_what_it_shows() -> None:
    scene = Scene()
    answer = scene.answer("mira@example.org")
    right = relayed(answer)
    by_another = {**answer, "relayed_by": "owner@example.org", "evidence": "{}"}
    assert told(
        scene,
        {**right, "relayed_by": "nobody@example.org"},
        by_another,
        {**right, "evidence": None},
        {**right, "signature": None},
        {**right, "evidence": '{"forged": true}'},
        {**right, "person": "owner@example.org"},
        {**right, "note": "not said"},
        {**right, "key_id": "mira-1"},
        relayed(answer, KEY),
        {**right, "relayed_by": None},
        right,
    ) == [
        "no_relay", "no_relay", "no_evidence", "unsigned", "wrong_signature", "wrong_signature", "wrong_signature",
        "unknown_key", "wrong_signature", "unknown_key", "counts",
    ]  # fmt: skip


def test_it_never_answers_a_change_or_a_summary_also_for_who_has_no_keys() -> None:
    scene = Scene()
    scene.say(change(scene.now, "CR-1"))
    to_change = {"of": "change", "reference": "CR-1"}
    assert told(
        scene,
        relayed(scene.answer("mira@example.org", **to_change)),
        relayed(scene.answer(**to_change)),
        relayed(scene.answer(answer="object", **to_change)),
        scene.answer(**to_change, **RETRACT),
    ) == ["relayed", "relayed", "relayed", "not_retractable"]
    assert scene.one(scene.answer(**to_change)) == (True, "counts")


def test_it_is_judged_like_any_other_besides() -> None:
    scene = Scene()
    assert told(
        scene,
        relayed(scene.answer("lena@example.org")),
        relayed(scene.answer(system="elsewhere")),
        relayed(scene.answer(answer="object")),
        relayed(scene.answer()),
        relayed(scene.answer("mira@example.org")),
    ) == ["not_asked", "unknown", "counts", "counts", "taken"]


@pytest.mark.parametrize("climbs", [True, False])
def test_what_is_taken_back_is_waited_for_anew_by_a_clock_that_starts_then(climbs: bool) -> None:
    scene = Scene(climbs=climbs)
    assert scene.one(relayed(scene.answer("mira@example.org"))) == (True, "counts")
    scene.now = at("1h20m")
    assert scene.one(relayed(scene.answer("mira@example.org", **RETRACT))) == (True, "counts")
    open_again = latest(scene)
    assert (open_again.state, open_again.step, open_again.person) == ("open", 0, "mira@example.org")
    assert (open_again.acknowledged_by, open_again.acknowledged_at) == (None, None)
    within = ESTATE.contracts[0].escalation[0].acknowledge_within
    before = scene.judge.on_measurement(flush(scene.now + within - MINUTE))
    assert before.violations == ()
    after = scene.judge.on_measurement(flush(scene.now + within + SECOND))
    assert [(v.state, v.step) for v in after.violations] == ([("escalated", 1)] if climbs else [])
    if climbs:
        scene.now += within + MINUTE
        owner = scene.answer()
        assert scene.one(owner) == (True, "counts")
        assert scene.one(scene.answer(**RETRACT)) == (True, "counts"), "who has no keys takes back what they said"
        assert (latest(scene).state, latest(scene).step) == ("escalated", 1)


def test_in_whatever_order_it_comes_nothing_from_before_it_was_taken_back_counts() -> None:
    said = [("accept", 0), ("retract", 2)]
    for order in (*permutations(said), *permutations([*said, ("accept", 4)])):
        scene = Scene()
        start = scene.now
        for word, minute in order:
            made = record(start + minute * MINUTE, scene.id, "mira@example.org", answer=word)
            scene.say(relayed({**made, "event_id": event_id(f"{word}{minute}")}))
        # An acceptance that came while another stood is not waited for: then it is open, and somebody is asked again.
        unheard = order == (("accept", 0), ("accept", 4), ("retract", 2))
        taken = len(order) == 3 and not unheard
        expected = ("acknowledged", start + 4 * MINUTE) if taken else ("open", None)
        assert (latest(scene).state, latest(scene).acknowledged_at) == expected, order


def test_nobody_has_taken_it_on_and_what_was_said_before_is_void() -> None:
    scene = Scene()
    when = scene.now
    early = record(when, scene.id, "mira@example.org")
    assert scene.one(relayed(scene.answer("mira@example.org", **RETRACT))) == (False, "not_taken")
    assert scene.one(relayed(early)) == (False, "retracted")
    assert scene.one(relayed(scene.answer("mira@example.org"))) == (True, "counts")
    assert scene.one(relayed(record(when, scene.id, "mira@example.org", **RETRACT))) == (False, "too_early")


def test_what_waits_keeps_the_digest_of_its_evidence_and_is_judged_by_it_after_a_crash() -> None:
    fresh = Judge(ESTATE, JudgeSettings(lateness=0, settle=0))
    violation_id = Scene().id
    evidence = json.dumps({"said": "x" * 60_000})
    right = relayed(record(at("50m"), violation_id, "mira@example.org"), evidence=evidence)
    forged = {**right, "event_id": event_id("forged"), "evidence": "{}"}
    for answer in (right, forged):
        fresh.on_measurement(flush(at("50m"), events=[ForwardedEvent("acknowledgement", answer)]))
    successor = Judge(ESTATE, JudgeSettings(lateness=0, settle=0))
    saved = fresh.take_dirty()
    assert sum(len(value or b"") for value in saved.values()) < 5_000
    for key, value in saved.items():
        if value is not None:
            successor.restore(key, value)
    known = ESTATE.contracts[0]
    fact = Fact("example", "1", known.digest, "valid", "scorer", None, at("1h"), HOUR, 1, 1, at("1h"), at("1h"),
                evidence=(Evidence(at("1h"), event_id("e"), value=2.0),))  # fmt: skip
    output = successor.on_measurement(flush(at("1h1m"), fact))
    assert {v.acknowledgement_id: v.reason for v in output.verdicts} == {
        right["event_id"]: "counts",
        forged["event_id"]: "wrong_signature",
    }


def test_an_episode_of_a_release_before_is_taken_up_and_taken_back() -> None:
    scene = Scene()
    assert scene.one(signed(scene.answer("mira@example.org"))) == (True, "counts")
    successor = Judge(ESTATE, JudgeSettings(lateness=0, settle=0))
    for key, value in scene.judge.take_dirty().items():
        if value is not None:
            successor.restore(key, value.replace(b',"retracted_at":null', b""))
    scene.judge = successor
    assert scene.one(relayed(scene.answer("mira@example.org", **RETRACT))) == (True, "counts")
    assert latest(scene).state == "open"
