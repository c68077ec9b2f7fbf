"""Keys that are others than before need a signature by a key that was there before, or by who was named to vouch."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from console.keys import public_of, read_private_key
from seamwatch.clock import SystemClock
from seamwatch.documents import Person, documents_of, published
from seamwatch.documents.loading import load
from seamwatch.documents.publishing import Published
from seamwatch.documents.vouching import before_below, key_changes, signed
from seamwatch.errors import DocumentError, UsageError
from tests.signing.folder import Folder, run

LEAD = "lead@example.org"


@pytest.fixture
def before(folder: Folder, tmp_path: Path) -> Path:
    """The state that all have signed; ``folder`` is what becomes of it."""
    folder.sign("lead", "product", "risk")
    old = tmp_path / "before"
    shutil.copytree(folder.path, old)
    return old


def exchange(folder: Folder) -> None:
    """Put lead's second key where the first was."""
    one, two = (public_of(read_private_key(folder.key("lead", n))) for n in (1, 2))
    folder.edit(one, two, "people.yaml")


def verdict(folder: Folder, before: Path) -> dict[str, Any] | None:
    result = run("contracts", "verify", folder.path, "--before", before, "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == (0 if told["holds"] else 1)
    return next((v for v in told["signatures"] if v["document"].startswith("Person/")), None)


def vouch(folder: Folder, before: Path, person: str, number: int = 1, whose: str = LEAD) -> None:
    result = run(
        "contracts", "sign", folder.path / "people.yaml", "--keys-of", whose, "--as", f"{person}@example.org",
        "--key", folder.key(person, number), "--documents", before,
    )  # fmt: skip
    assert result.exit_code == 0, result.output


def test_an_exchanged_key_is_seen_and_the_old_key_vouches_for_it(folder: Folder, before: Path) -> None:
    assert verdict(folder, before) is None
    exchange(folder)
    result = run("contracts", "sign", folder.contract, "--as", LEAD, "--key", folder.key("lead", 2))
    assert result.exit_code == 0  # so every signature holds by the keys as they are now
    assert run("contracts", "verify", folder.path).exit_code == 0
    found = verdict(folder, before)
    assert found is not None
    assert (found["status"], found["roles"], found["person"]) == ("missing", ["keys"], LEAD)
    assert "key lead-1 was exchanged, and nobody vouched for it" in found["message"]
    vouch(folder, before, "lead")
    found = verdict(folder, before)
    assert found is not None
    assert found["holds"]
    folder.edit("name: Example lead", "name: Another lead", "people.yaml")
    found = verdict(folder, before)
    assert found is not None
    assert found["status"] == "changed"


def test_neither_the_new_key_nor_a_colleague_vouches(folder: Folder, before: Path) -> None:
    exchange(folder)
    vouch(folder, folder.path, "lead", 2)
    found = verdict(folder, before)
    assert found is not None
    assert found["status"] == "invalid"
    (folder.path / "people.yaml.sig").unlink()
    vouch(folder, before, "risk")
    found = verdict(folder, before)
    assert found is not None
    assert found["status"] == "stranger"


def test_who_was_named_before_vouches_for_a_lost_key_and_who_names_themselves_does_not(
    folder: Folder, before: Path
) -> None:
    exchange(folder)
    folder.edit("name: Example lead\n", "name: Example lead\nvouched_by: risk@example.org\n", "people.yaml")
    vouch(folder, before, "risk")
    found = verdict(folder, before)
    assert found is not None
    assert found["status"] == "stranger"
    assert "vouched_by was changed from nobody to risk@example.org" in found["message"]
    people = before / "people.yaml"
    people.write_text(
        people.read_text().replace("name: Example lead\n", "name: Example lead\nvouched_by: risk@example.org\n")
    )
    found = verdict(folder, before)
    assert found is not None
    assert found["holds"]


def test_a_revoked_key_vouches_for_nothing(folder: Folder, before: Path) -> None:
    exchange(folder)
    vouch(folder, before, "lead")
    people = before / "people.yaml"
    people.write_text(people.read_text().replace("key_id: lead-1", "revoked_at: 2026-03-02T10:00:00Z, key_id: lead-1"))
    found = verdict(folder, before)
    assert found is not None
    assert found["status"] == "revoked"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": {}}, {"a": {}}, []),
        ({}, {"a": {}}, []),  # a first key
        ({"a": {}}, {"a": {}, "b": {}}, ["key b was added"]),
        ({"a": {}, "b": {}}, {"b": {}}, ["key a was removed"]),
        ({"a": {}}, {"b": {}}, ["key a was removed", "key b was added"]),
        ({"a": {}}, {"a": {"public": "AQ"}}, ["key a was exchanged"]),
        ({"a": {}}, {"a": {"revoked_at": "2026-01-01"}}, []),  # must not wait
        ({"a": {"revoked_at": "2026-01-01"}}, {"a": {}}, ["key a was given more time"]),
        ({"a": {"revoked_at": "2026-01-01"}}, {"a": {"revoked_at": "2026-01-02"}}, ["key a was given more time"]),
        ({"a": {"not_before": "2026-01-02"}}, {"a": {"not_before": "2026-01-01"}}, ["key a was given more time"]),
        ({"a": {"not_before": "2026-01-01"}}, {"a": {"not_before": "2026-01-02"}}, []),
    ],
)
def test_what_lets_another_key_sign_must_be_vouched_for(old: Any, new: Any, expected: list[str]) -> None:
    def person(keys: Any) -> Person:
        entries = [
            {"key_id": name, **more, "public": b64encode(more.get("public", name).encode().ljust(32, b".")).decode()}
            for name, more in keys.items()
        ]
        return Person.model_validate({"kind": "Person", "id": "p", "name": "P", "keys": entries})

    assert key_changes(person(old), person(new)) == expected


