"""The ledger's keys in files: the signer's, for its owner's eyes only, and beside it, in ``.pub``, the verifier's."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from seamwatch.errors import UsageError
from sinks.ledger.format.notes import SignerKey, VerifierKey


def make_keys(file: Path, name: str) -> VerifierKey:
    """Make a new key of a ledger with this name in ``file`` and its public half in ``<file>.pub``.

    Raises UsageError when the file is there already, which is never overwritten, or cannot be written.
    """
    key = SignerKey.make(name)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as secret:
            secret.write(key.secret_line() + "\n")
        public_file(file).write_text(f"{key.verifier}\n")
    except OSError as error:
        raise UsageError(f"{file}: cannot be made: {error.strerror}") from error
    return key.verifier


def public_file(file: Path) -> Path:
    """Where the public half of the key in a file is."""
    return file.with_name(file.name + ".pub")


def read_signer(file: Path) -> SignerKey:
    """The signer's key in a file. Raises UsageError when there is none."""
    return SignerKey.parse(_read(file))


def read_verifiers(files: Iterable[Path]) -> list[VerifierKey]:
    """The verifiers' keys in files, one a line: the one in use, and old ones. Raises UsageError when one is none."""
    lines = (line for file in files for line in _read(file).splitlines())
    return [VerifierKey.parse(line) for line in lines if line.strip() and not line.startswith("#")]


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read as a key of a ledger: {error}") from error
