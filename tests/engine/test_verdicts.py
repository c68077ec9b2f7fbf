"""Every answer is told what it came to: that it counts, or why not, in a word of docs/paging.md and in a sentence."""

from __future__ import annotations

import random
import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.documents import Estate
from seamwatch.durations import DAY, HOUR, MINUTE, SECOND
from seamwatch.engine.judge import Judge
from seamwatch.engine.settings import JudgeSettings
from seamwatch.judging.model.facts import Evidence, Fact, ForwardedEvent, Measurement, Verdict, Watermark
from seamwatch.judging.patterns.answered import REASONS
from seamwatch.signatures import acknowledgement_bytes, change_digest, sign
from seamwatch.testing import event_id, inference
from streams.measure.plan import Plan
from streams.replay.history.gathering import History
from streams.replay.replay import chunks_of, judged
from streams.testing import Load, loaded
from tests.clauses.history import at, contract, estate_of

KEY = Ed25519PrivateKey.from_private_bytes(b"m" * 32)
OLD = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
RELAY = Ed25519PrivateKey.from_private_bytes(b"r" * 32)


def public(key: Ed25519PrivateKey) -> str:
    return b64encode(key.public_key().public_bytes_raw()).decode()


PEOPLE = f"""
apiVersion: seamwatch/v1
kind: Person
id: mira@example.org
name: Mira
keys:
  - {{key_id: mira-1, public: "{public(KEY)}"}}
  - {{key_id: mira-0, public: "{public(OLD)}", revoked_at: 2026-01-01T00:00:00Z}}
---
apiVersion: seamwatch/v1
kind: Person
id: replies@example.org
name: Replies
roles: [relay]
keys:
  - {{key_id: replies-1, public: "{public(RELAY)}"}}
"""
CLAUSES = """
- {id: valid, kind: range, min: 0, max: 1, quiet: 1h}
- {id: tell, kind: change_notice, kinds: [model], acknowledgers: [owner@example.org, mira@example.org]}
"""
TEXT = contract("scorer", CLAUSES).replace(
    "  - {person: owner@example.org",
    "  - {person: mira@example.org, acknowledge_within: 20m}\n  - {person: owner@example.org",
    1,
)
ESTATE = estate_of(TEXT, PEOPLE)
OTHER = contract("other", "- {id: valid, kind: range, min: 0, max: 1}").replace("id: example", "id: another")


def record(when: int, reference: str, person: str = "owner@example.org", **fields: Any) -> dict[str, Any]:
    return {
        "event_id": event_id(f"{when}{person}{reference}"), "event_time": when, "system": "scorer", "of": "violation",
        "note": None, "reference": reference, "person": person, "answer": "accept", "key_id": None, "signature": None,
        **fields,
    }  # fmt: skip


def signed(of: dict[str, Any], key: Ed25519PrivateKey = KEY, key_id: str = "mira-1") -> dict[str, Any]:
    return {
        **of,
        "key_id": key_id,
        "signature": b64encode(sign(acknowledgement_bytes(of), key.private_bytes_raw())).decode(),
    }


def relayed(of: dict[str, Any], key: Ed25519PrivateKey = RELAY, **fields: Any) -> dict[str, Any]:
    """The same answer as it comes from another service."""
    return signed({**of, "relayed_by": "replies@example.org", "evidence": "{}", **fields}, key, "replies-1")


def change(when: int, change_id: str, **fields: Any) -> ForwardedEvent:
    return ForwardedEvent("config_change", {
        "event_id": event_id(f"{when}{change_id}"), "event_time": when, "system": "scorer", "change_id": change_id,
        "kind": "model", "effective_at": when, "summary": "-", "announced_by": "owner@example.org", "signatures": [],
        "to_value": "9", "config_digest": None, "from_value": None, **fields,
    })  # fmt: skip


def flush(when: int, *facts: Fact, events: Sequence[ForwardedEvent] = ()) -> Measurement:
    return Measurement(when, (Watermark("seamwatch.inference", 0, 0, when, caught_up=True),), facts, tuple(events))


