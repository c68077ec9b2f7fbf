"""Which contract governs which system when; digests; documents as published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.documents import Contract, Estate, canonical_json, digest_of, documents_of, published
from seamwatch.documents.defaults import built_in
from seamwatch.documents.estate import BEGINNING, END
from seamwatch.engine.seams import Seams
from seamwatch.errors import DocumentError

ROOT = Path(__file__).parents[2]


def contract(version: str, covers: str = "model-*", **more: Any) -> Contract:
    return Contract.model_validate(
        {
            "kind": "Contract",
            "id": "pact",
            "version": version,
            "seam": "operations",
            "covers": [covers],
            "parties": {"provider": {}, "consumer": {}},
            "clauses": [{"id": "approval", "kind": "approval"}],
            **more,
        }
    )


def message(document: Contract, at: int) -> tuple[str, bytes]:
    return published([document], at)[0]


def test_the_first_version_reaches_back_and_a_later_one_takes_over_when_published() -> None:
    estate = Estate.of_published([message(contract("2"), 500), message(contract("1"), 100)])
    assert [(t.contract.version, t.valid_from, t.valid_to) for t in estate.terms] == [
        ("1", BEGINNING, 500),
        ("2", 500, END),
    ]
    assert [estate.contracts_for("model-a", at)[0].version for at in (0, 100, 499, 500)] == ["1", "1", "1", "2"]
    assert estate.changes_for("model-a") == (500,)
    assert [c.version for c in estate.versions_of("pact")] == ["1", "2"]


def test_a_system_no_contract_covers_is_held_to_the_defaults() -> None:
    estate = Estate.of_published([message(contract("1", covers="model-?"), 100)])
    assert [c.id for c in estate.contracts_for("model-a", 0)] == ["pact"]
    (fallback,) = estate.contracts_for("model-ab", 0)
    assert (fallback.id, fallback.version, fallback.digest) == ("defaults", "built-in-3", built_in().digest)
    assert fallback in estate.all_contracts()
    assert estate.changes_for("model-ab") == ()


def test_a_contract_named_defaults_takes_the_place_of_the_built_in_one_where_it_covers() -> None:
    ours = [message(contract(v, covers="model-*", id="defaults"), at) for v, at in (("1", 100), ("2", 500))]
    estate = Estate.of_published([message(contract("1", covers="model-a"), 100), *ours])
    systems = ("model-a", "model-b", "other")
    held = {system: [c.key for c in estate.contracts_for(system, 600)] for system in systems}
    assert held == {
        "model-a": ["Contract/pact@1"],
        "model-b": ["Contract/defaults@2"],
        "other": ["Contract/defaults@built-in-3"],
    }
    assert [c.version for c in estate.contracts_for("model-b", 499)] == ["1"]
    assert estate.changes_for("model-b") == (500,)
    seams = Seams(estate)
    kept = {system: seams.latest("defaults", "approval", system) for system in systems}
    assert {system: bound and bound.seam.contract_version for system, bound in kept.items()} == {
        "model-a": None,
        "model-b": "2",
        "other": "built-in-3",
    }
    assert seams.latest("defaults", "abuse", "model-b") is None
    assert seams.latest("defaults", "abuse", "other") is not None


def test_nobody_may_publish_another_contract_as_the_built_in_one(tmp_path: Path) -> None:
    text = json.dumps({**contract("built-in-3", covers="*", id="defaults").written, "apiVersion": "seamwatch/v1"})
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(DocumentError, match="is the built-in one: give yours another"):
        Estate.load(tmp_path)


def test_a_version_that_stops_covering_ends_where_it_is_published() -> None:
    estate = Estate.of_published([message(contract("1"), 100), message(contract("2", covers="other"), 500)])
    assert [estate.contracts_for("model-a", at)[0].id for at in (499, 500)] == ["pact", "defaults"]
    assert estate.changes_for("model-a") == (500,)


def test_a_withdrawn_document_is_gone() -> None:
    first, second = message(contract("1"), 100), message(contract("2"), 500)
    estate = Estate.of_published([first, second, (second[0], None)])
    assert [(t.contract.version, t.valid_to) for t in estate.terms] == [("1", END)]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"not json", "Expecting value"),
        (b"{}", "KeyError"),
        (message(contract("1"), 1)[1].replace(b"operations", b"agent-pact"), "its digest is not that of its content"),
        (message(contract("2"), 1)[1], "its content is that of 'Contract/pact@2'"),
        (
            json.dumps(
                {
                    "document": {"kind": "Person", "id": "a", "nmae": "x"},
                    "digest": digest_of({"kind": "Person", "id": "a", "nmae": "x"}),
                    "published_at": 1,
                }
            ).encode(),
            "name: Field required",
        ),
    ],
)
def test_what_cannot_be_used_is_left_out_and_named(value: bytes, said: str) -> None:
    good = message(contract("3"), 100)
    estate = Estate.of_published([("Contract/pact@1", value), good])
    assert [c.version for c in estate.contracts] == ["3"]
    (problem,) = estate.problems
    assert problem.startswith("published document 'Contract/pact@1' cannot be used: ")
    assert said in problem


def test_documents_survive_publication() -> None:
    estate = Estate.load(ROOT / "contracts")
    again = Estate.of_published(published(documents_of(estate), at=5))
    assert again.problems == ()
    assert again.persons == estate.persons
    assert again.systems == estate.systems
    assert [c.clauses for c in again.contracts] == [c.clauses for c in estate.contracts]
    assert [c.digest for c in again.contracts] == [c.digest for c in estate.contracts]


def test_comments_and_layout_do_not_change_the_digest(tmp_path: Path) -> None:
    texts = ["kind: Person\nid: a\nname: A B\n", "# hello\n{name: 'A B', kind: Person,   id: a}\n"]
    digests = set()
    for text in texts:
        (tmp_path / "x.yaml").write_text(text)
        digests.add(Estate.load(tmp_path).persons["a"].digest)
    assert digests == {digest_of({"kind": "Person", "id": "a", "name": "A B"})}


def test_canonical_json_is_that_of_rfc_8785() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '\u20ac$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    assert canonical_json(value) == (
        b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        b'"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical_json({"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\u00f6": 7}) == (
        '{"\\r":2,"1":4,"\x80":6,"ö":7,"€":1,"😀":5,"\ufb33":3}'.encode()
    )
    known = {
        0.0: "0",
        1.0: "1",
        0.1: "0.1",
        -123.456: "-123.456",
        0.000001: "0.000001",
        1e-7: "1e-7",
        1e20: "100000000000000000000",
        1e21: "1e+21",
        5e-324: "5e-324",
        -5e-324: "-5e-324",
        9007199254740992.0: "9007199254740992",
        295147905179352830000.0: "295147905179352830000",
        1.7976931348623157e308: "1.7976931348623157e+308",
    }
    assert [canonical_json(number).decode() for number in known] == list(known.values())
    assert canonical_json(-0.0) == b"0"


_texts = st.text(st.characters(exclude_categories=["Cs"]))
_numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.recursive(st.none() | _numbers | _texts, lambda inner: st.lists(inner) | st.dictionaries(_texts, inner)))
def test_canonical_json_reads_back(value: Any) -> None:
    assert json.loads(canonical_json(value), parse_int=float) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2}, {"a": object()}])
def test_what_is_no_json_value_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(value)
