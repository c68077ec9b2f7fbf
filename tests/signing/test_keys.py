"""Keys: private from the first moment, never overwritten, opened by a passphrase that no command line holds."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from typer.testing import Result

from console import keys
from seamwatch.documents.models import Person
from seamwatch.errors import UsageError
from tests.signing.folder import Folder, run


def make(file: Path, *more: str) -> Result:
    return run("keys", "new", "--id", "ada-2026", "--out", file, *more)


def test_a_new_key_is_its_owners_alone_and_its_entry_fits_a_person(tmp_path: Path, folder: Folder) -> None:
    file = tmp_path / "ada.pem"
    before = os.umask(0)
    try:
        result = make(file)
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o600
    key = load_pem_private_key(file.read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    (folder.path / "ada.yaml").write_text(f"kind: Person\nid: ada\nname: Ada\n{result.stdout}")
    assert run("contracts", "check", folder.path / "ada.yaml").exit_code == 0
    entry = json.loads(run("keys", "show", file, "--id", "ada-2026", "--json").stdout)
    assert Person.model_validate({"id": "ada", "name": "Ada", "keys": [entry]}).keys[0].key_id == "ada-2026"
    assert entry["public"] == keys.public_of(key.private_bytes_raw())
    assert entry["not_before"].startswith("2026-03-02T10:00:")
    assert file.read_text() not in result.output


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "ada.pem"
    make(file)
    first = file.read_bytes()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("ada.pem", "link"):
        with pytest.raises(UsageError, match="never written over"):
            make(tmp_path / name)
    assert file.read_bytes() == first
    assert not (tmp_path / "elsewhere").exists()


def test_nothing_is_made_for_a_wrong_name_or_time(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--not-before tomorrow: 'tomorrow' is not a time"):
        make(tmp_path / "x.pem", "--not-before", "tomorrow")
    with pytest.raises(UsageError, match="--id a b"):
        run("keys", "new", "--id", "a b", "--out", tmp_path / "x.pem")
    assert list(tmp_path.iterdir()) == []


def test_a_protected_key_is_opened_by_the_environment_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ada.pem"
    monkeypatch.setenv("SEAMWATCH_KEY_PASSPHRASE", "an example")
    entry = json.loads(make(file, "--passphrase", "--json").stdout)
    assert b"ENCRYPTED" in file.read_bytes()
    assert keys.public_of(keys.read_private_key(file)) == entry["public"]
    monkeypatch.setenv("SEAMWATCH_KEY_PASSPHRASE", "another")
    with pytest.raises(UsageError, match="the passphrase does not open it"):
        keys.read_private_key(file)
    monkeypatch.delenv("SEAMWATCH_KEY_PASSPHRASE")
    (tmp_path / "secret").write_text("an example\n")
    monkeypatch.setenv("SEAMWATCH_KEY_PASSPHRASE_FILE", str(tmp_path / "secret"))
    assert keys.public_of(keys.read_private_key(file)) == entry["public"]


def test_without_a_terminal_it_says_where_the_passphrase_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEAMWATCH_KEY_PASSPHRASE", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(UsageError, match="set SEAMWATCH_KEY_PASSPHRASE or SEAMWATCH_KEY_PASSPHRASE_FILE"):
        make(tmp_path / "x.pem", "--passphrase")
    assert list(tmp_path.iterdir()) == []


def test_on_a_terminal_it_asks_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["one", "two", "an example", "an example", "an example"])
    monkeypatch.setattr(keys, "_must_be_askable", lambda _why: None)
    monkeypatch.setattr("getpass.getpass", lambda _question: next(answers))
    with pytest.raises(UsageError, match="the two passphrases differ"):
        make(tmp_path / "x.pem", "--passphrase")
    make(tmp_path / "x.pem", "--passphrase")
    assert len(keys.read_private_key(tmp_path / "x.pem")) == 32


def test_another_kind_of_key_is_named(tmp_path: Path) -> None:
    rsa = generate_private_key(65537, 2048)
    (tmp_path / "rsa.pem").write_bytes(rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "text").write_text("hello")
    with pytest.raises(UsageError, match="this is a RSAPrivateKey: make an Ed25519 one"):
        keys.read_private_key(tmp_path / "rsa.pem")
    with pytest.raises(UsageError, match="no Ed25519 private key in it"):
        keys.read_private_key(tmp_path / "text")


def test_a_key_that_others_can_read_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path / "x.pem")
    keys.read_private_key(tmp_path / "x.pem")
    assert capsys.readouterr().err == ""
    (tmp_path / "x.pem").chmod(0o640)
    keys.read_private_key(tmp_path / "x.pem")
    assert "chmod 600" in capsys.readouterr().err