class Scene:
    """A judge with a violation open, asked one thing after another."""

    def __init__(self, *, climbs: bool = True) -> None:
        self.judge = Judge(ESTATE, JudgeSettings(lateness=0, settle=0, climbs=climbs))
        known = ESTATE.contracts[0]
        when = at("1h")
        fact = Fact("example", "1", known.digest, "valid", "scorer", None, when, HOUR, 1, 1, when, when,
                    evidence=(Evidence(when, event_id("e"), value=2.0),))  # fmt: skip
        (self.opened,) = self.judge.on_measurement(flush(at("1h1m"), fact)).violations
        self.id = self.opened.violation_id
        self.now = at("1h1m")

    def say(self, *events: ForwardedEvent | dict[str, Any], arrived: int | None = None) -> list[Verdict]:
        self.now += SECOND
        sent = [
            event if isinstance(event, ForwardedEvent) else ForwardedEvent("acknowledgement", event, arrived=arrived)
            for event in events
        ]
        return list(self.judge.on_measurement(flush(self.now, events=sent)).verdicts)

    def one(self, event: dict[str, Any], **options: Any) -> tuple[bool, str]:
        (verdict,) = self.say(event, **options)
        assert verdict.acknowledgement_id == event["event_id"]
        assert (verdict.person, verdict.of, verdict.reference) == (event["person"], event["of"], event["reference"])
        assert verdict.answered_at == event["event_time"]
        assert verdict.summary
        return verdict.counted, verdict.reason

    def answer(self, person: str = "owner@example.org", **fields: Any) -> dict[str, Any]:
        return record(self.now + SECOND, **{"reference": self.id, "person": person, **fields})


def test_whoever_is_asked_and_signs_where_they_have_keys_counts() -> None:
    scene = Scene()
    mira = scene.answer("mira@example.org")
    assert scene.one(mira) == (False, "unsigned")
    assert scene.one({**mira, "event_id": event_id("f"), "key_id": "mira-1", "signature": "AAAA"}) == (
        False,
        "wrong_signature",
    )
    assert scene.one({**mira, "event_id": event_id("g"), "key_id": "mira-1", "signature": "no base64!"}) == (
        False,
        "wrong_signature",
    )
    assert scene.one({**signed(mira), "note": "changed since"}) == (False, "wrong_signature")
    assert scene.one(signed(mira, key_id="mira-7")) == (False, "unknown_key")
    assert scene.one(signed(mira, OLD, "mira-0")) == (False, "invalid_key")
    assert scene.one(scene.answer("lena@example.org")) == (False, "not_asked")
    assert scene.one(signed(mira)) == (True, "counts")
    assert scene.one(scene.answer()) == (False, "taken")
    assert scene.one(signed(scene.answer("mira@example.org"))) == (False, "taken")


def test_an_objection_hands_over_until_nobody_is_left() -> None:
    scene = Scene()
    objection = {"answer": "object"}
    assert scene.one(signed(scene.answer("mira@example.org", **objection))) == (True, "counts")
    assert scene.one(scene.answer(**objection)) == (True, "counts")
    assert scene.one(scene.answer("second@example.org", **objection)) == (False, "nobody_left")
    assert scene.one(scene.answer("second@example.org")) == (True, "counts")


def test_what_is_over_of_another_system_or_not_known_at_all() -> None:
    scene = Scene()
    assert scene.one(scene.answer(system="elsewhere")) == (False, "unknown")
    assert scene.one(scene.answer(reference="no-such-id")) == (False, "unknown")
    assert scene.one(scene.answer(reference=scene.id[:4])) == (False, "unknown")
    scene.judge.on_measurement(flush(at("9h")))
    scene.now = at("9h")
    assert scene.one(scene.answer()) == (False, "over")
    # Also after a crash.
    successor = Judge(ESTATE, JudgeSettings(lateness=0, settle=0))
    for key, value in scene.judge.take_dirty().items():
        if value is not None:
            successor.restore(key, value)
    scene.judge = successor
    assert scene.one(scene.answer("second@example.org")) == (False, "over")


def test_an_answer_that_comes_early_is_told_twice() -> None:
    fresh = Judge(ESTATE, JudgeSettings(lateness=0, settle=0))
    early = record(at("50m"), Scene().id)
    (first,) = fresh.on_measurement(flush(at("50m"), events=[ForwardedEvent("acknowledgement", early)])).verdicts
    assert (first.counted, first.reason) == (False, "unknown")
    known = ESTATE.contracts[0]
    fact = Fact("example", "1", known.digest, "valid", "scorer", None, at("1h"), HOUR, 1, 1, at("1h"), at("1h"),
                evidence=(Evidence(at("1h"), event_id("e"), value=2.0),))  # fmt: skip
    output = fresh.on_measurement(flush(at("1h1m"), fact))
    assert [(v.acknowledgement_id, v.counted, v.clause) for v in output.verdicts] == [
        (early["event_id"], True, "valid")
    ]
    assert [v.state for v in output.violations][-1] == "acknowledged"


