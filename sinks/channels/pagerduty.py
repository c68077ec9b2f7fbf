"""PagerDuty, by its Events API v2: an incident opens, is acknowledged and is resolved as its violation is.

``pagerduty://<integration key>``, with ``?region=eu`` for PagerDuty's European service. A violation's id is the
deduplication key, so that what comes twice is one incident. Keeps within the limits of the API, and tells of many
violations one by one.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from seamwatch.delivering import Manner
from seamwatch.incidents import ACKNOWLEDGED, RESOLVED, Incident
from seamwatch.instants import format_instant
from sinks.channels.posting import post
from sinks.channels.service import ChannelError, Sending, UnusableError

_REGIONS: Final = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
_SUMMARY: Final = 1_024
_DEDUP_KEY: Final = 255
_SEVERITIES: Final = {"breach": "critical", "drill": "critical", "warning": "warning"}
_ACTIONS: Final = {ACKNOWLEDGED: "acknowledge", RESOLVED: "resolve"}


class PagerDuty:
    """Sends events to an integration of a PagerDuty service."""

    schemes = frozenset({"pagerduty"})
    manner = Manner(keeps_incidents=True)

    def unusable(self, url: str, *, given: bool) -> str | None:
        """Why a URL cannot be used: it has no key, or another region."""
        if _region(url) not in _REGIONS:
            return "the region of a pagerduty:// URL is us or eu"
        if not given and not _key(url):
            return "a pagerduty:// URL lacks the integration key: pagerduty://${SEAMWATCH_CHANNEL_…}"
        return None

    def send(self, sending: Sending) -> str | None:
        """Send one event for each violation. Raises ChannelError with those that were taken."""
        key, region = _key(sending.url), _region(sending.url)
        if not key or region not in _REGIONS:
            raise UnusableError("the pagerduty:// URL lacks its integration key, or names no region")
        address = f"{(sending.api or _REGIONS[region]).rstrip('/')}/v2/enqueue"
        taken: list[str] = []
        for incident in sending.page.incidents:
            body = json.dumps(event(incident, key, sending.page.title)).encode()
            try:
                post(sending, address, body, {"Content-Type": "application/json"})
            except ChannelError as error:
                error.taken = frozenset(taken)
                raise
            taken.append(incident.violation.violation_id)
        return None


def event(incident: Incident, key: str, title: str) -> dict[str, Any]:
    """What the API is sent of an incident."""
    action = _ACTIONS.get(incident.news, "trigger")
    said: dict[str, Any] = {"routing_key": key, "event_action": action, "dedup_key": dedup_key(incident)}
    if action != "trigger":
        return said
    told = incident.violation
    said["payload"] = {
        "summary": f"{told.system}: {told.summary}"[:_SUMMARY] or title[:_SUMMARY],
        "source": told.system or "seamwatch",
        "severity": _SEVERITIES.get(told.severity, "info"),
        "timestamp": format_instant(told.opened_at),
        "component": told.system,
        "group": told.contract,
        "class": told.kind,
        "custom_details": incident.fields(),
    }
    said["client"] = "Seamwatch"
    if incident.board is not None:
        said["client_url"] = incident.board
    runbook = incident.ahead.runbook
    if runbook is not None and runbook.startswith(("http://", "https://")):
        said["links"] = [{"href": runbook, "text": "runbook"}]
    return said


def dedup_key(incident: Incident) -> str:
    """The incident's key, or the digest of one that is too long for the API."""
    key = incident.dedup_key
    return key if len(key) <= _DEDUP_KEY else hashlib.sha256(key.encode()).hexdigest()


def _key(url: str) -> str:
    # Also as Apprise has it, where the integration key stands before an @.
    parts = urlsplit(url)
    user, separator, rest = parts.netloc.rpartition("@")
    return unquote(user if separator else rest)


def _region(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("region", ["us"])[0].lower()


SERVICE: Final = PagerDuty()
