"""The relay: makes a reply the acknowledgement of the person who gave it, signs it, and publishes it.

It looks up who and what is meant, and refuses what it cannot tell; whether the answer counts is the judge's. A reply
that comes again is the same event under the same id, which counts once, also after the process was killed.
"""

from __future__ import annotations

import threading
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Protocol

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from replies.episodes import Episode, Episodes
from replies.reply import NotRelayedError, Outcome, Reply
from seamwatch.documents import Estate
from seamwatch.durations import DAY
from seamwatch.errors import SeamwatchError
from seamwatch.judging.model.identity import identity
from seamwatch.signatures import acknowledgement_bytes, sign

log = structlog.get_logger(__name__)

_SEEN_KEPT: Final = 20_000
_WAIT_SECONDS: Final = 5.0
_AHEAD: Final = DAY
"""What is dated further ahead is no event to any stage."""

Publish = Callable[[Mapping[str, Any]], None]
"""Publishes an acknowledgement, and returns when the broker has it. Raises SeamwatchError when it has not."""


class Known(Protocol):
    """What is known of violations and people."""

    @property
    def episodes(self) -> Episodes:
        """The violations."""

    @property
    def estate(self) -> Estate:
        """The documents."""

    @property
    def ready(self) -> threading.Event:
        """Set while all that there is has been read."""


class Relay:
    """Relays as one person. ``private_key``: its 32 bytes; ``max_age``: how old (micros) a reply may be."""

    def __init__(
        self, person: str, private_key: bytes, known: Known, publish: Publish, now: Callable[[], int], max_age: int
    ) -> None:
        self._person = person
        self._private_key = private_key
        self._public = b64encode(
            Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()
        ).decode()
        self._known = known
        self._publish = publish
        self._now = now
        self._max_age = max_age
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._last: OrderedDict[str, str] = OrderedDict()

    def relay(self, reply: Reply) -> Outcome:
        """Publish a reply, and return when the broker has it; ``repeated`` for one that was published before.

        Raises NotRelayedError for one that is not, or not now.
        """
        event_id = identity("reply", reply.service, reply.id, reply.violation_id, reply.said)
        if event_id in self._seen:
            return "repeated"
        self._demand_time(reply)
        if not self._known.ready.is_set():
            raise NotRelayedError("not_ready", "it is not known yet what is open: send it again", 503)
        episode = self._known.episodes.get(reply.violation_id)
        if episode is None:
            raise NotRelayedError("unknown_violation", f"no violation {reply.violation_id!r} is known here", 404)
        record = self._record(reply, episode, self._who(reply, episode), event_id)
        self._send(record)
        _remember(self._seen, event_id, None)
        _remember(self._last, reply.violation_id, record["person"])
        log.info(
            "a reply was relayed",
            service=reply.service,
            said=reply.said,
            violation_id=reply.violation_id,
            person=record["person"],
            event_id=event_id,
        )
        return "relayed"

    def _send(self, record: Mapping[str, Any]) -> None:
        # One after another; while Kafka is away those behind hear so without waiting for each before them.
        if not self._lock.acquire(timeout=_WAIT_SECONDS):
            raise NotRelayedError("unreachable", "Kafka has not taken what came before: send it again", 503)
        try:
            self._publish(record)
        except SeamwatchError as error:
            log.warning("a reply could not be published", event_id=record["event_id"], reason=str(error))
            raise NotRelayedError("unreachable", "Kafka has not taken it: send it again", 503) from error
        finally:
            self._lock.release()

    def key_id(self) -> str | None:
        """The name under which the key is published as a relay's; None where it is not, so that nothing would count."""
        person = self._known.estate.persons.get(self._person)
        if person is None or "relay" not in person.roles:
            return None
        return next((key.key_id for key in person.keys if key.public == self._public), None)

    def person_of(self, service: str, name: str) -> str:
        """Whose id at a service it is. Raises NotRelayedError where it is nobody's, or several's."""
        found = [p.id for p in self._known.estate.persons.values() if p.identities.get(service) == name]
        if not found:
            said = f"{service} id {name!r} is in no Person document: add it to somebody's identities"
            raise NotRelayedError("unknown_identity", said, 422)
        if len(found) > 1:
            said = f"{service} id {name!r} is in the documents of {', '.join(sorted(found))}: whose is it?"
            raise NotRelayedError("ambiguous_identity", said, 422)
        return found[0]

    def _demand_time(self, reply: Reply) -> None:
        now = self._now()
        if (reply.at < now - self._max_age and not reply.asked) or reply.at > now + _AHEAD:
            raise NotRelayedError("stale", "it was given too long ago to be relayed, or lies ahead of our clock", 400)

    def _who(self, reply: Reply, episode: Episode) -> str:
        if reply.person is not None:
            if reply.person not in self._known.estate.persons:
                raise NotRelayedError("unknown_identity", f"no person {reply.person!r} is published", 422)
            return reply.person
        if reply.said == "acknowledged":
            return self._answerer(reply)
        # Whoever took it back there, or a time that ran out: what is over is that this person had taken it on.
        holder = episode.acknowledged_by or self._last.get(reply.violation_id)
        if holder is not None:
            return holder
        with suppress(NotRelayedError):
            return self._answerer(reply)
        if episode.person is None:
            raise NotRelayedError("no_person", "nobody took it on, and nobody has to act", 422)
        return episode.person

    def _answerer(self, reply: Reply) -> str:
        if reply.identity is None or reply.named_at is None:
            raise NotRelayedError("no_person", "it does not say who answered", 422)
        return self.person_of(reply.named_at, reply.identity)

    def _record(self, reply: Reply, episode: Episode, person: str, event_id: str) -> dict[str, Any]:
        key_id = self.key_id()
        if key_id is None:
            said = f"{self._person} is not published with the role relay and the key of SEAMWATCH_RELAY_KEY"
            raise NotRelayedError("no_relay", said, 503)
        record = {
            "event_id": event_id,
            "event_time": reply.at,
            "producer": "seamwatch replies",
            "system": episode.system,
            "of": "violation",
            "reference": reply.violation_id,
            "person": person,
            "answer": "accept" if reply.said == "acknowledged" else "retract",
            "note": reply.note,
            "key_id": key_id,
            "change_digest": None,
            "relayed_by": self._person,
            "evidence": reply.evidence,
        }
        signature = b64encode(sign(acknowledgement_bytes(record), self._private_key)).decode()
        return record | {"signature": signature}


def _remember(kept: OrderedDict[str, Any], name: str, value: Any) -> None:
    kept[name] = value
    kept.move_to_end(name)
    while len(kept) > _SEEN_KEPT:
        kept.popitem(last=False)
