"""Private keys of people, read from a file: PEM (PKCS #8, unencrypted) or the 32 bytes in base64.

Reads only; nothing is kept, and no message holds a part of a key.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from seamwatch.errors import UsageError


def read_private_key(file: Path) -> bytes:
    """The 32 raw bytes of the Ed25519 private key in a file; UsageError when there is none in it."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None
    try:
        if b"-----BEGIN" not in content:
            return Ed25519PrivateKey.from_private_bytes(b64decode(content.strip(), validate=True)).private_bytes_raw()
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{file}: no Ed25519 private key in it: give PEM without a password, or base64") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(
            f"{file}: this is a {type(key).__name__}: make an Ed25519 one (openssl genpkey -algorithm ed25519)"
        )
    return key.private_bytes_raw()


def public_of(private_key: bytes) -> str:
    """The public key of a private one, in base64 as Person documents have it."""
    return b64encode(Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()).decode()
