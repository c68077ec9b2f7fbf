"""Verdicts: what a guard answers, in words for the model that asked and for the person who reads it later.

Values and the errors that carry them; nothing is judged here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seamwatch.errors import SeamwatchError

Decision = Literal["allowed", "denied", "escalated"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an act: ``why`` in words, and the clause that says so (None where no clause was asked)."""

    why: str
    contract: str | None = None
    version: str | None = None
    digest: str | None = None
    clause: str | None = None
    kind: str | None = None

    @property
    def reference(self) -> str | None:
        """The clause as ``contract@version#clause``."""
        return None if self.clause is None else f"{self.contract}@{self.version}#{self.clause}"

    def __str__(self) -> str:
        return self.why if self.clause is None else f"{self.why} ({self.reference})"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an act may happen.

    - ``decision``: ``allowed``; ``denied``; ``escalated`` when a person must decide, or has (``reviewed_by``).
    - ``act``: what was to be done, in words: ``a call of refund``.
    - ``event_id``: the event that reports it; None for a decision that was not made, and so is not reported.
    - ``basis``: the clause that allows it, or the first that does not, as ``contract@version#clause``.
    - ``faults``: why it is not simply allowed; empty when it is.
    - ``warnings``: clauses of severity ``warning`` that it breaks; they stop nothing.
    - ``repeated``: it was asked before, with the same call id, and is counted once.
    """

    decision: Decision
    act: str
    event_id: str | None
    basis: str | None = None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    reviewed_by: str | None = None
    repeated: bool = False

    @property
    def permitted(self) -> bool:
        """Whether the act may happen now."""
        return self.decision == "allowed" or (self.decision == "escalated" and self.reviewed_by is not None)

    @property
    def clause(self) -> str | None:
        """The id of the first clause that does not allow it."""
        return self.faults[0].clause if self.faults else None

    @property
    def sentence(self) -> str:
        """One sentence for the model and the person."""
        act = self.act[0].upper() + self.act[1:]
        why = "; ".join(str(fault) for fault in self.faults)
        if self.decision == "denied":
            return f"{act} was denied: {why}."
        if self.decision == "allowed":
            return f"{act} is allowed{f' by {self.basis}' if self.basis else ''}."
        if self.reviewed_by is not None:
            return f"{act} was approved by {self.reviewed_by}."
        return f"{act} waits for a person: {why}."

    def __str__(self) -> str:
        return self.sentence


class NotPermitted(SeamwatchError):
    """An act may not happen now; ``verdict`` says why and by which clause."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.sentence)
        self.verdict = verdict


class Denied(NotPermitted):
    """The contract does not allow the act; doing otherwise is up to the caller."""


class Escalated(NotPermitted):
    """A person must decide; ask again with ``reviewed_by`` when one has."""


def demand(verdict: Verdict) -> Verdict:
    """The verdict, when it permits. Raises Denied or Escalated when it does not."""
    if verdict.permitted:
        return verdict
    raise (Denied if verdict.decision == "denied" else Escalated)(verdict)
