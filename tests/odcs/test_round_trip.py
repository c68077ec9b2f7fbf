"""ODCS both ways: nothing of a contract or of an ODCS document is lost, and what either side changes arrives."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from console.app import build
from seamwatch.documents import digest_of, load_folder
from seamwatch.documents.loading import load_estate
from seamwatch.documents.reading import read_file
from seamwatch.errors import DocumentError
from seamwatch.odcs import exported, imported
from seamwatch.odcs.importing import kept_document, without_label

CONTRACTS = Path(__file__).parents[2] / "contracts"
OWN = {"seamwatchContract", "seamwatchStated", "seamwatchSystem"}

ORDERS: dict[str, Any] = {
    "apiVersion": "v3.1.0", "kind": "DataContract", "id": "orders", "version": "2.0.1", "status": "active",
    "description": {"purpose": "Orders of the shop"},
    "servers": [{"server": "store", "type": "postgres", "host": "db.example.org", "port": 5432}],
    "schema": [
        {
            "name": "orders", "physicalType": "table",
            "properties": [{"name": "order_id", "quality": [{"metric": "nullValues", "mustBe": 0}]}],
            "quality": [
                {"metric": "rowCount", "mustBeGreaterThan": 999, "severity": "warning", "schedule": "0 6 * * *"},
                {"type": "text", "description": "Every order has a customer"},
            ],
        },
        {
            "name": "inference",
            "properties": [
                {"name": "score", "logicalType": "number", "required": True,
                 "logicalTypeOptions": {"minimum": 0, "maximum": 1, "exclusiveMaximum": 2}},
                {"name": "cohort", "quality": [{"metric": "nullValues", "mustBeLessOrEqualTo": 5, "unit": "percent"}]},
            ],
        },
    ],
    "slaProperties": [
        {"property": "latency", "value": 26, "unit": "h", "driver": "operational"},
        {"property": "latency", "value": 4, "unit": "d", "element": "orders.order_id"},
        {"property": "retention", "value": 3, "unit": "y"},
    ],
    "team": {"name": "shop", "members": [
        {"username": "old@example.org", "role": "Owner", "dateOut": "2025-01-01"},
        {"username": "ben@example.org", "role": "analyst"},
        {"username": "ada@example.org", "name": "Ada Example", "role": "Owner"},
    ]},
    "roles": [{"role": "writers", "access": "write"}, {"role": "planning", "access": "read"}],
    "customProperties": [{"property": "costCentre", "value": 12}],
}  # fmt: skip


def _of(documents: tuple[dict[str, Any], ...], kind: str) -> dict[str, Any]:
    return next(document for document in documents if document["kind"] == kind)


def _again(documents: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    contract = next((d for d in documents if d["kind"] == "Contract"), None)
    system = _of(documents, "System")
    return exported(contract, base=kept_document(system), system=without_label(system))


def _foreign(document: dict[str, Any]) -> dict[str, Any]:
    rest = copy.deepcopy(document)
    custom = [item for item in rest.pop("customProperties", []) if item["property"] not in OWN]
    return {**rest, "customProperties": custom} if custom else rest


def test_what_maps_becomes_clauses_and_parties() -> None:
    done = imported(ORDERS)
    contract = _of(done.documents, "Contract")
    assert contract["clauses"] == [
        {"id": "freshness", "kind": "freshness", "max_lag": "26h"},
        {"id": "volume", "kind": "volume", "of": "dataset", "min": 1000, "severity": "warning"},
        {"id": "range", "kind": "range", "min": 0, "max": 1, "nullable": False},
        {"id": "assertion", "kind": "assertion", "must": "cohort IS NOT NULL", "at_least": 0.95},
    ]
    assert contract["parties"] == {
        "provider": {"team": "shop", "signatory": "ada@example.org"},
        "consumer": {"team": "planning"},
    }
    assert _of(done.documents, "Person")["name"] == "Ada Example"
    assert [place.split(" ")[0] for place in done.kept] == [
        "slaProperties.1", "slaProperties.2", "schema.0.quality.1", "schema.0.properties.0.quality.0",
    ]  # fmt: skip
    assert done.kept[0].endswith(
        "of 'orders.order_id' alone, and elements are not told apart: 26h (slaProperties.0) is watched"
    )
    assert done.unread == ("description", "servers", "customProperties")


def test_an_odcs_document_comes_back_whole_and_imports_to_the_same() -> None:
    first = imported(ORDERS)
    back = _again(first.documents)
    assert _foreign(back) == ORDERS
    assert imported(back) == first


@pytest.mark.parametrize("gone", ["freshness", "volume", "range", "assertion"])
def test_a_clause_taken_out_of_the_contract_is_taken_out_of_the_export_and_no_other(gone: str) -> None:
    documents = imported(ORDERS).documents
    contract = _of(documents, "Contract")
    contract["clauses"] = [clause for clause in contract["clauses"] if clause["id"] != gone]
    again = imported(_again(documents))
    assert _of(again.documents, "Contract") == contract
    assert _again(again.documents) == _again(documents)


def test_a_changed_clause_changes_its_item_and_leaves_the_rest() -> None:
    documents = imported(ORDERS).documents
    _of(documents, "Contract")["clauses"][0].update(max_lag="90m", warn_at="80m")
    back = _again(documents)
    assert {"id": "freshness", "property": "latency", "value": 90, "unit": "minutes"} in back["slaProperties"]
    assert {"property": "retention", "value": 3, "unit": "y"} in back["slaProperties"]
    assert not any(item.get("value") == 26 for item in back["slaProperties"])
    assert _of(imported(back).documents, "Contract") == _of(documents, "Contract")


@pytest.mark.parametrize("file", ["agent-pact", "base-model", "fintech", "insurer"])
def test_every_contract_of_the_repository_keeps_its_digest(file: str) -> None:
    contracts = load_estate(CONTRACTS).contracts
    own = [c for c in contracts if f"id: {c.id}\n" in (CONTRACTS / f"{file}.yaml").read_text("utf-8")]
    assert own
    for contract in own:
        (back,) = imported(exported(contract.written)).documents
        assert digest_of(back) == contract.digest


def test_what_is_changed_in_the_odcs_document_is_changed_in_the_contract() -> None:
    feed = next(c for c in load_estate(CONTRACTS).contracts if c.id == "eligibility-feed")
    document = exported(feed.written)
    assert document["slaProperties"] == [{"id": "fresh", "property": "latency", "value": 26, "unit": "h"}]
    document["slaProperties"][0]["value"] = 30
    changed = _of(imported(document).documents, "Contract")
    assert changed["clauses"] == [
        {"id": "fresh", "kind": "freshness", "of": "dataset", "max_lag": "30h", "warn_at": "25h"}
    ]
    document["slaProperties"] = []
    assert not any(d["kind"] == "Contract" for d in imported(document).documents)


_durations = st.builds("{}{}".format, st.integers(1, 999), st.sampled_from(["s", "m", "h", "d", "w"]))
_clauses = st.one_of(
    st.fixed_dictionaries({"kind": st.just("freshness"), "max_lag": _durations}, optional={"quiet": _durations}),
    st.fixed_dictionaries(
        {"kind": st.just("volume"), "min": st.integers(0, 50), "max": st.integers(50, 99)},
        optional={"of": st.sampled_from(["dataset", "inference"]), "per": _durations, "where": st.just("score > 0")},
    ),
    st.fixed_dictionaries(
        {"kind": st.just("range"), "min": st.floats(-1, 0)},
        optional={"max": st.floats(0, 1), "nullable": st.booleans(), "tolerate": st.sampled_from([0.0, 0.1])},
    ),
    st.fixed_dictionaries(
        {"kind": st.just("assertion"), "must": st.sampled_from(["cohort IS NOT NULL", "score > 0.5"])},
        optional={"at_least": st.sampled_from([0.5, 0.99, 1.0]), "severity": st.sampled_from(["breach", "warning"])},
    ),
)


@given(st.lists(_clauses, min_size=1, max_size=6), st.booleans())
def test_any_clauses_survive_the_way_there_and_back(clauses: list[dict[str, Any]], over_a_base: bool) -> None:
    clauses = [{"id": f"c-{number}", **clause} for number, clause in enumerate(clauses)]
    documents = imported(ORDERS).documents
    contract = {**_of(documents, "Contract"), "clauses": clauses}
    base, system = (ORDERS, _of(documents, "System")) if over_a_base else (None, None)
    back = imported(exported(contract, base=base, system=system and without_label(system)))
    assert _of(back.documents, "Contract") == contract


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": None}, "lacks status"),
        ({"apiVersion": "v2.2.2"}, "only kind DataContract of ODCS v3"),
        ({"team": None}, "--owner"),
        ({"customProperties": [{"property": "seamwatchContract", "value": 3}]}, "export the contract again"),
    ],
)
def test_what_cannot_be_imported_is_said(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        imported({**ORDERS, **change})


def test_the_commands_write_files_that_check_accepts(tmp_path: Path) -> None:
    runner, out, estate = CliRunner(), tmp_path / "feed.odcs.yaml", tmp_path / "estate"
    estate.mkdir()
    asked = ["contracts", "export", "eligibility-feed", "--format", "odcs", "--contracts", str(CONTRACTS)]
    assert runner.invoke(build(), [*asked, "--out", str(out)]).exit_code == 0
    document = read_file(out, "feed")[0][0].content
    out.write_text(out.read_text("utf-8") + "tags: [daily]\n", "utf-8")
    target = estate / "feed.yaml"
    done = runner.invoke(build(), ["contracts", "import", "--odcs", str(out), "--out", str(target)])
    assert done.exit_code == 0, done.output
    _, problems = load_folder(estate)
    # The consumer's people are declared elsewhere; nothing else is wrong.
    assert all("unknown person" in problem.message for problem in problems), problems
    assert "feed.odcs" not in target.read_text("utf-8")
    read = [written.content for written in read_file(target, "feed")[0]]
    assert _again(tuple(read)) | {"customProperties": []} == {**document, "tags": ["daily"], "customProperties": []}
