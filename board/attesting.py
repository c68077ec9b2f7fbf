"""Attesting: what one attests on the board is signed as all that one says, and sent; what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from board.page import Page
from board.signing import PATIENCE_SECONDS, Outcome, Signing
from seamwatch.signatures import attestation_bytes, attestation_fault
from statements import review


@dataclass(frozen=True, slots=True)
class Attesting(Signing):
    """How attestations of one kind are signed and sent."""

    def send(self, page: Page, event: dict[str, Any]) -> Outcome:
        """Send an event; what came of it. Raises UnreachableError."""
        (verdict,) = review.submit(page.context.shown, [event], PATIENCE_SECONDS)
        return self.outcome(event, verdict)


def attesting(purpose: str, does: str) -> Attesting:
    """How attestations for a purpose are signed and sent; ``does`` is what one does by them."""
    return Attesting(purpose, "subject", does, attestation_bytes, attestation_fault)
