"""Threshold: the decision exactly when agreed, and changes only with every co-signature."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.durations import HOUR
from seamwatch.judging.model.facts import Violation
from seamwatch.signatures import change_bytes, change_digest, sign
from tests.clauses.history import at, brief, contract, decision, record_of
from tests.clauses.history import found as found_by_all

LINE = contract("scorer", "- {id: line, kind: threshold, decision: approve, when: score >= 0.6}")
PRIVATE = {"lead@example.org": bytes(range(32)), "risk@example.org": bytes(range(1, 33))}


def found(documents: str, events: list[dict[str, Any]], now: str | None = None) -> list[Violation]:
    """What the clauses that are written find: nobody has signed these contracts."""
    return [violation for violation in found_by_all(documents, events, now) if violation.kind != "signed"]


def person(name: str) -> str:
    public = Ed25519PrivateKey.from_private_bytes(PRIVATE[name]).public_key().public_bytes_raw()
    key = f'{{key_id: k1, public: "{b64encode(public).decode()}", revoked_at: 2026-03-05}}'
    return f"---\napiVersion: seamwatch/v1\nkind: Person\nid: {name}\nname: Example\nkeys: [{key}]\n"


SIGNED = (
    contract(
        "scorer",
        "- {id: line, kind: threshold, decision: approve, when: score >= 0.6, co_signers: [lead@example.org, "
        "risk@example.org]}",
    )
    + person("lead@example.org")
    + person("risk@example.org")
)


def change(offset: str, number: str, *signers: str, **fields: Any) -> dict[str, Any]:
    event = {
        "type": "config_change", "event_time": at(offset), "system": "scorer", "change_id": number,
        "kind": "threshold", "effective_at": at("9d"), "from_value": "0.6", "to_value": "0.5",
        "announced_by": "owner@example.org", "event_id": f"c{offset}", **fields,
    }  # fmt: skip
    message = change_bytes(record_of(event)[1])
    signatures = [
        {"person": who, "key_id": "k1", "signature": b64encode(sign(message, PRIVATE[who])).decode()} for who in signers
    ]
    return event | {"signatures": signatures}


def test_the_decision_exactly_when_the_condition_holds() -> None:
    good = [
        decision("1h", score=0.6, decision="approve"),
        decision("2h", score=0.59, decision="refer"),
        decision("3h", score=None, decision="refer"),
        decision("4h", score=None, decision=None),
    ]
    assert found(LINE, good) == []
    for score, given in ((0.59, "approve"), (0.6, "refer"), (0.7, None), (None, "approve")):
        (violation,) = found(LINE, [*good, decision("5h", score=score, decision=given, event_id="bad")])
        assert (violation.opened_at, violation.observed) == (at("5h"), score)
        assert [e.event_id for e in violation.evidence] == ["bad"]


def test_where_selects_and_a_quiet_day_ends_it() -> None:
    text = """- {id: line, kind: threshold, decision: approve, when: score >= 0.6, where: "use_case = 'credit'"}"""
    events = [decision("1h", score=0.1, decision="approve", use_case="other")]
    assert found(contract("scorer", text), events) == []
    (violation,) = found(LINE, events, now="30h")
    assert brief([violation]) == [(None, "breach", "resolved", HOUR)]


def test_a_change_that_all_have_signed_is_fine_and_other_kinds_need_no_signature() -> None:
    both = ("lead@example.org", "risk@example.org")
    assert found(SIGNED, [change("1h", "c1", *both), change("2h", "c2", kind="model")]) == []


def test_a_missing_signature_is_a_breach_that_names_who_did_not_sign() -> None:
    violations = found(SIGNED, [change("1h", "c1", "lead@example.org"), change("2h", "c2")])
    assert brief(violations) == [("c1", "breach", "open", HOUR), ("c2", "breach", "open", 2 * HOUR)]
    assert violations[0].summary.endswith("c1 by owner@example.org lacks a valid signature of risk@example.org")
    assert violations[1].summary.endswith("lead@example.org and risk@example.org")


def test_a_change_that_all_have_signed_makes_good_those_before() -> None:
    both = ("lead@example.org", "risk@example.org")
    violations = found(SIGNED, [change("1h", "c1"), change("3h", "c1", *both)])
    assert [(v.slice, v.state, v.resolved_at) for v in violations] == [("c1", "resolved", at("3h"))]


def test_an_unsigned_change_announced_again_with_other_content_is_another_breach_and_a_repeated_one_none() -> None:
    both = ("lead@example.org", "risk@example.org")
    unsigned, other = change("1h", "c1"), change("2h", "c1", to_value="0.3")
    name = f"c1@{change_digest(record_of(other)[1])[:12]}"
    assert brief(found(SIGNED, [unsigned, other, change("3h", "c1"), change("4h", "c1")])) == [
        ("c1", "breach", "open", HOUR), (name, "breach", "open", 2 * HOUR)
    ]  # fmt: skip
    # What all have signed is not undone by one who repeats it without the signatures, and is not what they have not.
    signed = change("1h", "c1", *both)
    assert found(SIGNED, [signed, change("3h", "c1")]) == []
    assert brief(found(SIGNED, [signed, other])) == [(name, "breach", "open", 2 * HOUR)]


def test_a_signature_under_other_words_by_another_or_by_a_revoked_key_does_not_count() -> None:
    both = ("lead@example.org", "risk@example.org")
    altered = change("1h", "c1", *both) | {"to_value": "0.1"}
    swapped = change("1h", "c1", *both)
    first, second = swapped["signatures"]
    swapped["signatures"] = [first | {"person": second["person"]}, second | {"person": first["person"]}]
    for event in (altered, swapped, change("5d", "c1", *both)):
        assert len(found(SIGNED, [event])) == 1
    # A co-signer without a key cannot sign.
    keyless = contract(
        "scorer", "- {id: l, kind: threshold, decision: a, when: score > 0, co_signers: [owner@example.org]}"
    )
    assert len(found(keyless, [change("1h", "c1")])) == 1
