"""Who has signed: every state a signature can be in is told, with what to do about it."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest

from console.keys import read_private_key
from seamwatch.documents import unsigned_contracts
from seamwatch.documents.signing import parse_line
from seamwatch.errors import DocumentError, UsageError
from seamwatch.signatures import sign
from tests.signing.folder import Folder, run, set_clock

ALL = ("lead", "product", "risk")


def statuses(folder: Folder) -> dict[str | None, str]:
    """Each person's status, from the command; its exit code is that of its answer."""
    result = run("contracts", "verify", folder.path, "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == (0 if told["holds"] else 1)
    return {entry["person"] and entry["person"].split("@")[0]: entry["status"] for entry in told["signatures"]}


def test_parties_and_co_signers_sign_and_it_holds(folder: Folder) -> None:
    assert statuses(folder) == dict.fromkeys(ALL, "missing")
    folder.sign("lead")
    assert statuses(folder) == {"lead": "signed", "product": "missing", "risk": "missing"}
    folder.sign("product", "risk")
    assert statuses(folder) == dict.fromkeys(ALL, "signed")
    result = run("contracts", "verify", folder.path)
    assert result.exit_code == 0
    assert "co-signer of line: risk@example.org signed at 2026-03-02T10:00:" in result.stdout
    assert unsigned_contracts(folder.path) == ()


def test_comments_and_layout_may_change_but_no_word_of_the_agreement(folder: Folder) -> None:
    folder.sign(*ALL)
    folder.edit("max: 800}", "max: 800}  # milliseconds")
    assert set(statuses(folder).values()) == {"signed"}
    folder.edit("max: 800}", "max: 900}")
    assert statuses(folder) == dict.fromkeys(ALL, "changed")
    assert unsigned_contracts(folder.path) == ("credit-limits",)
    assert "the contract was changed after lead@example.org signed it" in run("contracts", "verify", folder.path).stdout
    folder.sign(*ALL)
    assert set(statuses(folder).values()) == {"signed"}


def test_a_new_version_is_signed_anew_and_then_right(folder: Folder) -> None:
    folder.sign(*ALL)
    folder.edit('version: "1"', 'version: "2"')
    assert statuses(folder) == dict.fromkeys(ALL, "changed")
    assert "lead@example.org signed version 1, not version 2" in run("contracts", "verify", folder.path).stdout
    folder.sign(*ALL)
    assert set(statuses(folder).values()) == {"signed"}
    assert len(folder.signatures.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("validity", "status"),
    [
        ("revoked_at: 2026-03-01", "revoked"),
        ("revoked_at: 2026-03-03", "signed"),  # what was signed before stays signed
        ("not_before: 2026-03-03", "not_yet_valid"),
        ("not_before: 2026-03-01", "signed"),
    ],
)
def test_a_key_must_be_valid_when_it_signs(folder: Folder, validity: str, status: str) -> None:
    folder.sign(*ALL)
    folder.write_people(lead=validity)
    assert statuses(folder)["lead"] == status


def test_nobody_signs_with_a_key_that_is_not_valid_now(folder: Folder) -> None:
    for validity, told in (("revoked_at: 2026-03-01", "was revoked"), ("not_before: 2026-03-03", "is not valid")):
        folder.write_people(lead=validity)
        with pytest.raises(UsageError, match=told):
            folder.sign("lead")
    assert not folder.signatures.exists()


def test_a_signature_from_the_future_does_not_count(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.sign(*ALL)
    set_clock(monkeypatch, "2026-03-02T09:00:00Z")
    assert set(statuses(folder).values()) == {"future"}


def test_a_key_that_is_no_longer_listed_is_unknown(folder: Folder) -> None:
    folder.sign(*ALL)
    folder.edit("key_id: lead-1", "key_id: lead-2", "people.yaml")
    assert statuses(folder)["lead"] == "unknown_key"


@pytest.mark.parametrize("what", ["person", "time", "signature"])
def test_no_part_of_a_line_can_be_changed(folder: Folder, what: str) -> None:
    folder.sign("product", "risk")
    line = folder.signatures.read_text().splitlines()[0]
    given = parse_line(line)
    other = {
        # product's signature passed off as lead's, whose key_id it names
        "person": line.replace("product@example.org product-1", "lead@example.org lead-1"),
        "time": line.replace(given.signed_at, "2026-03-01T10:00:00Z"),
        "signature": line.replace(given.signature, b64encode(bytes(64)).decode()),
    }[what]
    folder.edit(line, other, "credit.yaml.sig")
    assert statuses(folder)["lead" if what == "person" else "product"] == "invalid"


def test_a_stranger_and_a_line_under_nothing_are_told(folder: Folder) -> None:
    folder.sign(*ALL)
    folder.edit("co_signers: [risk@example.org]", "co_signers: [lead@example.org]")
    assert statuses(folder)["risk"] == "stranger"
    folder.sign("lead", "product")
    assert statuses(folder) == {"lead": "signed", "product": "signed", "risk": "stranger"}
    assert unsigned_contracts(folder.path) == ()
    folder.edit("id: credit-limits\n", "id: other-limits\n")
    told = run("contracts", "verify", folder.path).stdout
    assert "signed Contract/credit-limits@1, which is no contract of the file beside" in told


def test_a_party_without_a_signatory_cannot_have_signed(folder: Folder) -> None:
    folder.edit(", signatory: product@example.org", "")
    folder.sign("lead", "risk")
    assert statuses(folder) == {None: "unnamed", "lead": "signed", "risk": "signed"}


def test_what_is_no_signature_fails_the_check(folder: Folder) -> None:
    folder.sign(*ALL)
    folder.signatures.write_text(folder.signatures.read_text() + "approved, Ada\n")
    result = run("contracts", "verify", folder.path)
    assert result.exit_code == 1
    assert f"{folder.signatures}:4: is no signature" in result.stdout


def test_signing_needs_a_known_person_a_listed_key_and_something_to_sign(folder: Folder, tmp_path: Path) -> None:
    alone = tmp_path / "alone.yaml"
    alone.write_text(folder.contract.read_text().partition("---\n")[2].replace("product@example", "leed@example"))
    people = ("--documents", folder.path / "people.yaml")

    def sign_as(person: str, key: str) -> None:
        run("contracts", "sign", alone, "--as", f"{person}@example.org", "--key", folder.key(key), *people)

    with pytest.raises(UsageError, match=r"its public key .* is not listed for lead@example\.org"):
        sign_as("lead", "product")
    with pytest.raises(UsageError, match=r"no Person document below .* has this id: did you mean 'lead@example\.org'"):
        sign_as("leed", "lead")
    with pytest.raises(UsageError, match=r"product@example\.org signs nothing here: lead@\S+, leed@\S+, risk@"):
        sign_as("product", "product")


def test_a_wrong_document_is_not_signed(folder: Folder) -> None:
    folder.edit("signatory: product@example.org", "signatory: produkt@example.org")
    with pytest.raises(DocumentError, match=r"unknown person 'produkt@example\.org'"):
        folder.sign("lead")
    assert not folder.signatures.exists()


def test_an_approval_is_signed_by_its_approver_and_holds_until_it_is_changed(folder: Folder) -> None:
    sign_it = ("contracts", "sign", folder.contract, "--approval", "CR-21", "--as")
    with pytest.raises(UsageError, match=r"approval CR-21 is given by risk@example\.org"):
        run(*sign_it, "lead@example.org", "--key", folder.key("lead"))
    printed = run(*sign_it, "risk@example.org", "--key", folder.key("risk")).stdout.splitlines()[-1]
    folder.edit("expires: 2027-01-08}", f"expires: 2027-01-08, {printed}}}")
    folder.sign(*ALL)
    told = json.loads(run("contracts", "verify", folder.path, "--json").stdout)
    assert [entry["status"] for entry in told["signatures"] if entry["document"] == "Approval/CR-21"] == ["signed"]
    folder.edit("expires: 2027-01-08", "expires: 2028-01-08")
    result = run("contracts", "verify", folder.path)
    assert result.exit_code == 1
    assert "or the approval was changed after it was signed" in result.stdout


def test_check_names_what_is_not_signed(folder: Folder) -> None:
    assert "note: not signed: credit-limits" in run("contracts", "check", folder.path).stderr
    folder.signatures.write_text("# a file that lies there signs nothing\n")
    assert json.loads(run("contracts", "check", folder.path, "--json").stdout)["unsigned"] == ["credit-limits"]
    folder.sign(*ALL)
    assert json.loads(run("contracts", "check", folder.path, "--json").stdout)["unsigned"] == []


def test_a_signature_over_the_digest_alone_is_not_one(folder: Folder) -> None:
    folder.sign(*ALL)
    line = parse_line(folder.signatures.read_text().splitlines()[0])
    bare = b64encode(sign(line.digest.encode(), read_private_key(folder.key("lead")))).decode()
    folder.edit(line.signature, bare, "credit.yaml.sig")
    assert statuses(folder)["lead"] == "invalid"
