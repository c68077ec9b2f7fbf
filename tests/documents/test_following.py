"""Following: what nobody signed takes nobody's place where signatures are required, and is told where they are not."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.documents import Contract, Person, Rota
from seamwatch.documents.models import Document
from seamwatch.documents.publishing import Published, published
from seamwatch.documents.signing import sign_document
from seamwatch.instants import parse_instant

AT = parse_instant("2026-11-02T09:00:00Z")
KEYS = {name: Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number, name in enumerate("abcd")}


def key(name: str, **fields: str) -> dict[str, str]:
    public = b64encode(KEYS[name].public_key().public_bytes_raw()).decode()
    return {"key_id": f"key-{name}", "public": public, **fields}


def person(*keys: dict[str, str], channel: str = "json://ann.example.org", **fields: Any) -> Person:
    said: dict[str, Any] = {"kind": "Person", "id": "ann", "name": "Ann", "channels": [channel], **fields}
    return Person.model_validate(said | ({"keys": list(keys)} if keys else {}))


def contract(version: str, signatory: str | None = "ann") -> Contract:
    party = {"team": "a"} | ({"signatory": signatory} if signatory else {})
    return Contract.model_validate(
        {
            "kind": "Contract", "id": "feed", "version": version, "seam": "data-to-model", "covers": ["m"],
            "parties": {"provider": party, "consumer": party},
            "clauses": [{"id": "fresh", "kind": "freshness", "of": "inference", "max_lag": "1h"}],
        }
    )  # fmt: skip


def take(said: Published, document: Document, *by: str, person: str = "ann") -> None:
    lines = [sign_document(document, person, f"key-{name}", KEYS[name].private_bytes_raw(), AT) for name in by]
    for name, value in published([document], AT, {document.key: lines}):
        said.take(name, value)


def channels(said: Published) -> tuple[str, ...]:
    return said.estate().persons["ann"].channels


EVIL = "json://elsewhere.example.org/${SEAMWATCH_CHANNEL_TOKEN}"


def test_where_signatures_are_required_other_channels_are_not_followed_until_they_are_signed() -> None:
    said = Published(required=True)
    take(said, person(key("a")))
    take(said, person(key("a"), channel=EVIL))
    assert channels(said) == ("json://ann.example.org",)
    (problem,) = said.estate().problems
    assert problem.startswith("'Person/ann' is not followed: ann: channels were changed, and nobody vouched for it")
    take(said, person(key("a"), channel="json://new.example.org"), "a")
    assert channels(said) == ("json://new.example.org",)
    assert said.estate().problems == ()


def test_a_warning_is_given_where_they_are_not_and_the_document_is_followed() -> None:
    said = Published()
    take(said, person(key("a")))
    take(said, person(key("a"), channel=EVIL))
    assert channels(said) == (EVIL,)
    assert said.unsigned == {"Person/ann": "ann: channels were changed, and nobody vouched for it"}
    take(said, person(key("a"), channel="json://new.example.org"), "a")
    assert said.unsigned == {}


@pytest.mark.parametrize(
    "forged",
    [
        person(key("b"), channel=EVIL),
        person(key("a"), key("b"), channel=EVIL),
        person(key("a"), channel=EVIL, roles=["auditor"]),
    ],
)
def test_a_key_that_was_not_there_before_vouches_for_nothing(forged: Person) -> None:
    said = Published(required=True)
    take(said, person(key("a")))
    take(said, forged, "b")
    assert channels(said) == ("json://ann.example.org",)


def test_to_withdraw_a_person_and_publish_another_is_no_way_round() -> None:
    said = Published(required=True)
    take(said, person(key("a")))
    said.take("Person/ann", None)
    assert "ann" not in said.estate().persons
    take(said, person(key("b"), channel=EVIL), "b")
    assert "ann" not in said.estate().persons
    take(said, person(key("a"), channel="json://new.example.org"), "a")
    assert channels(said) == ("json://new.example.org",)


def test_a_revoked_key_vouches_for_nothing_whatever_time_it_says() -> None:
    said = Published(required=True)
    revoked = key("a", revoked_at="2026-12-01")
    take(said, person(key("a"), key("c")))
    take(said, person(revoked, key("c")))
    assert len(said.estate().persons["ann"].keys) == 2  # a revocation must not wait
    assert said.estate().problems == ()
    take(said, person(revoked, key("c"), channel=EVIL), "a")
    assert channels(said) == ("json://ann.example.org",)


def test_who_is_named_to_vouch_may_sign_for_keys_that_are_lost() -> None:
    said = Published(required=True)
    lead = Person.model_validate({"kind": "Person", "id": "lead", "name": "Lead", "keys": [key("d")]})
    take(said, lead)
    take(said, person(key("a"), vouched_by="lead"))
    take(said, person(key("b"), vouched_by="lead"), "d", person="lead")
    assert said.estate().persons["ann"].keys[0].key_id == "key-b"


def test_who_has_no_key_is_followed_and_named() -> None:
    said = Published(required=True)
    take(said, person())
    take(said, person(channel="json://new.example.org"))
    assert channels(said) == ("json://new.example.org",)
    assert said.unsigned == {"Person/ann": "ann: the document changed, and there is no key to sign that by"}


def test_a_contract_is_followed_when_all_have_signed_who_must_and_the_one_before_until_then() -> None:
    said = Published(required=True)
    take(said, person(key("a")))
    take(said, contract("1"), "a")
    take(said, contract("2"))
    assert [c.version for c in said.estate().contracts] == ["1"]
    assert said.estate().problems == (
        "'Contract/feed@2' is not followed: it is not signed by ann (SEAMWATCH_SIGNED=required)",
    )
    take(said, contract("2"), "a")
    assert [c.version for c in said.estate().contracts] == ["1", "2"]


def test_a_contract_for_which_a_party_names_nobody_is_not_followed_and_all_are_without_the_demand() -> None:
    for required, versions in ((True, []), (False, ["1"])):
        said = Published(required=required)
        take(said, contract("1", None))
        assert [c.version for c in said.estate().contracts] == versions


def test_the_order_of_messages_does_not_matter_to_a_contract() -> None:
    said = Published(required=True)
    take(said, contract("1"), "a")
    take(said, person(key("a")))
    assert [c.version for c in said.estate().contracts] == ["1"]


def test_a_message_that_cannot_be_read_takes_the_place_of_nobody_who_can_be_paged() -> None:
    said = Published(required=True)
    take(said, person(key("a")))
    said.take("Person/ann", json.dumps({"document": {}, "digest": "d", "published_at": 1}).encode())
    assert channels(said) == ("json://ann.example.org",)
    assert len(said.estate().problems) == 1


def rota(*persons: str, owner: str = "ann", **fields: Any) -> Rota:
    said = {"kind": "Rota", "id": "on-call", "owner": owner, "time_zone": "UTC", "starts": "2026-11-02"}
    return Rota.model_validate({**said, "persons": persons, **fields})


def test_a_rota_changes_by_the_signature_of_whoever_kept_it_before() -> None:
    said = Published(required=True)
    take(said, person(key("a")))
    take(said, rota("ann", "ben"))
    taken = rota("eve", owner="eve")
    take(said, taken)
    take(said, taken, "b", person="eve")
    assert said.estate().rotas["on-call"].persons == ("ann", "ben")
    (problem,) = said.estate().problems
    assert problem == (
        "'Rota/on-call' is not followed: rota on-call: owner was changed, persons were changed, and ann did not sign "
        "it (SEAMWATCH_SIGNED=required)"
    )
    # To withdraw it and publish another is no way round.
    said.take("Rota/on-call", None)
    take(said, taken)
    assert said.estate().rotas == {}
    take(said, rota("ben"), "a")
    assert said.estate().rotas["on-call"].persons == ("ben",)
    take(said, rota("ben", title="On call"))
    assert said.estate().rotas["on-call"].title == "On call", "which decides nothing"
    assert said.estate().problems == ()


def test_of_a_rota_that_nobody_signed_it_is_told_where_signatures_are_not_required() -> None:
    said = Published()
    take(said, person(key("a")))
    take(said, rota("ann"))
    take(said, rota("ben"))
    assert said.estate().rotas["on-call"].persons == ("ben",)
    assert said.unsigned == {"Rota/on-call": "rota on-call: persons were changed, and ann did not sign it"}
    take(said, rota("cai"), "a")
    assert said.unsigned == {}


def test_a_rota_whose_owner_has_no_key_is_followed_and_told() -> None:
    said = Published(required=True)
    take(said, person())
    take(said, rota("ann"))
    take(said, rota("ben"))
    assert said.estate().rotas["on-call"].persons == ("ben",)
    assert said.unsigned == {
        "Rota/on-call": "rota on-call: the document changed, and ann, who keeps it, has no key to sign that by"
    }
