"""The judge: the same after a crash, whole episodes, acknowledgement and escalation, and time that comes with facts."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from seamwatch.documents import Estate
from seamwatch.durations import DAY, HOUR, MINUTE, SECOND
from seamwatch.engine.judge import Judge
from seamwatch.engine.settings import JudgeSettings
from seamwatch.judging.model.facts import Evidence, Fact, ForwardedEvent, Measurement, Violation, Watermark
from seamwatch.signatures import acknowledgement_bytes, sign
from tests.clauses.history import T0, at, contract, estate_of

CLAUSES = """
- {id: fresh, kind: freshness, max_lag: 26h}
- {id: tell, kind: change_notice, acknowledgers: [owner@example.org], remind_at: [0.5]}
- {id: valid, kind: range, min: 0, max: 1}
"""
ESTATE = estate_of(contract("scorer", CLAUSES))
NONE_LATE = JudgeSettings(lateness=0, settle=0)


def range_fact(time: int, event_id: str = "e", estate: Estate = ESTATE) -> Fact:
    known = next(c for c in estate.all_contracts() if c.id == "example")
    start = time // HOUR * HOUR
    evidence = (Evidence(time, event_id, "seamwatch.inference", 0, 7, value=2.0),)
    return Fact(
        "example", known.version, known.digest, "valid", "scorer", None, start, HOUR, 1, 1, time, time,
        evidence=evidence,
    )  # fmt: skip


def refresh(time: int) -> ForwardedEvent:
    record = {"event_id": f"r{time}", "event_time": time, "system": "scorer", "data_as_of": time}
    return ForwardedEvent("dataset_refresh", record)


def acknowledgement(time: int, reference: str, person: str, **fields: Any) -> ForwardedEvent:
    record = {
        "event_id": f"a{time}", "event_time": time, "system": "scorer", "of": "violation", "reference": reference,
        "person": person, "answer": "accept", "note": None, "key_id": None, "signature": None, **fields,
    }  # fmt: skip
    return ForwardedEvent("acknowledgement", record)


def flush(time: int, *facts: Fact, events: tuple[ForwardedEvent, ...] = ()) -> Measurement:
    return Measurement(time, (Watermark("seamwatch.inference", 0, 0, time, caught_up=True),), facts, events)


def states(violations: tuple[Violation, ...]) -> list[tuple[str, str | None, int]]:
    return [(v.state, v.person, v.step) for v in violations]


def test_silence_breaches_when_the_stream_says_that_time_has_passed() -> None:
    judge = Judge(ESTATE, NONE_LATE)
    assert judge.on_measurement(flush(at("1h"), events=(refresh(at("1h")),))).violations == ()
    assert judge.on_measurement(flush(at("26h"))).violations == ()
    (violation,) = judge.on_measurement(flush(at("27h1s"))).violations
    assert (violation.opened_at, violation.detected_at) == (at("27h"), at("27h1s"))


def test_an_unacknowledged_breach_climbs_the_list_and_an_acknowledged_one_does_not() -> None:
    judge = Judge(ESTATE, NONE_LATE)
    (opened,) = judge.on_measurement(flush(at("1h1m"), range_fact(at("1h")))).violations
    assert judge.on_measurement(flush(at("1h15m"))).violations == ()
    climbed = judge.on_measurement(flush(at("1h16m"))).violations
    assert states(climbed) == [("escalated", "second@example.org", 1)]

    answer = acknowledgement(at("1h20m"), opened.violation_id, "second@example.org")
    (known,) = judge.on_measurement(flush(at("1h20m"), events=(answer,))).violations
    assert (known.state, known.acknowledged_by, known.acknowledged_at) == (
        "acknowledged", "second@example.org", at("1h20m"),
    )  # fmt: skip
    assert judge.on_measurement(flush(at("24h50m"))).violations == ()
    (over,) = judge.on_measurement(flush(at("26h"))).violations
    assert (over.state, over.resolved_at, over.violation_id) == ("resolved", at("25h"), opened.violation_id)


def test_a_stranger_cannot_acknowledge() -> None:
    judge = Judge(ESTATE, NONE_LATE)
    (opened,) = judge.on_measurement(flush(at("1h1m"), range_fact(at("1h")))).violations
    answer = acknowledgement(at("1h2m"), opened.violation_id, "stranger@example.org")
    assert judge.on_measurement(flush(at("1h2m"), events=(answer,))).violations == ()


def test_an_objection_hands_over_at_once() -> None:
    judge = Judge(ESTATE, NONE_LATE)
    (opened,) = judge.on_measurement(flush(at("1h1m"), range_fact(at("1h")))).violations
    answer = acknowledgement(at("1h2m"), opened.violation_id, "owner@example.org", answer="object")
    assert states(judge.on_measurement(flush(at("1h2m"), events=(answer,))).violations) == [
        ("escalated", "second@example.org", 1)
    ]


def test_a_person_with_keys_must_sign() -> None:
    key = Ed25519PrivateKey.generate()
    public = b64encode(key.public_key().public_bytes_raw()).decode()
    keyed = f"""---
