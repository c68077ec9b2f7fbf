"""The desk: every call goes over it. Its service's adapter reads it, the relay publishes it, and all is counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from replies import pagerduty, webhook
from replies.metrics import Metrics
from replies.relay import Relay
from replies.reply import NotRelayedError, Outcome, Reply
from replies.verifying import verify_pagerduty, verify_standard
from seamwatch.errors import SeamwatchError

log = structlog.get_logger(__name__)

_STATUS: Final[Mapping[str, int]] = {"relayed": 202, "repeated": 200}


Keys = Callable[[str], Sequence[str]]
"""The ids of the violations that an incident of PagerDuty stands for. Raises SeamwatchError when it cannot be asked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service hears: a status of HTTP, what became of the call, and why."""

    status: int
    outcome: Outcome
    said: str


class Desk:
    """Takes calls by service. ``keys`` asks PagerDuty what an incident without a key stands for; None cannot."""

    def __init__(
        self, relay: Relay, metrics: Metrics, secrets: Mapping[str, Sequence[bytes]], keys: Keys | None
    ) -> None:
        self._relay = relay
        self._metrics = metrics
        self._secrets = secrets
        self._keys = keys

    def serves(self, service: str) -> bool:
        """Whether calls of a service are taken: a secret of it is set."""
        return service in self._secrets

    def pagerduty(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """A call of PagerDuty's."""
        return self.take(pagerduty.SERVICE, lambda: self._pagerduty(body, headers))

    def webhook(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """A signed call of any other service."""
        return self.take(webhook.SERVICE, lambda: self._webhook(body, headers))

    def relay(self, reply: Reply) -> Answer:
        """A reply that came by another way."""
        return self.take(reply.service, lambda: self._relay.relay(reply))

    def take(self, service: str, handle: Callable[[], Outcome]) -> Answer:
        """Handle a call; whatever becomes of it is counted, logged and answered."""
        try:
            outcome = handle()
        except NotRelayedError as error:
            return self.refuse(service, error)
        self._metrics.tell(service, outcome)
        return Answer(_STATUS[outcome], outcome, "it is on record; the judge says whether it counts")

    def refuse(self, service: str, error: NotRelayedError) -> Answer:
        """Count, log and answer what is not relayed."""
        self._metrics.tell(service, error.outcome)
        level = log.debug if error.outcome == "ignored" else log.warning
        level("a reply was not relayed", service=service, outcome=error.outcome, reason=str(error))
        return Answer(error.status, error.outcome, str(error))

    def _pagerduty(self, body: bytes, headers: Mapping[str, str]) -> Outcome:
        verify_pagerduty(body, headers.get("x-pagerduty-signature"), self._secrets[pagerduty.SERVICE])
        reply, incident = pagerduty.reply_of(body)
        outcomes = [self._known(each) for each in self._each(reply, incident)]
        return "relayed" if "relayed" in outcomes else "repeated"

    def _each(self, reply: Reply, incident: str) -> list[Reply]:
        """The reply for each violation that an incident stands for."""
        if reply.violation_id:
            return [reply]
        if self._keys is None:
            said = f"incident {incident} has no key, and PagerDuty cannot be asked for those of its alerts"
            raise NotRelayedError("no_violation", said, 200)
        try:
            keys = self._keys(incident)
        except SeamwatchError as error:
            raise NotRelayedError("not_ready", f"incident {incident} has no key: {error}", 503) from error
        if not keys:
            raise NotRelayedError("no_violation", f"no alert of incident {incident} has a key", 200)
        return [replace(reply, violation_id=key) for key in keys]

    def _known(self, reply: Reply) -> Outcome:
        try:
            return self._relay.relay(reply)
        except NotRelayedError as error:
            if error.outcome == "unknown_violation":
                # Most incidents of an account are none of ours; PagerDuty must not take that for a failure.
                raise NotRelayedError("unknown_violation", str(error), 200) from None
            raise

    def _webhook(self, body: bytes, headers: Mapping[str, str]) -> Outcome:
        name = headers.get("webhook-id")
        sent = verify_standard(
            body,
            name,
            headers.get("webhook-timestamp"),
            headers.get("webhook-signature"),
            self._secrets[webhook.SERVICE],
            time.time(),
        )
        return self._relay.relay(webhook.reply_of(body, name or "", sent))
