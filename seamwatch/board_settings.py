"""Settings of the board: where it is served, by which address people know it, and how they sign in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from seamwatch.connections import Connections
from seamwatch.durations import HOUR, SECOND, Duration


def _origin(url: str | None) -> str | None:
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("write the address that people open, without a path, such as https://seamwatch.example.org")
    return url.rstrip("/")


def _stores(value: object) -> object:
    """The mapping that is written as JSON."""
    try:
        mapping = json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError:
        mapping = None
    if not isinstance(mapping, dict) or not all(isinstance(url, str) for url in mapping.values()):
        raise ValueError('write a JSON object of teams and URLs, such as {"credit": "https://user:password@host/db"}')
    return mapping


SESSION: Final = 12 * HOUR


class BoardSettings(Connections):
    """What can be set for the board."""

    board_host: str = "127.0.0.1"
    """The address on which the board listens: loopback unless told otherwise."""

    board_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Port of the board; 0 for a free one, which `up` tells and writes into ``run.json``."""

    board_url: Annotated[str | None, AfterValidator(_origin)] = None
    """The address that people open, where it is another than host and port: behind a proxy that ends TLS."""

    board_processes: Annotated[int, Field(ge=1, le=64)] = 1
    """How many processes serve the board."""

    board_secret_file: Path | None = None
    """The file of the secret that signs sessions, the same for all processes; None for one in the data folder."""

    board_session: Annotated[Duration, Field(ge=60 * SECOND)] = SESSION
    """How long a sign-in lasts."""

    board_store: str | None = Field(default=None, repr=False)
    """URL of the store for people without the role auditor, as a user of the store's role for the board."""

    board_team_stores: Annotated[dict[str, str], NoDecode, BeforeValidator(_stores)] = Field(
        default_factory=dict, repr=False
    )
    """By team the URL of the store as a user of that team's role, ``{"credit": "https://…"}``, for people of a team."""

    board_oidc_issuer: str | None = None
    """The OpenID provider by which people sign in; None for none."""

    board_oidc_client_id: str | None = None
    """What the provider knows the board as."""

    board_oidc_client_secret_file: Path | None = None
    """The file of the secret that the provider gave."""

    board_oidc_person_claim: str = "email"
    """The claim whose value is the id of a Person document."""
