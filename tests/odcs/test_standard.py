"""The Open Data Contract Standard's own words: its examples come back whole, and what is written keeps its schema.

Schema and examples are third-party data: see `standard/NOTICE.md`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft201909Validator

from seamwatch.documents.contract import Contract
from seamwatch.documents.loading import load_estate
from seamwatch.documents.models import System
from seamwatch.documents.reading import read_file
from seamwatch.odcs import exported, imported
from seamwatch.odcs.importing import kept_document, without_label

STANDARD = Path(__file__).parent / "standard"
EXAMPLES = sorted((STANDARD / "examples").glob("*/*.odcs.yaml"))
CONTRACTS = Path(__file__).parents[2] / "contracts"


@pytest.fixture(scope="module")
def schema() -> Draft201909Validator:
    return Draft201909Validator(json.loads((STANDARD / "odcs-json-schema-v3.1.0.json").read_text("utf-8")))


@cache
def read(file: Path) -> dict[str, Any]:
    (written,), problems = read_file(file, file.name)
    assert problems == []
    content: dict[str, Any] = written.content
    return content


def against(schema: Draft201909Validator, document: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in schema.iter_errors(document)]


def test_the_schema_refuses_what_is_not_of_the_standard(schema: Draft201909Validator) -> None:
    assert against(schema, {"apiVersion": "v3.1.0", "kind": "DataContract", "slaProperties": [{"value": 1}]})


def test_all_examples_of_the_standard_are_here() -> None:
    assert len(EXAMPLES) == 18


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name.removesuffix(".odcs.yaml"))
def test_an_example_of_the_standard_comes_back_equal_and_keeps_the_schema(
    file: Path, schema: Draft201909Validator
) -> None:
    document = read(file)
    first = imported(document, "owner@example.org")
    system = next(d for d in first.documents if d["kind"] == "System")
    contract = next((d for d in first.documents if d["kind"] == "Contract"), None)
    System.model_validate(system)
    if contract is not None:
        Contract.model_validate(contract)

    back = exported(contract, base=kept_document(system), system=without_label(system))
    own = [item for item in back["customProperties"] if item["property"].startswith("seamwatch")]
    rest = [item for item in back["customProperties"] if item not in own]
    assert own
    assert {**back, "customProperties": rest} == {"customProperties": [], **document}
    assert imported(back, "owner@example.org") == first
    assert against(schema, back) == []


def test_the_examples_that_promise_a_latency_become_a_clause() -> None:
    kinds = {}
    for file in EXAMPLES:
        documents = imported(read(file), "owner@example.org").documents
        clauses = [c["kind"] for d in documents if d["kind"] == "Contract" for c in d["clauses"]]
        if clauses:
            kinds[file.name.removesuffix(".odcs.yaml")] = clauses
    assert kinds == {"full-example": ["freshness"], "database-table-sla": ["freshness"]}


@pytest.mark.parametrize("contract", load_estate(CONTRACTS).contracts, ids=lambda contract: contract.id)
def test_what_is_exported_of_our_contracts_keeps_the_schema(contract: Contract, schema: Draft201909Validator) -> None:
    assert against(schema, exported(contract.written)) == []
