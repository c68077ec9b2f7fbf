"""Answering: drafts, signatures and what came of an answer, for pages and API alike. One answers as oneself only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from itsdangerous import BadSignature

from board.page import Page, person_of
from board.security.origins import RefusedError
from seamwatch.documents.models import PublicKeyEntry
from seamwatch.errors import SeamwatchError, StoreError, UnreachableError, UsageError
from seamwatch.signatures import PublicKey, acknowledgement_bytes, acknowledgement_fault
from statements import answer as answers
from statements.published import Published

Kind = Literal["accept", "object"]

_PATIENCE_SECONDS: Final = 10.0
_PRODUCER: Final = "seamwatch board"


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


def answer(page: Page, reference: str, kind: Kind, note: str) -> Outcome:
    """Answer one thing, unsigned. Raises RefusedError for somebody whose unsigned word does not count."""
    demand_unsigned(page)
    return send(page, _draft(page, reference, kind, note))


def demand_unsigned(page: Page) -> None:
    """Raise RefusedError where what who acts does not sign would not count."""
    person = person_of(page)
    if keys_of(page, person):
        raise RefusedError(
            f"{person} has published keys, so what is not signed would not count: choose your key file on the page, "
            "which signs in this browser (that takes JavaScript), or sign a draft of /api/v1/answers/drafts",
            409,
        )


def drafts(page: Page, reference: str, kind: Kind, note: str) -> list[Draft]:
    """What is to be signed of an answer, by each key of who answers."""
    person = person_of(page)
    event = _draft(page, reference, kind, note)
    found = []
    for key in keys_of(page, person):
        signed = event | {"key_id": key.key_id}
        text = acknowledgement_bytes(signed).decode()
        found.append(Draft(event["reference"], key.key_id, key.public, text, str(_signer(page).dumps(signed))))
    return found


def signed(page: Page, draft: str, signature: str) -> dict[str, Any]:
    """The event of a draft, signed. Raises RefusedError for a draft or a signature of another."""
    person = person_of(page)
    try:
        event = cast("dict[str, Any]", _signer(page).loads(draft))
    except BadSignature:
        raise RefusedError("this is no draft of this session: load the page again, and repeat") from None
    event["signature"] = signature
    if event["person"] != person:
        raise RefusedError("one acknowledges as oneself only")
    fault = acknowledgement_fault(event, public_keys_of(page, person))
    if fault is not None:
        raise RefusedError(fault[1])
    return event


def send(page: Page, event: dict[str, Any]) -> Outcome:
    """Send an answer; what came of it. Raises UnreachableError."""
    verdict = answers.submit(page.context.shown, event, _PATIENCE_SECONDS)
    if verdict is None:
        waits = "it was sent and is on record, but no judge has said yet whether it counts: is one running?"
        return Outcome(event["reference"], None, waits)
    return Outcome(event["reference"], verdict["counted"], verdict["summary"])


def _draft(page: Page, reference: str, kind: Kind, note: str) -> dict[str, Any]:
    """The event of an answer, unsigned. Raises RefusedError for what cannot be answered."""
    try:
        return _drafted(page, reference, kind, note)
    except answers.NothingMeantError as error:
        raise RefusedError(str(error), 404) from None
    except (RefusedError, StoreError, UnreachableError, UsageError):
        raise
    except SeamwatchError as error:
        raise RefusedError(str(error), 409) from None


def _drafted(page: Page, reference: str, kind: Kind, note: str) -> dict[str, Any]:
    person, system = person_of(page), page.context.shown
    followed = page.episode(reference)
    if followed is not None:
        # What is followed is known without the store, and answered while that is away.
        violation = followed.violation
        if violation.state == "resolved":
            raise SeamwatchError("it is over already, so the answer was not sent")
        found = answers.of_violation(violation.violation_id, violation.system, violation.summary)
        return answers.draft(found, person, kind, note or None, page.now, _PRODUCER)
    with page.store() as store:
        found = answers.meant(store, system, reference, _PATIENCE_SECONDS)
        announced = None
        if found.of == "change":
            announced = answers.announcement(store, Published(system), found, reference)
    return answers.draft(found, person, kind, note or None, page.now, _PRODUCER, announced)


def _signer(page: Page) -> Any:
    return page.context.sessions.signer(f"answer {page.viewer.session}")


def keys_of(page: Page, person: str) -> tuple[PublicKeyEntry, ...]:
    """The keys that a person has published."""
    known = page.context.estate.persons.get(person)
    return () if known is None else known.keys


def public_keys_of(page: Page, person: str) -> list[PublicKey]:
    """The same, to verify signatures by."""
    from seamwatch.engine.seams import Seams

    return list(Seams(page.context.estate, None).keys_of(person))
