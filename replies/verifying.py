"""Verifying: whether a call is of whom it says, by a secret that it shares with us, over the bytes as they came.

Several secrets hold at once, so that one can be exchanged without a call being lost. Compared in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from replies.reply import NotRelayedError
from seamwatch.errors import UsageError

_SHORTEST: Final = 16
_STANDARD: Final = "whsec_"
_TOLERANCE_SECONDS: Final = 5 * 60
_MOST_SIGNATURES: Final = 20


def secrets_of(file: Path, variable: str) -> tuple[bytes, ...]:
    """The secrets of a file, one a line; # begins a comment. Raises UsageError for none, or one that is too short."""
    try:
        lines = file.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"{variable}={file}: it cannot be read ({why})") from None
    found = tuple(line.strip().encode() for line in lines if line.strip() and not line.lstrip().startswith("#"))
    if not found:
        raise UsageError(f"{variable}={file}: it holds no secret: write one a line")
    if any(len(secret) < _SHORTEST for secret in found):
        raise UsageError(f"{variable}={file}: a secret has at least {_SHORTEST} characters")
    return found


def standard_secrets_of(file: Path, variable: str) -> tuple[bytes, ...]:
    """The same of Standard Webhooks: base64, mostly with ``whsec_`` before it; their bytes."""
    found = []
    for number, secret in enumerate(secrets_of(file, variable), 1):
        try:
            found.append(b64decode(secret.removeprefix(_STANDARD.encode()), validate=True))
        except Base64Error:
            wanted = f"{_STANDARD}<base64>: make one with `echo {_STANDARD}$(openssl rand -base64 32)`"
            raise UsageError(f"{variable}={file}: secret {number} is not {wanted}") from None
    return tuple(found)


def token_of(file: Path, variable: str) -> str:
    """The one secret of a file, as text. Raises UsageError where there is another number of them."""
    found = secrets_of(file, variable)
    if len(found) > 1 or not found[0].isascii():
        raise UsageError(f"{variable}={file}: it holds one token, in one line")
    return found[0].decode()


def verify_pagerduty(body: bytes, header: str | None, secrets: Sequence[bytes]) -> None:
    """Raise NotRelayedError unless one of the signatures of ``X-PagerDuty-Signature`` is ours over the body."""
    given = [part.strip().removeprefix("v1=") for part in (header or "").split(",") if part.strip().startswith("v1=")]
    expected = [hmac.new(secret, body, hashlib.sha256).hexdigest() for secret in secrets]
    _demand(given, expected, "X-PagerDuty-Signature")


def verify_standard(
    body: bytes, name: str | None, timestamp: str | None, header: str | None, secrets: Sequence[bytes], now: float
) -> int:
    """When (seconds) a call by Standard Webhooks was sent.

    Raises NotRelayedError unless it is signed by one of the secrets and was sent within five minutes of ``now``.
    """
    if not name or not timestamp or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise NotRelayedError("wrong_signature", "webhook-id and webhook-timestamp (whole seconds) are needed", 401)
    signed = f"{name}.{timestamp}.".encode() + body
    given = [part.removeprefix("v1,") for part in (header or "").split(" ") if part.startswith("v1,")]
    expected = [b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode() for secret in secrets]
    _demand(given, expected, "webhook-signature")
    sent = int(timestamp)
    if abs(now - sent) > _TOLERANCE_SECONDS:
        raise NotRelayedError("stale", "webhook-timestamp is more than five minutes off our clock", 400)
    return sent


def _demand(given: Sequence[str], expected: Sequence[str], header: str) -> None:
    if not given:
        raise NotRelayedError("wrong_signature", f"the header {header} holds no signature", 401)
    matches = [
        hmac.compare_digest(one.encode(), other.encode()) for one in given[:_MOST_SIGNATURES] for other in expected
    ]
    if not any(matches):
        raise NotRelayedError("wrong_signature", f"no signature of {header} is by a secret of ours over this body", 401)
