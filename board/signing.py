"""Signing: what one says goes out as a draft of this session, and comes back signed; and what came of it.

For answers, reviews and suspensions alike: one acts as oneself only. What is said, and how it is sent, is theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from itsdangerous import BadSignature

from board.page import Page, person_of
from board.security.origins import RefusedError
from seamwatch.documents.models import PublicKeyEntry
from seamwatch.signatures import PublicKey

PATIENCE_SECONDS: Final = 10.0
PRODUCER: Final = "seamwatch board"


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be signed by one key: ``bytes`` as text, and the ``draft`` that is handed back with the signature."""

    reference: str
    key_id: str
    public: str
    bytes: str
    draft: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an answer; ``counted`` None where no judge has said so far."""

    reference: str
    counted: bool | None
    summary: str


@dataclass(frozen=True, slots=True)
class Signing:
    """How events of one kind are signed: ``named`` is the field that names one, ``does`` what one does by it.

    ``purpose`` keeps a draft of one kind from being taken for one of another.
    """

    purpose: str
    named: str
    does: str
    bytes_of: Callable[[Mapping[str, Any]], bytes]
    fault_of: Callable[[Mapping[str, Any], Sequence[PublicKey]], tuple[str, str] | None]

    def drafts(self, page: Page, event: dict[str, Any]) -> list[Draft]:
        """What is to be signed of an event, by each key of who acts."""
        found = []
        for key in _keys_of(page, person_of(page)):
            signed = event | {"key_id": key.key_id}
            text = self.bytes_of(signed).decode()
            handed = str(self._signer(page).dumps(signed))
            found.append(Draft(event[self.named], key.key_id, key.public, text, handed))
        return found

    def signed(self, page: Page, draft: str, signature: str) -> dict[str, Any]:
        """The event of a draft, signed. Raises RefusedError for a draft or a signature of another."""
        person = person_of(page)
        try:
            event = cast("dict[str, Any]", self._signer(page).loads(draft))
        except BadSignature:
            raise RefusedError("this is no draft of this session: load the page again, and repeat") from None
        event["signature"] = signature
        if event["person"] != person:
            raise RefusedError(f"one {self.does} as oneself only")
        fault = self.fault_of(event, _public_keys_of(page, person))
        if fault is not None:
            raise RefusedError(fault[1])
        return event

    def outcome(self, event: Mapping[str, Any], verdict: Mapping[str, Any] | None) -> Outcome:
        """What came of an event that was sent, by the judge's verdict; None where there is none so far."""
        if verdict is None:
            waits = "it was sent and is on record, but no judge has said yet whether it counts: is one running?"
            return Outcome(event[self.named], None, waits)
        return Outcome(event[self.named], verdict["counted"], verdict["summary"])

    def _signer(self, page: Page) -> Any:
        return page.context.sessions.signer(f"{self.purpose} {page.viewer.session}")


def demand_unsigned(page: Page, instead: str = "sign a draft of /api/v1/answers/drafts") -> None:
    """Raise RefusedError where what who acts does not sign would not count; ``instead`` is the way but for the page."""
    person = person_of(page)
    if _keys_of(page, person):
        raise RefusedError(
            f"{person} has published keys, so what is not signed would not count: choose your key file on the page, "
            f"which signs in this browser (that takes JavaScript), or {instead}",
            409,
        )


def _keys_of(page: Page, person: str) -> tuple[PublicKeyEntry, ...]:
    known = page.context.estate.persons.get(person)
    return () if known is None else known.keys


def _public_keys_of(page: Page, person: str) -> list[PublicKey]:
    from seamwatch.engine.seams import Seams

    return list(Seams(page.context.estate, None).keys_of(person))
