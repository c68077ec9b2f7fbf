"""A change that is withdrawn: what ends with it, who may withdraw it, and what it announces afterwards."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.durations import HOUR
from seamwatch.judging.model.facts import Violation
from seamwatch.signatures import change_bytes, sign
from tests.clauses.history import at, brief, contract, decision, found, record_of
from tests.clauses.test_change_notice import DECLARED, answer, change
from tests.clauses.test_state import Live, _seen

OWNER, SECOND, OTTO, LENA = "owner@example.org", "second@example.org", "otto@example.org", "lena@example.org"
KEY = Ed25519PrivateKey.from_private_bytes(b"l" * 32)
PUBLIC = b64encode(KEY.public_key().public_bytes_raw()).decode()
PEOPLE = f"""---
kind: Person
id: {OTTO}
name: Otto Example
---
kind: Person
id: {LENA}
name: Lena Example
keys: [{{key_id: k1, public: "{PUBLIC}"}}]
"""
TELL = (
    "- {id: tell, kind: change_notice, acknowledge_within: 48h, acknowledgers: [second@example.org], unannounced: true}"
)
DOCUMENTS = contract("scorer", TELL) + DECLARED + PEOPLE


def told(offset: str, change_id: str = "c1", **fields: Any) -> dict[str, Any]:
    said = {"kind": "model", "to_value": "v2", "announced_by": OTTO, "effective_at": at("2d"), **fields}
    return change(offset, change_id, **said)


def withdrawn(offset: str, by: str = OTTO, **fields: Any) -> dict[str, Any]:
    return told(offset, **{"announced_by": by, "withdrawn": True, "summary": "after the audit", **fields})


def signed(event: dict[str, Any]) -> dict[str, Any]:
    message = change_bytes(record_of(event)[1])
    signature = b64encode(sign(message, KEY.private_bytes_raw())).decode()
    return event | {"signatures": [{"person": event["announced_by"], "key_id": "k1", "signature": signature}]}


def states(violations: list[Violation]) -> list[tuple[str | None, str, int | None]]:
    return [(v.slice, v.state, v.resolved_at) for v in violations if v.severity == "breach"]


def test_it_ends_the_clock_the_miss_and_the_objection_and_says_so() -> None:
    assert found(DOCUMENTS, [told("1h"), withdrawn("5h")], now="9d") == []
    (missed,) = found(DOCUMENTS, [told("1h"), withdrawn("3d")], now="9d")
    assert (missed.state, missed.resolved_at) == ("resolved", at("3d"))
    assert missed.summary == f"scorer: {OTTO} withdrew model change c1: “after the audit”"
    objection = answer("4h", SECOND, answer="object", note="no")
    (objected,) = found(DOCUMENTS, [told("1h"), objection, withdrawn("5h")], now="9d")
    assert (objected.state, objected.opened_at, objected.resolved_at) == ("resolved", at("4h"), at("5h"))
    assert objected.person == OTTO


def test_it_ends_a_notice_that_was_too_short() -> None:
    clauses = contract("scorer", "- {id: ahead, kind: change_notice, notice_before: 72h}") + PEOPLE
    (short,) = found(clauses, [told("1h"), withdrawn("5h")], now="1d")
    assert (short.state, short.resolved_at) == ("resolved", at("5h"))


def test_who_signs_for_a_party_may_withdraw_it_too() -> None:
    assert found(DOCUMENTS, [told("1h"), withdrawn("5h", OWNER)], now="9d") == []


@pytest.mark.parametrize(
    ("by", "announcer", "why"),
    [
        (LENA, OTTO, f"it is for {OTTO} or {OWNER} or {SECOND} to withdraw it, not for {LENA}"),
        (LENA, LENA, f"it bears no valid signature of {LENA}"),
        ("nobody@example.org", "nobody@example.org", "nobody@example.org is nobody that the documents know"),
    ],
)
def test_what_does_not_count_changes_nothing_and_is_told_for_a_while(by: str, announcer: str, why: str) -> None:
    events = [told("1h", announced_by=announcer), withdrawn("5h", by)]
    violations = found(DOCUMENTS, events, now="9d")
    assert states(violations) == [(f"c1/{SECOND}", "open", None)]
    (warning,) = [v for v in violations if v.severity == "warning"]
    assert (warning.slice, warning.opened_at, warning.resolved_at) == ("c1", at("5h"), at("1d5h"))
    assert warning.summary == f"scorer: change c1 is not withdrawn by {by}: {why}"


def test_a_signed_withdrawal_counts_once_and_no_other_signature_does() -> None:
    announced, back = told("1h", announced_by=LENA), signed(withdrawn("5h", LENA))
    assert found(DOCUMENTS, [announced, back], now="9d") == []
    # Not at another time, nor the signature under the change itself.
    for forged in ({**back, "event_time": at("6h")}, {**signed(announced), "event_time": at("5h"), "withdrawn": True}):
        assert states(found(DOCUMENTS, [announced, forged], now="9d")) == [(f"c1/{SECOND}", "open", None)]


def test_it_takes_back_what_its_person_announced_under_the_id_and_nothing_else() -> None:
    other = told("2h", announced_by=LENA, to_value="v3")
    violations = found(DOCUMENTS, [told("1h"), other, withdrawn("5h")], now="9d")
    assert [state for _, state, _ in states(violations)] == ["open"]
    assert "c1@" in (violations[0].slice or "")
    assert found(DOCUMENTS, [told("1h"), other, withdrawn("5h", OWNER)], now="9d") == []
    later = told("6h", change_id="c2")
    assert states(found(DOCUMENTS, [told("1h"), later, withdrawn("5h")], now="9d")) == [(f"c2/{SECOND}", "open", None)]


def test_what_is_announced_again_afterwards_asks_again() -> None:
    violations = found(DOCUMENTS, [told("1h"), withdrawn("5h"), told("6h")], now="9d")
    assert brief(violations) == [(f"c1/{SECOND}", "breach", "open", 54 * HOUR)]


def test_what_it_announced_is_announced_no_longer() -> None:
    answers = [answer("2h", SECOND)]
    serves = [decision("2d1h", version="v2"), decision("2d5h", version="v2"), decision("3d2h", version="v2")]
    assert found(DOCUMENTS, [told("1h"), *answers, *serves], now="3d3h") == []
    (violation,) = found(DOCUMENTS, [told("1h"), *answers, *serves, withdrawn("3d")], now="3d3h")
    assert (violation.slice, violation.opened_at) == ("v2", at("3d2h"))
    assert violation.summary.endswith("although change c1, which announced it, was withdrawn")


def test_answers_to_it_come_too_late() -> None:
    live = Live(DOCUMENTS)
    live.flush([told("1h")], at("1h1m"))
    live.flush([withdrawn("5h")], at("5h1m"))
    live.flush([answer("6h", SECOND)], at("6h1m"))
    live.flush([], at("9d"))
    assert live.told() == []


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (1, 0, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_live_finds_the_same_in_whatever_order_they_come(order: tuple[int, ...]) -> None:
    events = [told("1h"), answer("4h", SECOND, answer="object"), withdrawn("5h", OWNER), told("8h", to_value="v3")]
    live = Live(DOCUMENTS)
    live.flush([events[place] for place in order], at("8h1m"))
    live.flush([], at("9d"))
    replayed = found(DOCUMENTS, events, now="9d")
    assert replayed
    assert [row[:4] for row in live.told()] == [_seen(violation)[:4] for violation in sorted(replayed, key=_seen)]


def test_a_withdrawal_that_overtakes_its_change_counts() -> None:
    live = Live(DOCUMENTS)
    live.flush([withdrawn("5h")], at("5h1m"))
    live.flush([told("1h")], at("5h2m"))
    live.flush([], at("9d"))
    assert live.told() == []


def test_a_threshold_change_that_is_withdrawn_needs_no_signature_and_no_coverage() -> None:
    line = "- {id: line, kind: threshold, decision: approve, when: score >= 0.6, co_signers: [lena@example.org]}"
    covered = "- {id: covered, kind: coverage, reviewer: second@example.org, within: 4h}"
    documents = contract("scorer", f"{line}\n{covered}") + PEOPLE
    moved = {"kind": "threshold", "to_value": "0.5"}
    events = [told("1h", **moved), told("2h", "c2", **moved)]
    assert states(found(documents, events, now="1d")) == [
        ("c1", "open", None), ("c2", "open", None), ("c1", "open", None), ("c2", "open", None),
    ]  # fmt: skip
    violations = found(documents, [*events, withdrawn("9h", **moved)], now="1d")
    assert sorted(states(violations), key=str) == [
        ("c1", "resolved", at("9h")), ("c1", "resolved", at("9h")), ("c2", "open", None), ("c2", "open", None),
    ]  # fmt: skip
    ignored = found(documents, [*events, withdrawn("9h", LENA, **moved)], now="1d")
    assert {state for _, state, _ in states(ignored)} == {"open"}
