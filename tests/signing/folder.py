"""A small folder of documents whose people have keys, and what signs it as they would: by the commands."""

from __future__ import annotations

import time
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from console.app import build
from seamwatch.instants import parse_instant

NOW = "2026-03-02T10:00:00Z"
PEOPLE = ("lead", "product", "risk")

SYSTEM = """\
apiVersion: seamwatch/v1
kind: System
id: credit-model
type: model
owner: lead@example.org
use_cases: [credit-limit]
runbook: https://example.org/runbook
lineage: [bureau-extract]
monitoring_agreement: https://example.org/monitoring
registry_entry: RISK-12
review: {every: 90d, by: risk@example.org, last: 2026-01-15}
benchmark:
  - {metric: gini, min: 0.55}
versions:
  - version: "2.1"
    config_digest: sha256:9a4be271
    approvals:
      - {id: CR-21, use_case: credit-limit, approved_by: risk@example.org, approved_at: 2026-01-08, expires: 2027-01-08}
"""
CONTRACT = """\
apiVersion: seamwatch/v1
kind: Contract
id: credit-limits
version: "1"
seam: model-to-product
covers: [credit-model]
parties:
  provider: {team: credit-models, signatory: lead@example.org}
  consumer: {team: product, signatory: product@example.org}
clauses:
  - {id: line, kind: threshold, decision: approve, when: score >= 0.62, co_signers: [risk@example.org]}
  - {id: fast, kind: signal, signal: latency, max: 800}
  - {id: right, kind: signal, signal: accuracy, min: 0.7}
  - {id: steady, kind: signal, signal: drift, max: 0.2}
  - {id: unabused, kind: signal, signal: abuse, max: 0.05}
  - {id: whole, kind: signal, signal: fallback, max: 0.05}
"""


@dataclass
class Folder:
    """Documents below ``path``, private keys beside it."""

    path: Path
    keys: Path

    @property
    def contract(self) -> Path:
        return self.path / "credit.yaml"

    @property
    def signatures(self) -> Path:
        return self.path / "credit.yaml.sig"

    def key(self, person: str, number: int = 1) -> Path:
        """A person's private key file; the same for the same person and number."""
        file = self.keys / f"{person}-{number}"
        if not file.exists():
            seed = bytes([number, *person.encode()]).ljust(32, b".")
            file.write_bytes(b64encode(Ed25519PrivateKey.from_private_bytes(seed).private_bytes_raw()))
            file.chmod(0o600)
        return file

    def write_people(self, **validity: str) -> None:
        """Every person with their key; ``lead="revoked_at: 2026-02-01"`` says more about one."""
        documents = []
        for name in PEOPLE:
            public = b64encode(self._private(name).public_key().public_bytes_raw()).decode()
            more = f", {validity[name]}" if name in validity else ""
            documents.append(
                f"apiVersion: seamwatch/v1\nkind: Person\nid: {name}@example.org\nname: Example {name}\n"
                f"keys:\n  - {{key_id: {name}-1, public: {public}{more}}}\n"
            )
        (self.path / "people.yaml").write_text("---\n".join(documents))

    def edit(self, before: str, after: str, file: str = "credit.yaml") -> None:
        """Change the text of a file; it must be there exactly once."""
        text = (self.path / file).read_text()
        assert text.count(before) == 1, before
        (self.path / file).write_text(text.replace(before, after))

    def sign(self, *people: str) -> None:
        """Let people sign the contract."""
        for person in people:
            self.sign_with(person, 1)

    def sign_with(self, person: str, number: int) -> None:
        """Let a person sign the contract with one of their keys."""
        key = self.key(person, number)
        result = run("contracts", "sign", self.contract, "--as", f"{person}@example.org", "--key", key)
        assert result.exit_code == 0, result.output

    def sign_approval(self, person: str = "risk", approval: str = "CR-21") -> None:
        """Let a person sign the approval of the system, and put the signature under it."""
        result = run(
            "contracts", "sign", self.contract, "--approval", approval, "--as", f"{person}@example.org",
            "--key", self.key(person),
        )  # fmt: skip
        assert result.exit_code == 0, result.output
        signed = result.stdout.splitlines()[1]
        lines = self.contract.read_text().splitlines(keepends=True)
        at = next(n for n, line in enumerate(lines) if f"id: {approval}," in line)
        lines[at] = f"{lines[at].partition(', signatures:')[0].rstrip().rstrip('}')}, {signed}}}\n"
        self.contract.write_text("".join(lines))

    def _private(self, person: str) -> Ed25519PrivateKey:
        from console.keys import read_private_key

        return Ed25519PrivateKey.from_private_bytes(read_private_key(self.key(person)))


def run(*arguments: Any, stdin: str | None = None) -> Result:
    """A command's result; an error of ours is raised."""
    return CliRunner().invoke(build(), [str(word) for word in arguments], input=stdin, catch_exceptions=False)


def set_clock(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """What time the commands take it to be."""
    monkeypatch.setenv("SEAMWATCH_CLOCK", f"{parse_instant(moment)},{time.time_ns() // 1_000},1")


def prepare(place: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """The folder below a place, in an environment that names no server and no passphrase."""
    set_clock(monkeypatch, NOW)
    for name in ("CLICKHOUSE_URL", "SEAMWATCH_CLICKHOUSE", "SEAMWATCH_KEY_PASSPHRASE", "SEAMWATCH_KEY_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SEAMWATCH_DATA", str(place / "nothing-runs-here"))
    made = Folder(place / "documents", place / "keys")
    made.path.mkdir()
    made.keys.mkdir()
    made.write_people()
    made.contract.write_text(f"{SYSTEM}---\n{CONTRACT}")
    return made