def test_a_state_before_that_cannot_be_read_is_no_state(folder: Folder, before: Path) -> None:
    (before / "people.yaml").write_text("kind: Person\nid: lead@example.org\n")
    with pytest.raises(DocumentError, match="name"):
        verdict(folder, before)
    with pytest.raises(UsageError, match="--published"):
        run("contracts", "verify", folder.path, "--data", folder.path)


def test_one_thing_is_signed_at_a_time(folder: Folder) -> None:
    with pytest.raises(UsageError, match="holds no person 'nobody'"):
        run("contracts", "sign", folder.path / "people.yaml", "--keys-of", "nobody", "--as", LEAD,
            "--key", folder.key("lead"))  # fmt: skip
    with pytest.raises(UsageError, match="give one of them"):
        run("contracts", "sign", folder.contract, "--keys-of", LEAD, "--approval", "CR-21", "--as", LEAD,
            "--key", folder.key("lead"))  # fmt: skip


def test_diff_tells_keys_owners_digests_and_approvals(folder: Folder, before: Path) -> None:
    exchange(folder)
    folder.edit("key_id: risk-1", "revoked_at: 2026-02-01, key_id: risk-1", "people.yaml")
    folder.edit("owner: lead@", "owner: product@")
    folder.edit("config_digest: sha256:9a4be271", "config_digest: sha256:0000")
    folder.edit("approved_by: risk@", "approved_by: product@")
    result = run("contracts", "diff", before, folder.path)
    one, two = (public_of(read_private_key(folder.key("lead", n))) for n in (1, 2))
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "Person/lead@example.org  changed",
        f"  changed    key lead-1: public {one} → {two}",
        "Person/risk@example.org  changed",
        "  changed    key risk-1: revoked_at not given → 2026-02-01",
        "System/credit-model  changed",
        "  changed    owner lead@example.org → product@example.org",
        "  changed    version 2.1: config_digest sha256:9a4be271 → sha256:0000",
        "  changed    version 2.1: approval CR-21 credit-limit: approved_by risk@example.org → product@example.org",
    ]
    parts = json.loads(run("contracts", "diff", before, folder.path, "--json").stdout)["documents"][2]["parts"]
    assert parts[0] == {
        "name": "owner", "what": "changed", "before": "lead@example.org", "after": "product@example.org"
    }  # fmt: skip


