"""Asking PagerDuty by its REST API (version 2): who has acknowledged which incidents, and what was taken back.

Reads only. Bounded in time and pages; what goes wrong is one error, which does not say the token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from replies.pagerduty import user_of
from replies.reading import moment_of
from replies.reply import NotRelayedError, text_at
from seamwatch.errors import UnreachableError
from seamwatch.instants import format_instant

_TIMEOUT_SECONDS: Final = 10.0
_PAGE: Final = 100
_MOST_PAGES: Final = 50
_TAKEN_BACK: Final = ("unacknowledge_log_entry", "unacknowledge_log_entry_reference")


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An incident that is acknowledged: by which user (their id), since when (micros, and as PagerDuty writes it).

    ``key`` is what opened it; ``several``: it has gathered the alerts of more than that, or of none that it tells.
    """

    incident: str
    key: str | None
    user: str
    at: int
    written: str
    several: bool


@dataclass(frozen=True, slots=True)
class TakenBack:
    """An entry of the log: it was taken back that an incident was acknowledged, by a user or, for None, by itself."""

    entry: str
    incident: str
    key: str
    user: str | None
    at: int
    written: str


class PagerDutyApi:
    """An account, asked with a token."""

    def __init__(self, address: str, token: str) -> None:
        self._address = address
        self._headers = {"Authorization": f"Token token={token}", "Accept": "application/json"}

    def acknowledged(self) -> Iterator[Acknowledged]:
        """Every incident that is acknowledged now, by the user who did so last. Raises UnreachableError."""
        for incident in self._all("/incidents", "incidents", {"statuses[]": "acknowledged", "date_range": "all"}):
            found = _acknowledged(incident)
            if found is not None:
                yield found

    def taken_back(self, since: int) -> Iterator[TakenBack]:
        """What was taken back since a time (micros), of incidents with a key. Raises UnreachableError."""
        parameters = {"since": format_instant(since), "is_overview": "true", "include[]": "incidents"}
        for entry in self._all("/log_entries", "log_entries", parameters):
            if text_at(entry, "type") in _TAKEN_BACK and (found := _taken_back(entry)) is not None:
                yield found

    def keys_of(self, incident: str) -> list[str]:
        """The keys of the alerts of an incident. Raises UnreachableError."""
        alerts = self._all(f"/incidents/{_segment(incident)}/alerts", "alerts", {})
        return list(dict.fromkeys(key for alert in alerts if (key := text_at(alert, "alert_key"))))

    def _all(self, path: str, name: str, parameters: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        with httpx2.Client(headers=self._headers, timeout=_TIMEOUT_SECONDS, follow_redirects=False) as client:
            for page in range(_MOST_PAGES):
                found = self._page(client, path, {**parameters, "limit": str(_PAGE), "offset": str(page * _PAGE)})
                items = found.get(name)
                if not isinstance(items, list):
                    raise UnreachableError(f"PagerDuty's answer to {path} holds no {name}")
                yield from (item for item in items if isinstance(item, Mapping))
                if not found.get("more") or not items:
                    return
        raise UnreachableError(f"PagerDuty has more than {_PAGE * _MOST_PAGES} {name}; those beyond are not looked at")

    def _page(self, client: httpx2.Client, path: str, parameters: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            answer = client.get(f"{self._address}{path}", params=dict(parameters))
        except httpx2.HTTPError as error:
            raise UnreachableError(f"PagerDuty does not answer: {type(error).__name__}") from None
        if answer.status_code != 200:
            raise UnreachableError(f"PagerDuty answers with HTTP {answer.status_code}")
        try:
            content = answer.json()
        except ValueError:
            content = None
        if not isinstance(content, Mapping):
            raise UnreachableError(f"PagerDuty's answer to {path} is no JSON object")
        return content


def _acknowledged(incident: Mapping[str, Any]) -> Acknowledged | None:
    name, given = text_at(incident, "id"), incident.get("acknowledgements")
    latest: tuple[int, str, str] | None = None
    for each in given if isinstance(given, list) else ():
        user, written = user_of(each.get("acknowledger") if isinstance(each, Mapping) else None), text_at(each, "at")
        try:
            at = moment_of(written, "at")
        except NotRelayedError:
            continue
        if user is not None and written is not None and (latest is None or at > latest[0]):
            latest = at, user, written
    if name is None or latest is None:
        return None
    at, user, written = latest
    key, counts = text_at(incident, "incident_key"), incident.get("alert_counts")
    alerts = counts.get("all") if isinstance(counts, Mapping) else None
    return Acknowledged(name, key, user, at, written, key is None or (isinstance(alerts, int) and alerts > 1))


def _taken_back(entry: Mapping[str, Any]) -> TakenBack | None:
    name, written = text_at(entry, "id"), text_at(entry, "created_at")
    incident, key = text_at(entry, "incident", "id"), text_at(entry, "incident", "incident_key")
    if name is None or written is None or incident is None or key is None:
        return None
    try:
        at = moment_of(written, "created_at")
    except NotRelayedError:
        return None
    return TakenBack(name, incident, key, user_of(entry.get("agent")), at, written)


def _segment(name: str) -> str:
    if not name.isascii() or not name.isalnum():
        raise UnreachableError("the incident's id is none of PagerDuty's")
    return name
