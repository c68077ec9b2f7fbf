"""Slack, by Socket Mode: the button of a page is pressed, and that is a reply. No address of ours need be reachable.

Slack itself holds the connection, which an app's token opens, so what comes by it is Slack's. An envelope is answered
once the reply is on record, or never will be; else Slack shows the person that it failed, and they press again.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web import WebClient
from slack_sdk.webhook import WebhookClient

from replies.desk import Answer, Desk
from replies.metrics import Metrics
from replies.reply import NotRelayedError, Reply, ignored, malformed, text_at

if TYPE_CHECKING:
    from slack_sdk.socket_mode.client import BaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

log = structlog.get_logger(__name__)

SERVICE: Final = "slack"
ACKNOWLEDGE: Final = "seamwatch_acknowledge"
"""The action of the button, whose value is the violation's id."""

_MOST_ACTIONS: Final = 20
_SHOWN: Final = ("type", "user", "team", "api_app_id", "container", "channel", "actions")
"""What of a payload is kept as evidence: no token, and no address at which one may answer."""
_TIME: Final = re.compile(r"(\d{9,11})\.(\d{6})")
_TIMEOUT_SECONDS: Final = 10
_AGAIN_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 1.0
_END_SECONDS: Final = 5.0


def replies_of(payload: Any) -> Iterator[Reply]:
    """The replies in an interaction's payload. Raises NotRelayedError for what asks for nothing, or is malformed."""
    if text_at(payload, "type") != "block_actions":
        raise ignored("it is no press of a button")
    given = payload.get("actions")
    actions = given if isinstance(given, list) else []
    pressed = [each for each in actions if text_at(each, "action_id") == ACKNOWLEDGE][:_MOST_ACTIONS]
    if not pressed:
        raise ignored("no button of a page was pressed")
    user, team = text_at(payload, "user", "id"), text_at(payload, "team", "id") or ""
    if user is None:
        raise malformed("it does not say who pressed")
    shown = {name: payload[name] for name in _SHOWN if name in payload}
    evidence = json.dumps(shown, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    for action in pressed:
        violation_id, written = text_at(action, "value"), text_at(action, "action_ts") or ""
        when = _TIME.fullmatch(written)
        if violation_id is None or when is None:
            raise malformed("the button has no violation's id, or the press no time")
        at = int(when[1]) * 1_000_000 + int(when[2])
        name = f"{team}/{user}/{written}"
        yield Reply(SERVICE, name, "acknowledged", violation_id, at, evidence, user, SERVICE)


class Slack(threading.Thread):
    """The connection, opened anew whenever it ends. ``api``: the address of Slack's API."""

    def __init__(self, api: str, token: str, desk: Desk, metrics: Metrics) -> None:
        super().__init__(name="slack", daemon=True)
        self._api = api
        self._desk = desk
        self._metrics = metrics
        self._ended = threading.Event()
        quiet = logging.getLogger(f"{__name__}.client")
        quiet.setLevel(logging.CRITICAL)  # it logs addresses that let one in; what goes wrong is told below
        web = WebClient(base_url=f"{api}/", timeout=_TIMEOUT_SECONDS, logger=quiet)
        self._client = SocketModeClient(app_token=token, web_client=web, logger=quiet)
        self._client.socket_mode_request_listeners.append(self._take)

    def end(self) -> None:
        """End the thread and its connection."""
        self._ended.set()
        self.join(_END_SECONDS)

    def run(self) -> None:
        """Keep the connection until told to end."""
        connected: bool | None = None
        self._open()
        while not self._ended.wait(_LOOK_SECONDS):
            now = self._client.is_connected()
            self._metrics.connected.labels(SERVICE).set(int(now))
            if now != connected:
                (log.info if now else log.error)("the connection to Slack " + ("stands" if now else "is gone"))
            connected = now
        self._metrics.connected.labels(SERVICE).set(0)
        self._client.close()

    def _open(self) -> None:
        """Open the first connection; from then on the client opens the next ones itself."""
        self._metrics.connected.labels(SERVICE).set(0)
        while not self._ended.is_set():
            try:
                self._client.connect()
            except (SlackClientError, OSError) as error:
                log.warning("no connection to Slack, which is tried again", reason=_why(error))
            else:
                return
            self._ended.wait(_AGAIN_SECONDS)

    def _take(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        payload = request.payload
        if request.type == "interactive":
            answers = self._answers(payload)
        else:
            answers = [self._desk.refuse(SERVICE, ignored("it is no interaction"))]
        if any(answer.status >= 500 for answer in answers):
            return
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        asked = [answer for answer in answers if answer.outcome != "ignored"]
        if asked:
            self._tell(text_at(payload, "response_url"), asked)

    def _answers(self, payload: Any) -> list[Answer]:
        try:
            replies = list(replies_of(payload))
        except NotRelayedError as error:
            return [self._desk.refuse(SERVICE, error)]
        return [self._desk.relay(reply) for reply in replies]

    def _tell(self, address: str | None, answers: list[Answer]) -> None:
        """Tell who pressed what came of it, so that only they see it."""
        if address is None or not _is_slacks(address, self._api):
            return
        text = "\n".join(dict.fromkeys(f"Seamwatch: {answer.said}" for answer in answers))
        try:
            WebhookClient(address, timeout=_TIMEOUT_SECONDS).send(
                text=text, response_type="ephemeral", replace_original=False
            )
        except (SlackClientError, OSError) as error:
            log.warning("who pressed in Slack could not be told what came of it", reason=type(error).__name__)


def _is_slacks(address: str, api: str) -> bool:
    asked, own = urlsplit(address), urlsplit(api)
    if (asked.scheme, asked.netloc) == (own.scheme, own.netloc):
        return True
    return asked.scheme == "https" and (asked.hostname or "").endswith(".slack.com")


def _why(error: Exception) -> str:
    response = getattr(error, "response", None)
    said = response.get("error") if response is not None and isinstance(response.data, Mapping) else None
    return f"Slack says {said}" if said else type(error).__name__
