"""Each question of readiness on worlds with one gap: what is lacking is said, and what is complete is yes."""

from __future__ import annotations

import copy
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.documents import Contract, Estate, Person, Rota, System
from seamwatch.documents.estate import Term
from seamwatch.documents.signing import sign_document
from seamwatch.durations import DAY, MINUTE
from seamwatch.instants import parse_instant
from sinks.store.questions.due import Due
from sinks.store.questions.readiness import QUESTIONS, tally
from sinks.store.questions.readiness.deciding import decided
from sinks.store.questions.readiness.known import Drilled, Known, Pulled, Reachable, Reviewed, Watched
from sinks.store.questions.readiness.row import Answer

NOW = parse_instant("2026-11-02T09:00:00Z")
OWNER, RISK = "owner@example.org", "risk@example.org"
KEYS = {OWNER: Ed25519PrivateKey.from_private_bytes(b"a" * 32), RISK: Ed25519PrivateKey.from_private_bytes(b"b" * 32)}
SYSTEM: dict[str, Any] = {
    "kind": "System", "id": "scorer", "type": "model", "owner": OWNER, "runbook": "https://example.org/runbook",
    "lineage": ["https://example.org/lineage"], "risk_tier": "high",
}  # fmt: skip
CONTRACT: dict[str, Any] = {
    "kind": "Contract", "id": "limits", "version": "1", "seam": "model-to-product", "covers": ["scorer"],
    "parties": {"provider": {"signatory": OWNER}, "consumer": {"signatory": RISK}},
    "escalation": [{"person": OWNER, "acknowledge_within": "15m"}],
    "clauses": [{"id": "quick", "kind": "signal", "signal": "latency", "max": 100, "window": "1h", "min_count": 5}],
}  # fmt: skip


def persons(**fields: Any) -> dict[str, Person]:
    made = {}
    for name, key in KEYS.items():
        public = b64encode(key.public_key().public_bytes_raw()).decode()
        said = {"kind": "Person", "id": name, "name": "Example", "channels": ["json://example.org"]} | fields
        made[name] = Person.model_validate(said | {"keys": [{"key_id": name, "public": public}]})
    return made


def estate(
    system: dict[str, Any] | None = SYSTEM,
    contract: dict[str, Any] = CONTRACT,
    signed: tuple[str, ...] = (OWNER, RISK),
    signed_at: int = NOW - 10 * DAY,
    people: dict[str, Person] | None = None,
) -> Estate:
    agreed = Contract.model_validate(copy.deepcopy(contract))
    lines = tuple(sign_document(agreed, who, who, KEYS[who].private_bytes_raw(), signed_at) for who in signed)
    return Estate(
        persons=MappingProxyType(persons() if people is None else people),
        systems={} if system is None else {"scorer": System.model_validate(system)},
        terms=(Term(agreed),),
        signatures={agreed.key: lines},
    )


def due(of: str, last: int | None, due_at: int | None) -> Due:
    return Due("scorer", "limits", of, (OWNER,), True, of, 90 * DAY, last, due_at)


READY = Known(
    system="scorer",
    now=NOW,
    estate=estate(),
    due=(due("system", NOW - DAY, NOW + 89 * DAY), due("permissions", NOW - DAY, NOW + 89 * DAY)),
    drills=(Drilled("leak-1", OWNER, True, NOW - 20 * DAY),),
    reached={OWNER: Reachable(OWNER, 3, 2, "e" * 32, NOW - 20 * DAY, 240.0)},
    watched=(Watched("limits@1/scores", move=0.06, scores=9_000, rests_on="the reference in its file"),),
    pulled=Pulled("reader", False, 17, NOW - MINUTE, 30),
)


def answers(known: Known) -> dict[str, Answer]:
    return {one.question: one for one in decided(known)}


def test_a_system_with_all_of_it_is_ready_and_each_answer_says_by_what() -> None:
    found = decided(READY)
    assert [(one.question, one.answer) for one in found] == [(question, "yes") for question in QUESTIONS]
    assert all(one.evidence and not one.remedy for one in found)
    assert tally(found) == "10 yes, 0 no, 0 not known"
    of = answers(READY)
    assert "leak-1" in of["runbook"].evidence
    assert "limits@1 (quick: max)" in of["thresholds"].evidence
    assert "after 4 m; agreed 15 m" in of["paged"].evidence