def test_answers_to_changes() -> None:
    scene = Scene()
    to_change = {"of": "change", "reference": "CR-1"}
    early = scene.answer(**to_change)
    assert scene.one(early) == (False, "unknown")
    verdicts = scene.say(change(scene.now - MINUTE, "CR-1"))
    assert [(v.acknowledgement_id, v.reason) for v in verdicts] == [(early["event_id"], "counts")]
    assert scene.one(scene.answer("lena@example.org", **to_change)) == (False, "not_asked")
    assert scene.one(scene.answer("mira@example.org", **to_change)) == (False, "unsigned")
    assert scene.one(scene.answer(**to_change)) == (False, "taken")
    assert scene.one(scene.answer(answer="object", **to_change)) == (True, "counts")
    assert scene.one(scene.answer(answer="object", **to_change)) == (False, "taken")
    before = {**scene.answer(**to_change), "person": "mira@example.org", "event_time": scene.now - 2 * HOUR}
    assert scene.one(signed(before)) == (False, "too_early")
    assert scene.one(signed(scene.answer("mira@example.org", **to_change))) == (True, "counts")
    assert scene.one(scene.answer(of="change", reference="CR-1", system="nobody-watches-it")) == (False, "nobody_asks")
    assert scene.one(scene.answer(of="summary", reference="s")) == (False, "nobody_asks")
    old = {**scene.answer(**to_change), "event_time": scene.now - 9 * DAY}
    assert scene.one(old, arrived=scene.now) == (False, "too_old")


def test_a_signed_answer_counts_for_the_announcement_that_it_names() -> None:
    scene = Scene()
    first, again = change(scene.now, "CR-1"), change(scene.now + MINUTE, "CR-1", to_value="10")
    shown, other = change_digest(first.record), change_digest(again.record)
    of_first = {"of": "change", "reference": "CR-1", "change_digest": shown}
    of_other = {**of_first, "change_digest": other}
    early = scene.answer(**of_other)
    assert scene.one(early) == (False, "unknown")
    assert [v.reason for v in scene.say(first)] == ["other_announcement"]
    mira = signed(scene.answer("mira@example.org", **of_first))
    for forged in ({**mira, "change_digest": other}, {**mira, "change_digest": None}):
        assert scene.one(forged) == (False, "wrong_signature")
    assert scene.one(signed(scene.answer("mira@example.org", **of_other))) == (False, "other_announcement")
    assert scene.one(mira) == (True, "counts")
    scene.now += MINUTE
    scene.say(again)
    # What came since asks for an answer of its own, and one to what was before is refused.
    assert scene.one(signed(scene.answer("mira@example.org", **of_first))) == (False, "other_announcement")
    assert scene.one(scene.answer(**of_first)) == (False, "other_announcement")
    assert scene.one(signed(scene.answer("mira@example.org", **of_other))) == (True, "counts")
    assert scene.one(scene.answer(of="change", reference="CR-1")) == (True, "counts"), "as answers from before"


def test_an_answer_to_a_change_that_was_withdrawn_is_told_so() -> None:
    scene = Scene()
    scene.say(change(scene.now, "CR-1"))
    scene.say(change(scene.now, "CR-1", withdrawn=True, event_id=event_id("back")))
    assert scene.one(scene.answer(of="change", reference="CR-1")) == (False, "over")


def test_an_answer_that_one_of_several_clauses_waits_for_counts() -> None:
    clauses = """
- {id: a, kind: change_notice, acknowledgers: [second@example.org]}
- {id: b, kind: change_notice, acknowledgers: [owner@example.org]}
- {id: c, kind: change_notice, kinds: [prompt], acknowledgers: [owner@example.org]}
"""
    judge = Judge(estate_of(contract("scorer", clauses)), JudgeSettings(lateness=0, settle=0))
    answer = record(at("2h"), "CR-1", of="change")
    judge.on_measurement(flush(at("1h"), events=[change(at("1h"), "CR-1")]))
    (verdict,) = judge.on_measurement(flush(at("2h"), events=[ForwardedEvent("acknowledgement", answer)])).verdicts
    assert (verdict.counted, verdict.clause) == (True, "b")


