"""Sessions: signed cookies that say who signed in and until when. Nothing of them is kept on this side.

Signed with itsdangerous; the same secret in every process of the board. A cookie is HttpOnly and SameSite=Lax, and
Secure where people come by https.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from pathlib import Path
from typing import Any, Final

from fastapi import Request, Response
from itsdangerous import BadSignature, URLSafeSerializer

from board.security.tokens import viewer_of
from board.security.viewer import Viewer
from seamwatch.errors import UsageError
from seamwatch.settings import Settings

COOKIE: Final = "seamwatch_session"
SECRET_FILE: Final = "board.secret"  # noqa: S105 - the file's name
_SECRET_BYTES: Final = 32


class Sessions:
    """Makes and reads sessions. ``lasts``: how long one does, in microseconds."""

    def __init__(self, secret: bytes, lasts: int, *, secure: bool) -> None:
        self._serializer = URLSafeSerializer(secret, salt="session")
        self._secret = secret
        self._lasts = lasts
        self.secure = secure

    @staticmethod
    def now() -> int:
        """The machine's time (micros): sessions last as people's time does, whatever clock the stages run on."""
        return time.time_ns() // 1_000

    def begin(self, response: Response, how: str, person: str | None) -> None:
        """Sign somebody in with a response, in a session of its own (another one than they had before)."""
        self._write(
            response,
            {"how": how, "person": person, "session": secrets.token_urlsafe(18), "until": self.now() + self._lasts},
        )

    def become(self, response: Response, viewer: Viewer, person: str) -> None:
        """Let somebody who came by the link say who they are; the session's end stays."""
        self._write(
            response,
            {"how": viewer.how, "person": person, "session": secrets.token_urlsafe(18), "until": viewer.until},
        )

    def end(self, response: Response) -> None:
        """Sign out."""
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=self.secure)

    def viewer(self, request: Request) -> Viewer | None:
        """Who asks; None without a session, or with one that is over or not ours."""
        try:
            held = self._serializer.loads(request.cookies.get(COOKIE, ""))
        except BadSignature:
            return None
        if not isinstance(held, dict) or held.get("until", 0) <= self.now():
            return None
        return Viewer(held["person"], held["how"], held["session"], held["until"])

    def by_token(self, token: str) -> Viewer | None:
        """Whom a program's token speaks for; None for one that is over or not ours."""
        return viewer_of(self._secret, token, self.now())

    def form_token(self, viewer: Viewer) -> str:
        """What a form of this session carries, which no page of another site knows."""
        return hmac.new(self._secret, f"form {viewer.session}".encode(), hashlib.sha256).hexdigest()

    def signer(self, purpose: str) -> URLSafeSerializer:
        """Signs what a page hands back later, for one purpose."""
        return URLSafeSerializer(self._secret, salt=purpose)

    def _write(self, response: Response, held: dict[str, Any]) -> None:
        response.set_cookie(
            COOKIE,
            str(self._serializer.dumps(held)),
            max_age=self._lasts // 1_000_000,
            httponly=True,
            samesite="lax",
            secure=self.secure,
            path="/",
        )


def secret_of(settings: Settings) -> bytes:
    """The secret that signs sessions: of the file that is set, else one in the data folder, made once.

    Raises UsageError when the file is not there, or holds too little.
    """
    file = settings.board_secret_file
    if file is not None:
        return _read(file)
    own = settings.data / SECRET_FILE
    try:
        own.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(own)
    with os.fdopen(handle, "w") as written:
        written.write(secrets.token_hex(_SECRET_BYTES))
    return _read(own)


def _read(file: Path) -> bytes:
    try:
        secret = file.read_bytes().strip()
    except OSError as error:
        raise UsageError(f"SEAMWATCH_BOARD_SECRET_FILE={file}: it cannot be read ({error.strerror})") from None
    if len(secret) < _SECRET_BYTES:
        raise UsageError(f"{file}: a secret has at least {_SECRET_BYTES} bytes; write one with `openssl rand -hex 32`")
    return secret