def with_estate(**parts: Any) -> Known:
    return replace(READY, estate=estate(**parts))


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in SYSTEM.items() if key != name}


def signatory(**parties: dict[str, str]) -> dict[str, Any]:
    return CONTRACT | {"parties": {"provider": {"signatory": OWNER}, "consumer": {"signatory": RISK}} | parties}


GAPS: list[tuple[str, str, Callable[[], Known], str]] = [
    ("quality", "no", lambda: with_estate(people={}), "nobody whom the documents know"),
    ("quality", "no", lambda: with_estate(people=persons(name="TBD")), "says nothing"),
    ("runbook", "no", lambda: with_estate(system=without("runbook")), "it has no runbook"),
    ("runbook", "no", lambda: with_estate(system=SYSTEM | {"runbook": "tbd"}), "says nothing"),
    ("runbook", "no", lambda: replace(READY, drills=()), "no drill was ever held"),
    ("runbook", "no", lambda: replace(READY, drills=(Drilled("d", OWNER, False, NOW - DAY),)), "did not pass"),
    ("runbook", "no", lambda: replace(READY, drills=(Drilled("d", OWNER, True, NOW - 366 * DAY),)), "older than"),
    (
        "runbook", "no",
        lambda: with_estate(
            contract=CONTRACT | {"clauses": [*CONTRACT["clauses"], {"id": "r", "kind": "drill", "every": "10d"}]}
        ),
        "older than 10 d",
    ),
    ("thresholds", "no", lambda: with_estate(signed=(OWNER,)), f"limits@1 is not signed by {RISK}"),
    ("thresholds", "no", lambda: with_estate(contract=signatory(consumer={"team": "x"})), "nobody named"),
    ("thresholds", "no", lambda: with_estate(contract=signatory(consumer={"signatory": OWNER})), "for both sides"),
    (
        "thresholds", "no",
        lambda: with_estate(contract=CONTRACT | {"clauses": [{"id": "may", "kind": "approval"}]}),
        "no clause states a number",
    ),
    ("inventory", "no", lambda: with_estate(system=without("lineage")), "lacks 'lineage'"),
    ("inventory", "no", lambda: with_estate(system=without("risk_tier")), "lacks 'risk_tier'"),
    ("inventory", "no", lambda: with_estate(system=None), "no document declares it"),
    ("reviews", "no", lambda: replace(READY, due=()), "no review of it is scheduled"),
    ("reviews", "no", lambda: replace(READY, due=(due("system", NOW - 91 * DAY, NOW - DAY),)), "due since"),
    ("reviews", "not_known", lambda: replace(READY, due=(due("system", None, NOW + DAY),)), "never done so far"),
    ("reviews", "not_known", lambda: replace(READY, due=(due("system", None, None),)), "has not begun"),
    ("swap", "no", lambda: replace(READY, watched=()), "no clause in force looks at its scores"),
    ("swap", "no", lambda: replace(READY, watched=(Watched("c", 0.3, 90.0, "a file"),)), "by 30.0% or more"),
    ("swap", "no", lambda: replace(READY, watched=(Watched("c", None, 4.0, "a file"),)), "nothing would be found"),
    ("swap", "not_known", lambda: replace(READY, watched=(Watched("c", unknown="no scores"),)), "c: no scores"),
    (
        "swap", "not_known",
        lambda: replace(READY, watched=(Watched("c", 0.3, 9.0, "a file"), Watched("d", unknown="no scores"))),
        "d: no scores",
    ),
    ("paged", "no", lambda: with_estate(people=persons(channels=[])), "no channel but the board"),
    ("paged", "not_known", lambda: replace(READY, reached={}), "was never paged"),
    (
        "paged", "no",
        lambda: replace(READY, reached={OWNER: Reachable(OWNER, 2, 0, "", None, None)}), "never acknowledged",
    ),
    (
        "paged", "no",
        lambda: replace(READY, reached={OWNER: Reachable(OWNER, 2, 1, "e", NOW, 901.0)}), "was never in time",
    ),
    ("decision_log", "not_known", lambda: replace(READY, pulled=None), "nobody tried"),
    ("decision_log", "no", lambda: replace(READY, pulled=Pulled("w", True, 9, NOW, 30)), "may also write"),
    ("decision_log", "not_known", lambda: replace(READY, pulled=Pulled("w", None, 9, NOW, 30)), "does not say"),
    ("decision_log", "not_known", lambda: replace(READY, pulled=Pulled("r", False, 0, None, 30)), "to pull"),
    ("permissions", "no", lambda: replace(READY, due=READY.due[:1]), "no review of its permissions is agreed"),
    ("permissions", "no", lambda: replace(READY, due=(due("permissions", None, NOW),)), "never done, due since"),
    ("contract", "no", lambda: with_estate(signed=(OWNER,)), f"{RISK} has neither signed nor reviewed"),
    ("contract", "no", lambda: with_estate(signed_at=NOW - 91 * DAY), "and not since"),
    ("contract", "no", lambda: with_estate(contract=signatory(consumer={"team": "x"})), "names nobody"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "word", "world", "said"), GAPS)