def test_every_reason_is_explained_on_the_page_of_paging() -> None:
    page = (Path(__file__).parents[2] / "docs" / "paging.md").read_text("utf-8")
    of_answers = page.partition("## Acknowledging")[2].partition("\n## ")[0]
    explained = set(re.findall(r"^\| `(\w+)` \|", of_answers, re.MULTILINE))
    assert explained == set(REASONS)


def final(verdicts: Iterable[Verdict]) -> dict[str, tuple[bool, str, str | None]]:
    """By answer, what holds of all that was said of it."""
    found: dict[str, Verdict] = {}
    for verdict in verdicts:
        if (known := found.get(verdict.acknowledgement_id)) is None or not known.counted:
            found[verdict.acknowledgement_id] = verdict
    return {name: (v.counted, v.reason, v.clause) for name, v in found.items()}


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_live_and_replay_make_the_same_of_every_answer(seed: int, keyed: bool, tmp_path: Path) -> None:
    begin = time.time_ns() // 1_000
    start = begin - 3 * HOUR
    estate: Estate = estate_of(TEXT, PEOPLE, OTHER)
    chance = random.Random(seed)
    scored = [
        inference(
            event_id=event_id(f"d{number}"),
            event_time=start + number * MINUTE,
            system=("scorer", "other")[number % 2],
            score=2.0 if number in (40, 41) else 0.5,
        )
        for number in range(120)
    ]
    events: list[tuple[str, dict[str, Any]]] = [("inference", score.record()) for score in scored]
    events.append(("config_change", change(start + 10 * MINUTE, "CR-1").record))
    ids = [v.violation_id for v in _replayed(estate, events)[0]]
    assert len(ids) == 2
    for number in range(30):
        when = start + (50 + number) * MINUTE + number
        person = chance.choice(["owner@example.org", "mira@example.org", "second@example.org", "lena@example.org"])
        of = chance.choice(["violation", "violation", "change", "summary"])
        reference = chance.choice([*ids, "unheard-of"]) if of == "violation" else chance.choice(["CR-1", "CR-2"])
        made = record(when, reference, person, of=of, system=chance.choice(["scorer", "scorer", "other"]),
                      answer=chance.choice(["accept", "accept", "object"]),
                      event_id=event_id(f"a{seed}/{number}"))  # fmt: skip
        if of == "violation" and chance.random() < 0.3:
            made["answer"] = "retract"
        ways: list[Callable[[dict[str, Any]], dict[str, Any]]] = [signed, relayed, dict]
        how = chance.choice(ways)
        made = {"relayed_by": None, "evidence": None, **how(made)}
        rest: dict[str, Any] = {
            "producer": "p",
            "environment": "e",
            "trace_id": None,
            "parent_id": None,
            "attributes": [],
        }
        events.append(("acknowledgement", {**made, **rest}))
    events.sort(key=lambda event: (event[1]["event_time"], event[1]["event_id"]))
    _, replayed = _replayed(estate, events)
    heard: list[Verdict] = []
    loaded(estate, events, Load(seed=seed, keyed=keyed), begin, hear=heard.append)
    assert len(replayed) == 30
    # In a replay nobody is paged, so nothing is handed over.
    objections = {r["event_id"] for name, r in events if name == "acknowledgement" and r["answer"] == "object"}
    of_violations = {r["event_id"] for name, r in events if name == "acknowledgement" and r["of"] == "violation"}
    left_out = objections & of_violations
    live, again = final(heard), final(replayed)
    assert {name: live[name] for name in live.keys() - left_out} == {n: again[n] for n in again.keys() - left_out}
    assert live.keys() == again.keys()
    assert len({reason for _, reason, _ in final(heard).values()}) >= 3


def _replayed(estate: Estate, events: Sequence[tuple[str, dict[str, Any]]]) -> tuple[list[Any], list[Verdict]]:
    heard: list[Verdict] = []
    with History([Plan(estate)]) as history:
        for name, frame in chunks_of(events):
            history.add(name, frame)
        return list(judged(estate, history, hear=heard.append)), heard
