"""Settings of the replies: by whom they are relayed, where services call, and where services are asked.

Secrets are in files, which are named here and read by who starts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from seamwatch.board_settings import BoardSettings
from seamwatch.durations import MINUTE, SECOND, Duration


def _service(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ValueError("write the address of the service's API, such as https://api.example.org")
    return url.rstrip("/")


ServiceUrl = Annotated[str, AfterValidator(_service)]


class RepliesSettings(BoardSettings):
    """What can be set for the replies."""

    relay: str | None = None
    """The Person document, of role relay, as whom replies are published."""

    relay_key: Path | None = None
    """The file of that person's private key."""

    replies_host: str = "127.0.0.1"
    """The address on which services' calls are taken: loopback unless told otherwise."""

    replies_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Its port; 0 for a free one, which the log tells."""

    replies_pagerduty_secret_file: Path | None = None
    """The file of the secrets by which PagerDuty signs its webhooks, one a line; None takes none of its calls."""

    replies_webhook_secret_file: Path | None = None
    """The file of the secrets of signed webhooks (Standard Webhooks), one a line; None takes none."""

    replies_pagerduty_token_file: Path | None = None
    """The file of a token of PagerDuty's REST API (read-only), by which it is asked; None asks nothing."""

    replies_pagerduty_api: ServiceUrl = "https://api.pagerduty.com"
    """PagerDuty's REST API; https://api.eu.pagerduty.com for accounts of the European region."""

    replies_pagerduty_every: Annotated[Duration, Field(ge=SECOND)] = 5 * MINUTE
    """How often PagerDuty is asked for answers that never came by webhook."""

    replies_slack_token_file: Path | None = None
    """The file of a Slack app's token (xapp-…) for Socket Mode; None connects to no Slack."""

    replies_slack_api: ServiceUrl = "https://slack.com/api"
    """Slack's API."""
