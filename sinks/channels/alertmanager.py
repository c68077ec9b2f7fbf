"""Prometheus Alertmanager, by its API v2: an alert fires for as long as its violation is open, and is resolved with it.

``alertmanager://[user:password@]host:9093[/prefix]``, ``alertmanagers://`` by TLS. Alertmanager takes an alert that it
does not hear of again for resolved, so the pager repeats what is open. Labels are what stays the same throughout an
episode, annotations all else.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from seamwatch.delivering import Manner
from seamwatch.durations import DAY, MINUTE
from seamwatch.incidents import Incident
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import DRILL
from seamwatch.paging import NOTICE
from sinks.channels.posting import post
from sinks.channels.service import Sending, UnusableError

_FIRES_FOR: Final = 5 * MINUTE
_NOTICE_FIRES_FOR: Final = DAY
_SUMMED: Final = "summed"
_LABELS: Final = ("violation_id", "system", "slice", "kind", "contract", "clause", "severity")


class Alertmanager:
    """Posts alerts to an Alertmanager."""

    schemes = frozenset({"alertmanager", "alertmanagers"})
    manner = Manner(keeps_incidents=True, every=60.0)

    def unusable(self, url: str, *, given: bool) -> str | None:
        """Why a URL cannot be used: it names no host."""
        if given or _host(url):
            return None
        return "an alertmanager:// URL lacks its host: alertmanager://alertmanager.example.org:9093"

    def send(self, sending: Sending) -> str | None:
        """Post the alerts of all violations at once."""
        if not _host(sending.url):
            raise UnusableError("the alertmanager:// URL lacks its host, or its port is none")
        parts = urlsplit(sending.url)
        account, _, place = parts.netloc.rpartition("@")
        headers = {"Content-Type": "application/json"}
        if account:
            headers["Authorization"] = f"Basic {base64.b64encode(unquote(account).encode()).decode()}"
        scheme = "https" if parts.scheme.lower() == "alertmanagers" else "http"
        now = time.time_ns() // 1_000
        alerts = [alert(incident, now) for incident in sending.page.incidents]
        address = f"{scheme}://{place}{parts.path.rstrip('/')}/api/v2/alerts"
        post(sending, address, json.dumps(alerts).encode(), headers)
        return None


def alert(incident: Incident, now: int) -> dict[str, Any]:
    """What Alertmanager is told of an incident at a time of its clock."""
    fields = incident.fields()
    labels = {"alertname": f"Seamwatch {incident.violation.kind}"}
    labels |= {name: str(fields[name]) for name in _LABELS if fields[name]}
    if incident.violation.severity == DRILL:
        # By the routes of a breach, which go by this label.
        labels |= {"severity": "breach", "drill": "true"}
    if incident.state == "resolved":
        until = now
    else:
        until = now + (_NOTICE_FIRES_FOR if incident.violation.severity == NOTICE else _FIRES_FOR)
    said: dict[str, Any] = {
        "labels": labels,
        "annotations": {
            name: _text(value) for name, value in fields.items() if name not in (*_LABELS, _SUMMED) and value
        },
        # Of a clock that is ahead of ours too, an alert begins before it ends.
        "startsAt": format_instant(min(incident.violation.opened_at, now)),
        "endsAt": format_instant(until),
    }
    if incident.summed is not None:
        # Annotations are texts: of a list, JSON is one that a receiver can take apart.
        said["annotations"][_SUMMED] = json.dumps(incident.summed, ensure_ascii=False)
    if incident.board is not None:
        said["generatorURL"] = incident.board
    return said


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _host(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname


SERVICE: Final = Alertmanager()
