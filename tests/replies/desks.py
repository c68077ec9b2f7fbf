"""A desk over what a test says is known; what it publishes is in a list, signed and encoded as on the wire."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from replies.desk import Desk, Keys
from replies.episodes import Episodes
from replies.metrics import Metrics
from replies.relay import Relay
from seamwatch.documents import Estate
from seamwatch.durations import DAY
from seamwatch.errors import SeamwatchError, UnreachableError
from seamwatch.instants import format_instant
from seamwatch.signatures import PublicKey, relay_fault
from seamwatch.wire.codec import Codec

KEY = Ed25519PrivateKey.from_private_bytes(b"r" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
SECRET, FORMER = b"pagerduty-signs-by-this", b"and-signed-by-this-before"
STANDARD = b"standard webhooks sign by this"
VIOLATION = "4f1c2a9b-e0d7-8aaa-8bbb-000000000001"
CODEC = Codec()

PEOPLE = f"""
kind: Person
id: dana@example.org
name: Dana
identities: {{pagerduty: PDANA, slack: UDANA}}
keys: [{{key_id: dana-1, public: "{b64encode(b"d" * 32).decode()}"}}]
---
kind: Person
id: model.lead@example.org
name: Model Lead
identities: {{pagerduty: PLEAD, chat: lead}}
---
kind: Person
id: replies@example.org
name: Replies
roles: [relay]
keys: [{{key_id: replies-1, public: "{b64encode(PUBLIC).decode()}"}}]
"""


def estate(folder: Path, text: str = PEOPLE) -> Estate:
    """The estate of a text."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "people.yaml").write_text(text)
    return Estate.load(folder)


class Known:
    """What is known; ready from the start."""

    def __init__(self, known: Estate) -> None:
        self.episodes = Episodes()
        self.estate = known
        self.ready = threading.Event()
        self.ready.set()
        self.episode()

    def episode(self, violation_id: str = VIOLATION, **fields: Any) -> None:
        """A state of a violation."""
        said = {"system": "scorer", "state": "open", "person": "dana@example.org"}
        nobody = {"acknowledged_by": None, "acknowledged_at": None}
        self.episodes.take({"violation_id": violation_id, **said, **nobody, **fields})


class Scene:
    """A desk, what it knows, and what it has published; ``away`` is why Kafka takes nothing."""

    def __init__(self, folder: Path, keys: Keys | None = None, text: str = PEOPLE) -> None:
        self.known = Known(estate(folder / "documents", text))
        self.published: list[dict[str, Any]] = []
        self.away: SeamwatchError | None = None
        self.metrics = Metrics()
        self.secrets: dict[str, Sequence[bytes]] = {"pagerduty": (SECRET, FORMER), "webhook": (STANDARD,)}
        self.keys = keys
        self.start()

    def start(self) -> None:
        """A desk that has just been started, and remembers nothing."""
        relay = Relay("replies@example.org", KEY.private_bytes_raw(), self.known, self._publish, now, DAY)
        self.desk = Desk(relay, self.metrics, self.secrets, self.keys)

    def _publish(self, record: Mapping[str, Any]) -> None:
        if self.away is not None:
            raise self.away
        self.published.append(CODEC.decode("acknowledgement", CODEC.encode("acknowledgement", record)))

    def leave(self) -> None:
        """Kafka is away."""
        self.away = UnreachableError("Kafka does not answer")

    def only(self) -> dict[str, Any]:
        """The one acknowledgement that was published; its signature holds."""
        (record,) = self.published
        assert relay_fault(record, (PublicKey("replies-1", PUBLIC),)) is None
        return record

    def counted(self, service: str = "pagerduty") -> dict[str, int]:
        """What was counted by outcome."""
        samples = next(iter(self.metrics.replies.collect())).samples
        return {
            sample.labels["outcome"]: int(sample.value)
            for sample in samples
            if sample.labels["service"] == service and sample.name.endswith("_total")
        }


def now() -> int:
    """Micros."""
    return time.time_ns() // 1_000


def incident(kind: str = "acknowledged", **fields: Any) -> dict[str, Any]:
    """A webhook of PagerDuty's, version 3; ``fields`` are of its event."""
    data = {
        "id": "Q1INCIDENT",
        "type": "incident",
        "status": kind,
        "incident_key": VIOLATION,
        "title": "größer als „0,62“",
        "assignees": [{"id": "PDANA", "type": "user_reference"}],
        **fields.pop("data", {}),
    }
    event = {
        "id": "01EVENT",
        "event_type": f"incident.{kind}",
        "resource_type": "incident",
        "occurred_at": format_instant(now()),
        "agent": {"id": "PDANA", "type": "user_reference", "summary": "Dana"},
        "client": None,
        "data": data,
        **fields,
    }
    return {"event": event}


def body_of(content: Any) -> bytes:
    """JSON."""
    return json.dumps(content, ensure_ascii=False).encode()


def pagerduty_headers(body: bytes, *secrets: bytes) -> dict[str, str]:
    """The header with a signature by each secret."""
    signed = (f"v1={hmac.new(each, body, hashlib.sha256).hexdigest()}" for each in secrets or (SECRET,))
    return {"x-pagerduty-signature": ",".join(signed)}


def standard_headers(
    body: bytes, name: str = "msg_1", at: float | None = None, secret: bytes = STANDARD
) -> dict[str, str]:
    """The headers of Standard Webhooks."""
    sent = str(int(time.time() if at is None else at))
    signature = b64encode(hmac.new(secret, f"{name}.{sent}.".encode() + body, hashlib.sha256).digest()).decode()
    return {"webhook-id": name, "webhook-timestamp": sent, "webhook-signature": f"v1,{signature}"}
