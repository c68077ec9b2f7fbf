"""Several versions of a contract in a folder: who signs which, and what the gate asks of the one in force now."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from console.app import build
from tests.signing.folder import Folder, run, set_clock

FULL = ("--version", "2.1", "--config-digest", "sha256:9a4be271", "--offline")


@pytest.fixture
def both(folder: Folder) -> Folder:
    """Beside the signed version a second one, in force from April on, that nobody has signed."""
    contract = folder.contract.read_text().partition("---\n")[2]
    assert 'version: "1"' in contract
    later = contract.replace('version: "1"', 'version: "2"\neffective_from: 2026-04-01')
    folder.contract.write_text(f"{folder.contract.read_text()}\n---\n{later}")
    return folder


def asked(folder: Folder) -> tuple[int, list[tuple[str, str, str]]]:
    words = ["gate", "credit-model", "--contracts", str(folder.path), "--json", *FULL]
    result = CliRunner().invoke(build(), words, catch_exceptions=False)
    found: list[Any] = json.loads(result.stdout)["findings"]
    return result.exit_code, [(f["level"], f["rule"], f["reason"]) for f in found
                              if f["rule"] in ("contract", "signature")]  # fmt: skip


def test_the_gate_asks_the_version_in_force_and_names_the_one_that_comes(
    both: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    coming = "credit-limits@2 comes into force at 2026-04-01 00:00:00 UTC"
    assert asked(both) == (0, [("warning", "contract", f"{coming}, and is not signed yet")])
    both.sign("lead", "product", "risk")
    assert asked(both) == (0, [("warning", "contract", coming)])
    # A version that is over is asked about no more.
    set_clock(monkeypatch, "2026-04-02T00:00:00Z")
    both.edit('version: "1"', 'version: "1"\nlateness: 1m')
    assert asked(both) == (0, [])


def test_an_unsigned_version_refuses_from_the_moment_it_is_in_force(
    both: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, "2026-04-01T00:00:00Z")
    code, findings = asked(both)
    assert code == 1
    assert {(level, rule) for level, rule, _ in findings} == {("error", "signature")}
    assert all(reason.startswith("credit-limits@2") for _, _, reason in findings)


def test_a_signature_under_the_former_version_stays(both: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    before = both.signatures.read_text().splitlines()
    set_clock(monkeypatch, "2026-03-03T00:00:00Z")
    both.sign("lead", "product", "risk")
    after = both.signatures.read_text().splitlines()
    assert after[: len(before)] == before
    assert {line.split()[0] for line in after[len(before) :]} == {"Contract/credit-limits@2"}
    assert run("contracts", "verify", both.path).exit_code == 0


def test_a_version_can_be_named_to_be_signed(both: Folder) -> None:
    key = both.key("lead")
    result = run("contracts", "sign", both.contract, "--as", "lead@example.org", "--key", key,
                 "--contract", "credit-limits@2")  # fmt: skip
    assert result.exit_code == 0
    assert "credit-limits@2" in result.output
    assert "credit-limits@1" not in result.output
