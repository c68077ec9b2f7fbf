"""What the clause `follow_up` remembers: the episodes that are over, what is owed of them, and how much is kept.

Values only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from seamwatch.durations import DAY
from seamwatch.judging.model.facts import Evidence

REVIEWS_KEPT: Final = 500
ACTIONS_KEPT: Final = 1_000
EARLY_KEPT: Final = 20
DONE_KEPT: Final = 500
EARLY_FOR: Final = 30 * DAY


@dataclass(frozen=True, slots=True)
class Review:
    """The review of one episode, which was over ``at``; ``reminded`` counts the reminders sent, ``missed`` is overdue.

    ``given`` is when it was given, and ``cause`` what it says of why.
    """

    violation_id: str
    clause: str
    at: int
    due: int
    reminded: int = 0
    missed: bool = False
    given: int | None = None
    cause: str = ""

    @property
    def slice(self) -> str:
        """Names its episodes."""
        return self.violation_id

    @property
    def done(self) -> int | None:
        """When it was done."""
        return self.given


@dataclass(frozen=True, slots=True)
class Action:
    """What one person does by a date; fields as of a review. ``at`` is when the review was given that lists it."""

    violation_id: str
    action_id: str
    clause: str
    person: str
    what: str
    at: int
    due: int
    evidence: Evidence
    reminded: int = 0
    missed: bool = False
    closed: int | None = None

    @property
    def slice(self) -> str:
        """Names its episodes."""
        return f"{self.violation_id}/{self.action_id}"

    @property
    def done(self) -> int | None:
        """When it was done."""
        return self.closed


@dataclass(frozen=True, slots=True)
class Word:
    """An attestation of a review or an action: what a person says of which slice, when; it is signed as it must be."""

    kind: str
    slice: str
    subject: str
    person: str
    at: int
    event_id: str
    statement: str = ""


@dataclass(frozen=True, slots=True)
class FollowUpState:
    """Reviews and actions that are owed, or done and not summed up yet, and words that came before what they are about.

    ``done`` are the episodes that need nothing any more, of the latest. ``digest_due`` is the end of the period that
    is summed up next, ``digested`` that of the last that was.
    """

    reviews: tuple[Review, ...] = ()
    actions: tuple[Action, ...] = ()
    early: tuple[Word, ...] = ()
    done: tuple[str, ...] = ()
    digest_due: int | None = None
    digested: int | None = None


def with_review(state: FollowUpState, review: Review) -> FollowUpState:
    """With a review that is owed, in the order in which their episodes were over."""
    reviews = sorted((*state.reviews, review), key=lambda one: (one.at, one.violation_id))
    return replace(state, reviews=tuple(reviews))
