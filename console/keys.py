"""Private keys of people: made, and read from a file as PEM (PKCS #8, with or without a passphrase) or base64.

A file that is made is its owner's alone from its first moment. Nothing is kept, no message holds a part of a key, and a
passphrase never comes from a command line: it is in the environment, in a file, or asked for.
"""

from __future__ import annotations

import getpass
import os
import stat
import sys
from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from seamwatch.errors import UsageError

PASSPHRASE: Final = "SEAMWATCH_KEY_PASSPHRASE"  # noqa: S105  the names of variables
PASSPHRASE_FILE: Final = "SEAMWATCH_KEY_PASSPHRASE_FILE"  # noqa: S105


def read_private_key(file: Path) -> bytes:
    """The 32 raw bytes of the Ed25519 private key in a file; UsageError when there is none in it.

    Tells standard error when others can read the file; asks for the passphrase of a protected key.
    """
    try:
        content = file.read_bytes()
        mode = file.stat().st_mode
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        print(f"note: others than you can read the private key {file}: chmod 600 {file}", file=sys.stderr)
    try:
        if b"-----BEGIN" not in content:
            return Ed25519PrivateKey.from_private_bytes(b64decode(content.strip(), validate=True)).private_bytes_raw()
        secret = _passphrase(file) if b"ENCRYPTED" in content else None
        key = load_pem_private_key(content, password=secret)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if b"ENCRYPTED" in content:
            raise UsageError(f"{file}: the passphrase does not open it, or it holds no private key") from None
        raise UsageError(f"{file}: no Ed25519 private key in it: give PEM (PKCS #8) or base64") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{file}: this is a {type(key).__name__}: make an Ed25519 one with `seamwatch keys new`")
    return key.private_bytes_raw()


def write_private_key(file: Path, *, passphrase: bytes | None = None) -> bytes:
    """Make a key and write it to a new file with mode 0600; its 32 raw bytes. UsageError when the file is there."""
    protection: KeySerializationEncryption = NoEncryption()
    if passphrase is not None:
        protection = BestAvailableEncryption(passphrase)
    key = Ed25519PrivateKey.generate()
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
    try:
        # Created with its mode and only if it is not there, so at no moment can others read it, nor is one replaced.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except FileExistsError:
        raise UsageError(f"{file} exists: a key is never written over; name another file") from None
    except OSError as error:
        raise UsageError(f"{file}: cannot be made: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as out:
            os.fchmod(out.fileno(), 0o600)  # whatever the umask takes away
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        with suppress(OSError):
            file.unlink()
        raise UsageError(f"{file}: cannot be written: {error.strerror}") from None
    return key.private_bytes_raw()


def new_passphrase() -> bytes:
    """The passphrase for a new key: of the environment, or asked for twice. UsageError when there is none to be had."""
    if (known := _given_passphrase()) is not None:
        return known
    _must_be_askable("--passphrase")
    first = getpass.getpass("passphrase for the new key: ")
    if not first:
        raise UsageError("an empty passphrase protects nothing: leave --passphrase out, or write one")
    if getpass.getpass("once more: ") != first:
        raise UsageError("the two passphrases differ: nothing was made")
    return first.encode()


def public_of(private_key: bytes) -> str:
    """The public key of a private one, in base64 as Person documents have it."""
    return b64encode(Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()).decode()


def _passphrase(file: Path) -> bytes:
    if (known := _given_passphrase()) is not None:
        return known
    _must_be_askable(f"{file} is protected")
    return getpass.getpass(f"passphrase of {file}: ").encode()


def _given_passphrase() -> bytes | None:
    if said := os.environ.get(PASSPHRASE):
        return said.encode()
    if not (name := os.environ.get(PASSPHRASE_FILE)):
        return None
    try:
        content = Path(name).read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise UsageError(f"{PASSPHRASE_FILE}={name}: cannot be read: {error.strerror}") from None
    if not content:
        raise UsageError(f"{PASSPHRASE_FILE}={name}: is empty: write the passphrase into it")
    return content


def _must_be_askable(why: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(f"{why}: set {PASSPHRASE} or {PASSPHRASE_FILE}, or run it on a terminal to be asked")
