"""One-time links: how whoever runs `seamwatch up` on this machine gets into its board.

A link holds a random token; the data folder holds a file named after the token's digest, which the first use takes
away, whichever process of the board serves it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import Final

_FOLDER: Final = "board-links"


def new_link(data: Path, address: str) -> str:
    """A link into the board at an address; it serves once."""
    token = secrets.token_urlsafe(32)
    folder = data / _FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(folder / _digest(token), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return f"{address}/sign-in?token={token}"


def take(data: Path, token: str) -> bool:
    """Whether a token is one of a link that was not used; from now on it is used."""
    try:
        (data / _FOLDER / _digest(token)).unlink()
    except FileNotFoundError:
        return False
    return True


def forget(data: Path) -> None:
    """Make all links void that were not used."""
    for file in (data / _FOLDER).glob("*"):
        file.unlink(missing_ok=True)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
