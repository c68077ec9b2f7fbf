"""By what one tells whether the record has moved on since a card was made: a digest of each part of it but traffic.

Events come all the time; a card says of when its figures are, and until when it is good. What a card of yesterday must
not hide is that an approval was revoked, an incident opened, a contract or document changed, or something was attested.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sinks.store.questions.cards.model import Approval, Attested, Change, Incident, Limit, Signatory, Suspended, Who

if TYPE_CHECKING:
    from sinks.store.questions.cards.model import Card, Part

WORDS: Final[Mapping[str, str]] = {
    "who": "what its document says",
    "suspended": "what is suspended",
    "approvals": "its approvals",
    "attested": "what was attested",
    "incidents": "its incidents and what followed",
    "limits": "what is agreed, and who signed it",
    "changes": "what changed",
}
"""What each part is, for who is told that it is another."""
_TRAFFIC: Final = {"events"}


def basis_of(
    who: Who,
    suspended: Sequence[Suspended],
    approvals: Sequence[Approval],
    attested: Sequence[Attested],
    incidents: Sequence[Incident],
    limits: Sequence[Limit],
    signatories: Sequence[Signatory],
    changes: Sequence[Change],
) -> dict[str, str]:
    """The digest of each part."""
    parts: dict[str, Iterable[Part]] = {
        "who": [who],
        "suspended": suspended,
        "approvals": approvals,
        "attested": attested,
        "incidents": incidents,
        "limits": [*limits, *signatories],
        "changes": changes,
    }
    return {name: _digest(those) for name, those in parts.items()}


def moved_on(before: Mapping[str, str], now: Card) -> list[str]:
    """Which parts of the record are others than when a card was made, in words."""
    return [WORDS[name] for name, digest in now.basis.items() if before.get(name) != digest]


def _digest(parts: Iterable[Part]) -> str:
    said = sorted(
        json.dumps(part.model_dump(mode="json", exclude=_TRAFFIC), sort_keys=True, ensure_ascii=False) for part in parts
    )
    return "sha256:" + hashlib.sha256("\n".join(said).encode()).hexdigest()
