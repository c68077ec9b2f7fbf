"""Tokens for programs: signed texts that say for whom, for what and until when. Nothing of them is kept on this side.

A token ends by its time, when its person's document is withdrawn, and with all others when the secret changes.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final, Literal, get_args

from itsdangerous import BadSignature, URLSafeSerializer

from board.security.viewer import Viewer

Scope = Literal["read", "answer"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
PREFIX: Final = "smw_"
"""What a token begins with, so that whoever searches for secrets that got out finds it."""


def new_token(secret: bytes, person: str, scopes: Sequence[Scope], until: int) -> str:
    """A token that speaks for a person until a time (micros)."""
    held = {"person": person, "scopes": sorted(scopes), "id": secrets.token_urlsafe(18), "until": until}
    return f"{PREFIX}{_signer(secret).dumps(held)!s}"


def viewer_of(secret: bytes, token: str, now: int) -> Viewer | None:
    """Whom a token speaks for; None for one that is over (``now``: micros), or not ours."""
    try:
        held = _signer(secret).loads(token.removeprefix(PREFIX))
    except BadSignature:
        return None
    if not token.startswith(PREFIX) or not isinstance(held, dict) or held["until"] <= now:
        return None
    return Viewer(held["person"], "token", held["id"], held["until"], tuple(held["scopes"]))


def _signer(secret: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="token")