def test_a_gap_is_told_with_what_to_do(question: str, word: str, world: Callable[[], Known], said: str) -> None:
    found = answers(world())[question]
    assert found.answer == word
    assert said in found.evidence
    assert found.remedy


def test_a_review_of_the_contract_by_who_deploys_counts_as_a_signature_does_and_that_of_another_does_not() -> None:
    old = with_estate(signed_at=NOW - 91 * DAY)
    by = replace(old, contract_reviews=(Reviewed("limits", RISK, NOW - DAY),))
    assert answers(by)["contract"].answer == "yes"
    other = replace(old, contract_reviews=(Reviewed("limits", OWNER, NOW - DAY),))
    assert answers(other)["contract"].answer == "no"


def test_of_a_rota_who_is_on_call_must_be_in_time_and_everybody_who_may_be_must_have_a_channel() -> None:
    said = {"kind": "Rota", "id": "on-call", "owner": OWNER, "time_zone": "UTC", "starts": "2026-11-02"}
    rota = Rota.model_validate(said | {"persons": [OWNER, RISK]})
    listed = CONTRACT | {"escalation": [{"rota": "on-call", "acknowledge_within": "15m"}]}
    known = replace(READY, estate=replace(estate(contract=listed), rotas={"on-call": rota}))
    found = answers(known)["paged"]
    assert (found.answer, found.evidence.startswith(f"by rota on-call, {OWNER} is paged first: ")) == ("yes", True)
    later = answers(replace(known, now=NOW + 7 * DAY))["paged"]
    assert later.answer == "not_known"
    assert later.evidence == f"by rota on-call, {RISK} is paged first, has 15 m, and was never paged"
    people = persons()
    silent = people | {RISK: people[RISK].model_copy(update={"channels": ()})}
    mute = answers(replace(known, estate=replace(known.estate, persons=silent)))["paged"]
    assert (mute.answer, mute.evidence, mute.remedy) == (
        "no",
        f"rota on-call is paged first, and of those who may be on call {RISK} has no channel but the board",
        f"give Person/{RISK} 'channels' that wake them",
    )
    left = answers(replace(known, estate=replace(known.estate, persons={OWNER: people[OWNER]})))["paged"]
    assert left.remedy == f"write a Person document for {RISK} with 'channels'"
    gone = answers(replace(known, estate=replace(known.estate, rotas={})))["paged"]
    assert (gone.answer, gone.evidence) == (
        "no", f"rota on-call is to be paged first, and no document declares it: {OWNER} is, in its place",
    )  # fmt: skip


def test_how_many_there_are_says_which_are_not_yes() -> None:
    found = decided(replace(READY, drills=(), pulled=None))
    assert tally(found) == "8 yes, 1 no (runbook), 1 not known (decision_log)"
