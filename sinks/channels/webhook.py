"""A webhook of your own, signed as the Standard Webhooks specification has it, also in the form of CloudEvents 1.0.

``webhooks://host/path?secret=${SEAMWATCH_CHANNEL_…}`` (``webhook://`` without TLS), ``&format=cloudevents``. The secret
is ``whsec_`` and the key in base64. A message that is sent again has the same id.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from seamwatch.delivering import Manner
from seamwatch.durations import SECOND
from seamwatch.incidents import AGAIN
from seamwatch.instants import format_instant
from sinks.channels.posting import post
from sinks.channels.service import Sending, UnusableError

_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = (24, 64)
_FORMATS: Final = ("plain", "cloudevents")
_OURS: Final = frozenset({"secret", "format"})


class Webhook:
    """Posts signed messages."""

    schemes = frozenset({"webhook", "webhooks"})
    manner = Manner(keeps_incidents=True)

    def unusable(self, url: str, *, given: bool) -> str | None:
        """Why a URL cannot be used: it has no host, no secret, or another format."""
        arguments = _arguments(url)
        if not given and not urlsplit(url).hostname:
            return "a webhook URL lacks its host: webhooks://hooks.example.org/seamwatch?secret=${SEAMWATCH_CHANNEL_…}"
        if arguments.get("format", "plain") not in _FORMATS:
            return f"the format of a webhook is one of {', '.join(_FORMATS)}"
        if "secret" not in arguments:
            return "a webhook URL lacks its secret, by which messages are signed: ?secret=${SEAMWATCH_CHANNEL_…}"
        if "${" not in arguments["secret"] and _key(arguments["secret"]) is None:
            return "the secret of a webhook is whsec_ and 24 to 64 bytes in base64"
        return None

    def send(self, sending: Sending) -> str | None:
        """Post one signed message for the page."""
        parts, arguments = urlsplit(sending.url), _arguments(sending.url)
        key = _key(arguments.get("secret", ""))
        if key is None or not parts.hostname:
            raise UnusableError("the webhook has no host, or its secret is not whsec_ and 24 to 64 bytes in base64")
        now, identity = time.time_ns() // 1_000, message_id(sending)
        wrapped = arguments.get("format") == "cloudevents"
        body = json.dumps((cloud_event if wrapped else message)(sending, identity, now)).encode()
        scheme = "https" if parts.scheme.lower() == "webhooks" else "http"
        rest = "&".join(part for part in parts.query.split("&") if part.partition("=")[0] not in _OURS)
        address = f"{scheme}://{parts.netloc.rpartition('@')[2]}{parts.path or '/'}{'?' + rest if rest else ''}"
        kind = "application/cloudevents+json" if wrapped else "application/json"
        post(sending, address, body, {"Content-Type": kind, **signed(key, identity, now // SECOND, body)})
        return None


def signed(key: bytes, identity: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a message, with its signature by the first scheme of the specification."""
    content = f"{identity}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {"webhook-id": identity, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{signature}"}


def message_id(sending: Sending) -> str:
    """The id of a message, the same when it is sent again; each time that somebody is told again is another."""
    page = sending.page
    parts = (sending.person, *page.references, *((page.body,) if page.news == AGAIN else ()))
    return f"msg_{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]}"


def message(sending: Sending, _identity: str, now: int) -> Mapping[str, Any]:
    """The message in the specification's own form."""
    return {"type": f"violation.{sending.page.news}", "timestamp": format_instant(now), "data": _data(sending)}


def cloud_event(sending: Sending, identity: str, now: int) -> Mapping[str, Any]:
    """The message as a CloudEvent; its subject is the violation, where it is of one."""
    page = sending.page
    subject = {"subject": page.about[0][0]} if len(page.about) == 1 else {}
    return {
        "specversion": "1.0",
        "id": identity,
        "source": "/seamwatch",
        "type": f"seamwatch.violation.{page.news}",
        "time": format_instant(now),
        "datacontenttype": "application/json",
        **subject,
        "data": _data(sending),
    }


def _data(sending: Sending) -> Mapping[str, Any]:
    page = sending.page
    return {
        "person": sending.person,
        "news": page.news,
        "title": page.title,
        "text": page.body,
        "severity": page.severity,
        "references": list(page.references),
        "incidents": [incident.fields() for incident in page.incidents],
    }


def _key(secret: str) -> bytes | None:
    if not secret.startswith(_PREFIX):
        return None
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return None
    return key if _KEY_BYTES[0] <= len(key) <= _KEY_BYTES[1] else None


def _arguments(url: str) -> dict[str, str]:
    # A secret in base64 has signs of plus, which are no blanks.
    pairs = (part.partition("=") for part in urlsplit(url).query.split("&") if part)
    return {name: unquote(value) for name, _, value in pairs}


SERVICE: Final = Webhook()
