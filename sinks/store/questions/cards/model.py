"""A card: what a system is for, who answers for it, how it does against what was approved, and what it stands on.

The form alone, and with it the form of the JSON (`schema`). What is not known is None or empty here, and told as not
known wherever a card is shown. After M. Mitchell and others, Model cards for model reporting (2019), of what is on
record and not of what its makers remember.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from seamwatch.instants import format_instant, parse_instant

FORM: Final = "seamwatch/card/v1"
"""Names the form. A field may be added under the same name; nothing else changes."""

Moment = Annotated[
    int,
    BeforeValidator(lambda value: parse_instant(value) if isinstance(value, str) else value),
    PlainSerializer(format_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time: microseconds since 1970, UTC; RFC 3339 in JSON."""

Standing = Literal["within", "outside", "perhaps", "no threshold", "not known"]
"""Where a figure is, and its whole interval, against what was approved; *perhaps* where the interval has both in it."""


class Part(BaseModel):
    """A part of a card: values do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Who(Part):
    """What a system is, and who answers for it; empty or None where no document says it."""

    system: str
    type: str | None = Field(description="model, agent, dataset or pipeline; null for one that nobody declared")
    owner: str | None
    owner_name: str | None
    team: str | None
    purpose: str | None
    not_for: tuple[str, ...]
    use_cases: tuple[str, ...]
    risk_tier: str | None
    links: Mapping[str, str] = Field(description="runbook, registry entry, monitoring agreement and lineage, by name")


class Approval(Part):
    """Who approved which version for what, on what basis, and how that stands."""

    approval_id: str
    version: str
    config_digest: str | None
    use_case: str
    approved_by: str | None
    approved_at: Moment | None
    expires: Moment | None
    standing: str = Field(description="in force, expired, revoked, listed no more, not in force yet, or why it is void")
    evidence: str | None = Field(description="where the reasons are kept, as the document says")
    co_approvers: tuple[str, ...] = Field(description="who approved it beside them")
    evaluated_at: Moment | None = Field(description="when it was evaluated, by its baseline; null without one")
    baseline: Mapping[str, float] = Field(description="the value of each metric, as it was evaluated")
    signed_by: tuple[str, ...] = Field(description="whose signatures it bears; whether they hold is in `standing`")
    events: int = Field(description="how many events on record it allowed")


class Threshold(Part):
    """What was approved of a figure, and by which document."""

    source: str
    min: float | None
    max: float | None


class Figure(Part):
    """One figure of some events, with the interval in which the true one lies with 95 % confidence."""

    metric: str
    cohort: str | None = Field(description="null for all events together")
    value: float | None
    low: float | None
    high: float | None
    unit: Literal["share", "area", "squared", "ms"]
    events: int
    standing: Standing
    thresholds: tuple[Threshold, ...]
    why_unknown: str | None = Field(description="why there is no value; null where there is one")


class Attested(Part):
    """What a person attested to have measured, for a metric that has a threshold."""

    metric: str
    threshold: Threshold
    value: float | None
    at: Moment | None
    person: str | None
    standing: Standing


class Bin(Part):
    """One bin of scores: how many outcomes, what the scores said on average, which share came true, how surely."""

    count: int
    said: float
    happened: float
    low: float
    high: float


class Calibration(Part):
    """How far scores are from what happens, in one cohort or over all."""

    cohort: str | None
    outcomes: int
    error: float
    low: float
    high: float
    chance: float = Field(description="the error that chance alone would show")
    bins: tuple[Bin, ...]


class Drift(Part):
    """Whether scores still look like those approved: drifting, unwatched, learning or steady."""

    standing: str
    observed: float | None
    limit: float | None
    unit: str | None
    since: Moment | None


class Followed(Part):
    """What is owed, or was done, after an incident."""

    what: Literal["review", "action", "declared", "report"]
    person: str
    text: str
    due_at: Moment | None
    done_at: Moment | None


class Incident(Part):
    """An episode, and what followed."""

    violation_id: str
    clause: str
    severity: str
    state: str
    summary: str
    opened_at: Moment
    acknowledged_by: str | None
    acknowledged_at: Moment | None
    resolved_at: Moment | None
    followed: tuple[Followed, ...]


class Suspended(Part):
    """What is suspended of the system, or all of it: it must not serve."""

    what: str
    since: Moment
    until: Moment | None
    by: str
    reason: str


class Source(Part):
    """Data that the system stands on, and how fresh it is."""

    dataset: str
    declared: bool
    refreshed_at: Moment | None = Field(description="when it was last refreshed; null where that is not known")
    data_as_of: Moment | None
    age_seconds: float | None = Field(description="how old its newest data was when the card was made")
    agreed_seconds: float | None = Field(description="the shortest age that a clause in force allows")
    refreshes: int


class DecidedOn(Part):
    """How old the data was that decisions were made on."""

    events: int
    without_age: int
    median_seconds: float | None
    most_seconds: float | None


class Limit(Part):
    """A clause in force."""

    contract: str
    version: str
    clause: str
    kind: str
    severity: str
    terms: Mapping[str, Any]


class Signatory(Part):
    """Who signed a contract in force, or must and has not."""

    contract: str
    version: str
    person: str | None
    roles: tuple[str, ...]
    signed_at: Moment | None


class Change(Part):
    """What changed since the approval: what was announced, or what served for the first time."""

    at: Moment
    what: Literal["announced", "withdrawn", "served", "published"]
    text: str
    by: str | None


class Unjudged(Part):
    """What could not be judged, and why."""

    clause: str | None
    why: str
    count: int
    said: str


class Counted(Part):
    """From how many events a card was made."""

    decisions: int
    calls: int
    outcomes: int
    refreshes: int
    cohorts_left_out: int = Field(description="cohorts beyond those with the most decisions, which are not told apart")


class Card(Part):
    """A card of one system, of the record as of one time."""

    form: Literal["seamwatch/card/v1"] = FORM
    as_of: Moment = Field(description="when it was made; what came later is not in it")
    good_until: Moment = Field(description="from then on it is stale")
    since: Moment = Field(description="its figures are of events since then")
    counted: Counted
    who: Who
    suspended: tuple[Suspended, ...]
    approvals: tuple[Approval, ...]
    figures: tuple[Figure, ...]
    attested: tuple[Attested, ...]
    calibration: tuple[Calibration, ...]
    drift: Drift | None
    incidents: tuple[Incident, ...]
    incidents_left_out: int
    sources: tuple[Source, ...]
    decided_on: DecidedOn | None
    limits: tuple[Limit, ...]
    signatories: tuple[Signatory, ...]
    changed_since: Moment | None = Field(description="the newest approval in force; null without one")
    changes: tuple[Change, ...]
    unjudged: tuple[Unjudged, ...]
    basis: Mapping[str, str] = Field(
        description="digests of what is on record of each part but traffic, by which `seamwatch card --check` tells "
        "whether the record has moved on"
    )


def schema() -> dict[str, Any]:
    """The form of a card's JSON, as JSON Schema."""
    return Card.model_json_schema(mode="serialization")
