"""Signed webhooks of any other service: what one says, as a reply. Reads only; the signature was verified before.

Who holds the secret is believed who answered: a person's id, or their id at a service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from replies.reading import content_of, moment_of
from replies.reply import NotRelayedError, Reply, Said, malformed, text_at
from seamwatch.durations import MINUTE, SECOND

SERVICE: Final = "webhook"

_SAID: Final = ("acknowledged", "unacknowledged")
_KNOWN: Final = frozenset({"type", "violation_id", "person", "identity", "service", "note", "at"})
_AHEAD: Final = 5 * MINUTE
_LONGEST_NOTE: Final = 2_000


def reply_of(body: bytes, name: str, sent: int) -> Reply:
    """What a verified call of id ``name`` says, which was sent at ``sent`` (seconds).

    Raises NotRelayedError for what is malformed.
    """
    evidence, content = content_of(body)
    said, violation_id = text_at(content, "type"), text_at(content, "violation_id")
    if said not in _SAID:
        raise malformed("type is acknowledged or unacknowledged")
    if violation_id is None:
        raise malformed("violation_id is missing")
    if unknown := sorted(content.keys() - _KNOWN):
        raise malformed(
            f"{', '.join(map(str, unknown))[:100]} is nothing that is known here: {', '.join(sorted(_KNOWN))}"
        )
    person, identity, service = (text_at(content, key) for key in ("person", "identity", "service"))
    if (person is None) == (identity is None or service is None):
        raise malformed("who answers is a person, or an identity and its service")
    at = sent * SECOND if content.get("at") is None else moment_of(content["at"], "at")
    if at > sent * SECOND + _AHEAD:
        raise NotRelayedError("stale", "at is later than when it was sent", 400)
    return Reply(SERVICE, name, cast(Said, said), violation_id, at, evidence, identity, service, person, _note(content))


def _note(content: Mapping[str, object]) -> str | None:
    note = content.get("note")
    if note is not None and (not isinstance(note, str) or len(note) > _LONGEST_NOTE):
        raise malformed(f"note is a text of up to {_LONGEST_NOTE} characters")
    return note
