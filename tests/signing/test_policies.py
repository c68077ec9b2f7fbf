"""A risk policy is signed by its signatories as contracts are, and followed unsigned only where that is allowed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seamwatch.documents.loading import load
from seamwatch.documents.publishing import Published, documents_of, published
from tests.signing.folder import Folder, prepare, run

POLICY = """\
kind: RiskPolicy
id: model-risk
version: "1"
effective_from: 2026-02-01
signatories: [risk@example.org, product@example.org]
tiers: [{tier: high}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    made = prepare(tmp_path, monkeypatch)
    (made.path / "policy.yaml").write_text(POLICY)
    return made


def sign(folder: Folder, *people: str) -> None:
    for person in people:
        file, who = folder.path / "policy.yaml", f"{person}@example.org"
        result = run("contracts", "sign", file, "--as", who, "--key", folder.key(person), "--documents", folder.path)
        assert result.exit_code == 0, result.output
        assert f"{who} signs model-risk@1 as signatory" in result.stdout


def statuses(folder: Folder) -> list[tuple[str, str]]:
    told = json.loads(run("contracts", "verify", folder.path, "--json").stdout)["signatures"]
    return [(s["person"], s["status"]) for s in told if s["document"] == "RiskPolicy/model-risk@1"]


def test_every_signatory_signs_it_and_another_text_is_not_signed(folder: Folder) -> None:
    risk, product = "risk@example.org", "product@example.org"
    assert statuses(folder) == [(risk, "missing"), (product, "missing")]
    sign(folder, "risk")
    assert statuses(folder) == [(risk, "signed"), (product, "missing")]
    sign(folder, "product")
    assert statuses(folder) == [(risk, "signed"), (product, "signed")]
    folder.edit("[{tier: high}]", "[{tier: high}, {tier: low}]", "policy.yaml")
    assert statuses(folder) == [(risk, "changed"), (product, "changed")]


def test_where_signatures_are_required_it_is_followed_once_all_have_signed(folder: Folder) -> None:
    followed = []
    for people in ((), ("risk",), ("product",)):
        sign(folder, *people)
        estate = load(folder.path).estate()
        said = Published(required=True)
        for key, value in published(documents_of(estate), 7, estate.signatures):
            said.take(key, value)
        followed.append(len(said.estate().policies))
    assert followed == [0, 0, 1]