apiVersion: seamwatch/v1
kind: Person
id: signer@example.org
name: Example Signer
keys:
  - {{key_id: k1, public: "{public}"}}
"""
    text = contract("scorer", CLAUSES).replace("owner@example.org, acknowledge", "signer@example.org, acknowledge")
    estate = estate_of(text + keyed)
    judge = Judge(estate, NONE_LATE)
    (opened,) = judge.on_measurement(flush(at("1h1m"), range_fact(at("1h"), estate=estate))).violations
    unsigned = acknowledgement(at("1h2m"), opened.violation_id, "signer@example.org")
    assert judge.on_measurement(flush(at("1h2m"), events=(unsigned,))).violations == ()
    signature = b64encode(sign(acknowledgement_bytes(unsigned.record), key.private_bytes_raw())).decode()
    signed = replace(unsigned, record={**unsigned.record, "key_id": "k1", "signature": signature})
    assert len(judge.on_measurement(flush(at("1h3m"), events=(signed,))).violations) == 1


def test_reminders_are_notices_and_no_violations() -> None:
    judge = Judge(ESTATE, NONE_LATE)
    record = {
        "event_id": "c", "event_time": at("1h"), "system": "scorer", "change_id": "c1", "kind": "model",
        "effective_at": at("9d"), "to_value": "v2", "config_digest": None, "announced_by": "x",
    }  # fmt: skip
    judge.on_measurement(flush(at("1h"), events=(ForwardedEvent("config_change", record),)))
    output = judge.on_measurement(flush(at("25h")))
    assert output.violations == ()
    (notice,) = output.notices
    assert (notice.type, notice.person, notice.due_at) == ("reminder", "owner@example.org", at("49h"))
    assert judge.on_measurement(flush(at("26h"))).notices == ()


def test_events_that_arrive_a_day_late_open_nothing() -> None:
    judge = Judge(ESTATE, NONE_LATE)
    old = replace(refresh(at("1h")), arrived=at("365d"))
    assert judge.on_measurement(flush(at("365d"), events=(old,))).violations == ()
    assert judge.on_measurement(flush(at("366d"))).violations == ()
    assert judge.late == 1


def test_a_clause_that_is_withdrawn_resolves_its_episodes() -> None:
    judge = Judge(ESTATE, NONE_LATE)
    judge.on_measurement(flush(at("1h1m"), range_fact(at("1h"))))
    judge.replace_estate(estate_of(contract("scorer", "- {id: fresh, kind: freshness, max_lag: 26h}")))
    (over,) = judge.on_measurement(flush(at("1h2m"))).violations
    assert (over.state, over.clause) == ("resolved", "valid")
    assert "withdrawn" in over.summary


def test_contracts_measured_but_not_yet_known_are_named() -> None:
    judge = Judge(ESTATE, NONE_LATE)
    newer = replace(range_fact(at("1h")), contract_version="2")
    assert judge.unknown_contracts(flush(at("1h"), newer)) == {("example", "2")}
    assert judge.unknown_contracts(flush(at("1h"), range_fact(at("1h")))) == set()


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(1, 6 * 60), st.sampled_from(["fact", "refresh", "change", "ack", "idle"])), max_size=40
    ),
    st.sets(st.integers(0, 40)),
)
def test_a_crash_between_any_two_flushes_changes_nothing(steps: list[tuple[int, str]], crashes: set[int]) -> None:
    """State written with each flush and read back gives the same violations, ids and notices as no crash at all."""

    def run(crash: set[int]) -> list[object]:
        judge, topic, told = Judge(ESTATE), dict[str, bytes](), list[object]()
        now, opened = T0, list[str]()
        for number, (minutes, what) in enumerate(steps):
            now += minutes * MINUTE
            facts: tuple[Fact, ...] = ()
            events: tuple[ForwardedEvent, ...] = ()
            if what == "fact":
                facts = (range_fact(now - SECOND, f"e{number}"),)
            elif what == "refresh":
                events = (refresh(now - SECOND),)
            elif what == "ack" and opened:
                events = (acknowledgement(now, opened[-1], "owner@example.org"),)
            elif what == "change":
                record = {
                    "event_id": f"c{number}", "event_time": now, "system": "scorer", "change_id": f"c{number}",
                    "kind": "model", "effective_at": now + DAY, "to_value": None, "config_digest": None,
                    "announced_by": "x",
                }  # fmt: skip
                events = (ForwardedEvent("config_change", record),)
            output = judge.on_measurement(flush(now, *facts, events=events))
            told += [*output.violations, *output.notices]
            opened += [v.violation_id for v in output.violations]
            for key, value in judge.take_dirty().items():
                if value is None:
                    topic.pop(key, None)
                else:
                    topic[key] = value
            if number in crash:
                judge = Judge(ESTATE)
                for key, value in topic.items():
                    judge.restore(key, value)
        return told

    assert run(crashes) == run(set())