def test_diff_tells_what_comes_and_goes_in_lists(folder: Folder, before: Path) -> None:
    text = folder.contract.read_text()
    approval = "{id: CR-21, use_case: credit-limit, approved_by: risk@example.org, approved_at: 2026-01-08, "
    folder.contract.write_text(text.replace(approval, approval.replace("CR-21", "CR-22")))
    told = run("contracts", "diff", before, folder.path).stdout
    assert "  removed    version 2.1: approval CR-21 credit-limit {" in told
    assert "  added      version 2.1: approval CR-22 credit-limit {" in told
    folder.contract.write_text(text)
    folder.edit("name: Example risk", "name: Example risk\nchannels: ['json://secret@host.example.org']", "people.yaml")
    told = run("contracts", "diff", before, folder.path).stdout
    assert "channels 0 addresses → 1 addresses" in told
    assert "secret" not in told


def test_a_line_under_a_person_is_no_stray_line(folder: Folder) -> None:
    people = folder.path / "people.yaml"
    folder.contract.write_text(f"{people.read_text()}---\n{folder.contract.read_text()}")
    people.unlink()
    folder.sign("lead", "product", "risk")
    result = run("contracts", "sign", folder.contract, "--keys-of", LEAD, "--as", LEAD, "--key", folder.key("lead"))
    assert result.exit_code == 0
    assert run("contracts", "verify", folder.path).exit_code == 0


ROTA = f"""---
kind: Rota
id: on-call
owner: {LEAD}
time_zone: UTC
starts: 2026-11-02
persons: [{LEAD}]
"""


def test_whoever_kept_a_rota_before_signs_that_it_changes(folder: Folder, tmp_path: Path) -> None:
    file = folder.path / "rota.yaml"
    file.write_text(ROTA)
    folder.sign("lead", "product", "risk")
    old = tmp_path / "before"
    shutil.copytree(folder.path, old)
    file.write_text(ROTA.replace(f"owner: {LEAD}", "owner: risk@example.org"))

    def verified() -> dict[str, Any] | None:
        told = json.loads(run("contracts", "verify", folder.path, "--before", old, "--json").stdout)
        found = next((v for v in told["signatures"] if v["document"] == "Rota/on-call"), None)
        assert told["holds"] == (found is None or found["holds"])
        return found

    def sign(person: str) -> Any:
        return run(
            "contracts", "sign", file, "--rota", "on-call", "--as", f"{person}@example.org", "--key",
            folder.key(person), "--documents", old,
        )  # fmt: skip

    found = verified()
    assert found is not None
    assert (found["status"], found["person"], found["roles"]) == ("missing", LEAD, ["owner"])
    assert found["message"].startswith(
        f"rota on-call: owner was changed, and {LEAD}, who kept the rota before, did not sign it: `seamwatch contracts"
    )
    with pytest.raises(UsageError, match=f"rota on-call is kept by {LEAD} below .*: they sign its changes"):
        sign("risk")
    assert sign("lead").exit_code == 0
    found = verified()
    assert found is not None
    assert (found["holds"], found["status"]) == (True, "signed")
    # What is published carries the signature, by which stages that ask for one follow it.
    now, after = SystemClock().now(), load(folder.path)
    holding = signed(after.reads, before_below(old), now).holding
    said = Published(required=True)
    for estate, signatures in ((load(old).estate(), {}), (after.estate(), holding)):
        for name, value in published(documents_of(estate), now, signatures):
            said.take(name, value)
    assert said.estate().rotas["on-call"].owner == "risk@example.org"
    file.write_text(ROTA.replace("UTC", "Europe/Berlin"))
    found = verified()
    assert found is not None
    assert (found["holds"], found["status"]) == (False, "changed")
    assert signed(load(folder.path).reads, before_below(old), now).lacking == (f"changes of rota on-call ({LEAD})",)
    file.write_text(ROTA.replace("owner:", "title: On call\nowner:"))
    assert verified() is None
