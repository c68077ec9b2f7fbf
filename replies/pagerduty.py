"""PagerDuty's webhooks (version 3): what an event says, as a reply. Reads only; the signature was verified before.

An incident of ours has the violation's id as its key. What Seamwatch itself or an escalation policy does at PagerDuty
comes back by the same way, names no user, and acknowledges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from replies.reading import content_of, moment_of
from replies.reply import Reply, Said, ignored, malformed, text_at

SERVICE: Final = "pagerduty"

_SAID: Final[Mapping[str, Said]] = {
    "incident.acknowledged": "acknowledged",
    "incident.unacknowledged": "unacknowledged",
}
_USER: Final = ("user_reference", "user")


def reply_of(body: bytes) -> tuple[Reply, str]:
    """What a verified call says, and the incident's id at PagerDuty; no violation's id where the incident has no key.

    Raises NotRelayedError for what is malformed, or asks for nothing.
    """
    evidence, content = content_of(body)
    event = content.get("event")
    kind = text_at(event, "event_type")
    if not isinstance(event, Mapping) or kind is None:
        raise malformed("the body is no event of PagerDuty's webhooks of version 3")
    said = _SAID.get(kind)
    if said is None:
        raise ignored(f"{kind} asks for nothing")
    name, incident = text_at(event, "id"), text_at(event, "data", "id")
    if name is None or incident is None:
        raise malformed(f"the {kind} lacks its own id, or that of its incident")
    user = user_of(event.get("agent"))
    if user is None and said == "acknowledged":
        raise ignored("it was acknowledged by no user: by an integration, Seamwatch's own among them")
    key = text_at(event, "data", "incident_key") or ""
    at = moment_of(event.get("occurred_at"), "occurred_at")
    return Reply(SERVICE, name, said, key, at, evidence, user, SERVICE), incident


def user_of(agent: Any) -> str | None:
    """The id of the user that a reference names; None of an integration, a policy, or nothing."""
    return text_at(agent, "id") if text_at(agent, "type") in _USER else None
