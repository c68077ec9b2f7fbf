"""What must be seen: each violation that the faults of the estate lead to, and no other.

Expectations only, worked out from the timeline and the contracts; `sightings` holds what was seen against them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from console.demo import timeline
from console.demo.agent import calls
from console.demo.changes import late_answer
from console.demo.configurations import CREDIT_SLIPPED, digest
from seamwatch.durations import DAY, HOUR, MINUTE

PLATFORM: Final = "on-call@example.org"
"""Whom a page about a system that nobody registered goes to (setting `SEAMWATCH_DEFAULT_OWNER`)."""

ANSWERS_NO_PAGES: Final = frozenset({"feed-owner@example.org", "credit-operations@example.org"})
"""Who is away: their clocks to acknowledge run out, and the next person of the list is paged."""

PRACTISED: Final = ("order-agent-pact", "practised", "order-agent")
"""The contract and clause by which a drill is held when the stories are over, and of which system."""

RUNS_DRILLS: Final = "continuity@example.org"
TAKES_DRILLS: Final = "order-desk@example.org"
"""Who holds the drill, and who is first on the list and takes it on."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One violation that must come.

    - ``due``: event time (micros) at which it became true, or at which its cause began where only a test can tell.
    - ``person``: who is paged first. ``climbs_to``: who is paged next, because the first does not acknowledge.
    - ``resolves``: whether the history ends with the episode over.
    """

    what: str
    contract: str
    clause: str
    system: str
    due: int
    person: str | None
    slice: str | None = None
    severity: str = "breach"
    climbs_to: str | None = None
    resolves: bool = False

    @property
    def key(self) -> tuple[str, str, str, str | None, str]:
        """What a violation has in common with it."""
        return (self.contract, self.clause, self.system, self.slice, self.severity)


@dataclass(frozen=True, slots=True)
class Story:
    """A story of the demo: its cause in a sentence, and every violation it must lead to."""

    name: str
    cause: str
    expected: tuple[Expected, ...]


def stories(origin: int) -> tuple[Story, ...]:
    """The stories of a history that begins at ``origin`` (microseconds)."""
    return (
        _insurer(origin),
        _fintech(origin),
        _units(origin),
        _swap(origin),
        _agent(origin),
        _unowned(origin),
        Story("the healthy part", "renewals, its data, every other clause: nobody may be woken", ()),
    )


def _insurer(origin: int) -> Story:
    newest = timeline.at(origin, timeline.FEED_STOPS) - 2 * HOUR
    feed = ("eligibility-feed", "fresh", "eligibility-features")
    return Story(
        "the insurer",
        "the eligibility feed stops for nine days; decisions go on, and their scores look fine",
        (
            Expected(
                "36 h without newer data",
                *feed,
                newest + 36 * HOUR,
                "feed-owner@example.org",
                slice="eligibility-features",
                severity="warning",
                resolves=True,
            ),
            Expected(
                "48 h without newer data",
                *feed,
                newest + 48 * HOUR,
                "feed-owner@example.org",
                slice="eligibility-features",
                climbs_to="eligibility-lead@example.org",
                resolves=True,
            ),
            Expected(
                "decisions on stale data",
                "eligibility-decisions",
                "decided-on-fresh-data",
                "eligibility-model",
                newest + 48 * HOUR,
                "eligibility-lead@example.org",
            ),
        ),
    )


def _fintech(origin: int) -> Story:
    announced = timeline.at(origin, timeline.CHANGE_ANNOUNCED)
    slipped = timeline.at(origin, timeline.THRESHOLD_SLIPPED)
    notice = ("credit-limits", "changes-acknowledged", "credit-model")
    change, value = "credit-threshold-60", digest(CREDIT_SLIPPED)
    return Story(
        "the fintech",
        "a threshold change that one objects to, one answers late and one never, and its review; then one unannounced",
        (
            Expected(
                "compliance objects",
                *notice,
                timeline.at(origin, timeline.COMPLIANCE_OBJECTS),
                "product-lead@example.org",  # who announced it; an objection asks that person to act
                slice=f"{change}/compliance@example.org",
            ),
            Expected(
                "risk has not answered in 48 h",
                *notice,
                announced + 2 * DAY,
                "risk-lead@example.org",
                slice=f"{change}/risk-lead@example.org",
                resolves=True,
            ),
            Expected(
                "operations never answers",
                *notice,
                announced + 2 * DAY,
                "credit-operations@example.org",
                slice=f"{change}/credit-operations@example.org",
                climbs_to="credit-lead@example.org",
            ),
            Expected(
                "what the review asked for is not done",
                "credit-limits",
                "learn",
                "credit-model",
                timeline.at(origin, timeline.DEPUTY_DUE),
                "credit-operations@example.org",
                slice=f"{late_answer()}/deputy",
                climbs_to="credit-lead@example.org",
            ),
            Expected("unannounced configuration", *notice, slipped, "credit-lead@example.org", slice=value),
            Expected(
                "unapproved configuration",
                "credit-limits",
                "approved-only",
                "credit-model",
                slipped,
                "credit-lead@example.org",
                slice=f"2.2/{value}/credit-limit",
            ),
        ),
    )


def _units(origin: int) -> Story:
    return Story(
        "the other units",
        "a new supplier sends one of the credit model's features in centimetres, no longer in millimetres",
        (
            Expected(
                "scores have shifted",
                "credit-limits",
                "scores-as-approved",
                "credit-model",
                timeline.at(origin, timeline.UNITS_CHANGE),
                "credit-lead@example.org",
            ),
        ),
    )


def _swap(origin: int) -> Story:
    return Story(
        "the silent swap",
        "the assistant's provider serves another model under the same name",
        (
            Expected(
                "answers have shifted",
                "claims-answers",
                "quality-as-approved",
                "claims-assistant",
                timeline.at(origin, timeline.MODEL_SWAPPED),
                "assistant-owner@example.org",
            ),
        ),
    )


def _agent(origin: int) -> Story:
    strayed: dict[str, tuple[int, str]] = {}
    for call in calls(origin):
        if call.strays:
            strayed.setdefault(call.conversation, (call.at, call.tool))
    expected = tuple(
        Expected(
            f"{conversation}: a tool outside its scope"
            if tool == "issue_store_credit"
            else f"{conversation}: a reason outside its scope",
            "order-agent-pact",
            "tools",
            "order-agent",
            when,
            "order-desk@example.org",
            slice=conversation,
            resolves=True,
        )
        for conversation, (when, tool) in strayed.items()
    )
    suspended = min(when for when, _ in strayed.values())
    goes_on = Expected(
        "it goes on although its contract suspended it",
        "suspensions",
        "suspension",
        "order-agent",
        next(call.at for call in calls(origin) if call.at > suspended + MINUTE),
        "order-desk@example.org",
        resolves=True,
    )
    cause = "its tool server grows a tool, and its prompt is edited for an hour; its contract suspends it"
    return Story("the drifting agent", cause, (*expected, goes_on))


def _unowned(origin: int) -> Story:
    return Story(
        "the unowned system",
        "somebody's experiment serves prices; nobody registered it",
        (
            Expected(
                "running unregistered",
                "defaults",
                "approval",
                "price-experiment",
                timeline.at(origin, timeline.SQUATTER_STARTS),
                PLATFORM,
            ),
        ),
    )
