"""The worked example of the fintech: a line that the model lead has not signed is refused, and a breach in traffic."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from console.app import build
from seamwatch.documents import Estate
from seamwatch.durations import DAY, HOUR
from seamwatch.instants import parse_instant
from seamwatch.judging.model.facts import Violation
from seamwatch.signatures import change_bytes, sign
from streams.replay.replay import replay
from tests.clauses.history import record_of

CONTRACTS = Path(__file__).parents[2] / "contracts"
CLAUSE = "decided-by-the-agreed-threshold"
DEV = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
"""The key of the model lead: the first test vector of RFC 8032."""
START = parse_instant("2026-03-02")


def change(*, signed: bool) -> dict[str, Any]:
    event = {
        "type": "config_change", "event_id": "c1", "event_time": START, "system": "credit-model", "change_id": "CH-9",
        "kind": "threshold", "from_value": "0.62", "to_value": "0.55", "effective_at": START + 3 * DAY,
        "announced_by": "eve@example.org",
    }  # fmt: skip
    signature = b64encode(sign(change_bytes(record_of(event)[1]), DEV)).decode()
    lines = [{"person": "dev@example.org", "key_id": "dev-2026", "signature": signature}]
    return event | {"signatures": lines if signed else []}


def decision(score: float, given: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "inference", "event_id": f"d{score}", "event_time": START + HOUR, "system": "credit-model",
        "version": "2.1", "config_digest": "sha256:9a4be2710c53d866", "use_case": "credit-limit", "subject": "s",
        "score": score, "decision": given, **fields,
    }  # fmt: skip


def found(*events: dict[str, Any]) -> list[Violation]:
    records = [record_of(event) for event in events]
    return [v for v in replay(Estate.load(CONTRACTS), records) if v.clause == CLAUSE]


def test_an_announced_line_without_the_leads_signature_is_a_breach_with_both_names() -> None:
    (violation,) = found(change(signed=False))
    assert (violation.kind, violation.slice, violation.opened_at) == ("threshold", "CH-9", START)
    assert violation.summary == (
        "credit-model: threshold change CH-9 by eve@example.org lacks a valid signature of dev@example.org"
    )
    assert found(change(signed=True)) == []


def test_a_decision_on_the_wrong_side_of_the_line_is_a_breach() -> None:
    assert (
        found(decision(0.62, "approve"), decision(0.61, "decline"), decision(0.5, "approve", human_review=True)) == []
    )
    (violation,) = found(decision(0.58, "approve"))
    assert (violation.observed, violation.person) == (0.58, "dev@example.org")


def test_the_gate_refuses_a_moved_line_until_the_lead_has_signed_it(tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, folder)
    key = tmp_path / "dev.key"
    key.write_text(b64encode(DEV).decode(), "utf-8")
    key.chmod(0o600)

    def refusals() -> list[str]:
        told = run("gate", "credit-model", "--contracts", str(folder), "--offline", "--json")
        assert told.exit_code == 1
        named = [f"{f['reason']}" for f in json.loads(told.stdout)["findings"] if f["rule"] == "signature"]
        return [reason for reason in named if "dev@example.org" in reason]

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(build(), list(arguments), catch_exceptions=False)

    def sign_it() -> None:
        signed = run("contracts", "sign", str(folder / "fintech.yaml"), "--as", "dev@example.org", "--key", str(key))
        assert signed.exit_code == 0, signed.output

    (unsigned,) = refusals()
    assert unsigned == f"credit-limits@1 (provider, co-signer of {CLAUSE}): dev@example.org has not signed"
    sign_it()
    assert refusals() == []
    contract = folder / "fintech.yaml"
    moved = (
        contract.read_text("utf-8").replace('version: "1"', 'version: "2"').replace("score >= 0.62", "score >= 0.55")
    )
    contract.write_text(moved, "utf-8")
    (again,) = refusals()
    assert again.startswith(f"credit-limits@2 (provider, co-signer of {CLAUSE}): ")
    sign_it()
    assert refusals() == []
