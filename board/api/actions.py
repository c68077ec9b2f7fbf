"""Actions by the API: acknowledging and objecting as oneself, signed by who has published keys.

Whoever signs asks for a draft, signs its ``bytes`` (UTF-8) by Ed25519, and hands the draft back with the signature.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from board import answering
from board.api.access import Actor
from board.api.models import DRAFT, OUTCOME, listing
from board.api.problems import documented
from board.signing import Outcome

router = APIRouter(tags=["answers"], responses=documented(400, 404, 409))


class Said(BaseModel):
    """What is said to a violation, a change or a summary; ``reference`` as `seamwatch ack` takes it."""

    model_config = ConfigDict(extra="forbid")
    reference: Annotated[str, StringConstraints(min_length=1, max_length=512)]
    answer: answering.Kind
    note: Annotated[str, StringConstraints(max_length=2_000)] = ""


class SignedDraft(BaseModel):
    """A draft that came from here, and its signature in base64."""

    model_config = ConfigDict(extra="forbid")
    draft: Annotated[str, StringConstraints(max_length=16_000)]
    signature: Annotated[str, StringConstraints(max_length=512)]


_SENT: dict[int | str, dict[str, Any]] = {
    202: {"model": OUTCOME, "description": "It was sent, and no judge has said yet whether it counts."}
}


@router.post("/answers", response_model=OUTCOME, responses=_SENT)
def answer(page: Actor, said: Said, response: Response) -> Any:
    """Answer unsigned, as who asks."""
    return _told(answering.answer(page, said.reference, said.answer, said.note), response)


@router.post("/answers/drafts", response_model=listing(DRAFT))
def drafts(page: Actor, said: Said) -> Any:
    """What is to be signed of an answer, by each key of who asks; none where they have no keys."""
    found = [asdict(each) for each in answering.drafts(page, said.reference, said.answer, said.note)]
    return {"items": found, "next": None, "total": len(found)}


@router.post("/answers/signed", response_model=OUTCOME, responses=_SENT)
def signed(page: Actor, given: SignedDraft, response: Response) -> Any:
    """Send an answer that was signed."""
    return _told(answering.send(page, answering.signed(page, given.draft, given.signature)), response)


def _told(outcome: Outcome, response: Response) -> Any:
    response.status_code = 202 if outcome.counted is None else 200
    return asdict(outcome)
