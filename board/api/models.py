"""Models of answers: the rows of questions as the API has them, field by field as `--json` of the commands prints them.

Made of the rows themselves, so that neither has a field that the other has not.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, create_model

from board.announced import Unannounced
from board.signing import Draft, Outcome
from sinks.store.questions.acknowledgements import Answer, Asked
from sinks.store.questions.approvals import ApprovalGiven
from sinks.store.questions.decisions import Decided
from sinks.store.questions.drift import Drift
from sinks.store.questions.followups import Owed
from sinks.store.questions.incidents import Incident
from sinks.store.questions.inventory import Running
from sinks.store.questions.ledger import Grown
from sinks.store.questions.owner import Binding, Owner
from sinks.store.questions.published import Published
from sinks.store.questions.readiness import Answer as Ready
from sinks.store.questions.reviews import Review
from sinks.store.questions.rotas import OnCall, Turn
from sinks.store.questions.rows import Micros
from sinks.store.questions.signals import Signals
from sinks.store.questions.signatures import Signature
from sinks.store.questions.stale import StaleDecision
from sinks.store.questions.suspended import SuspendedNow
from sinks.store.questions.tiers import Tiered
from sinks.store.questions.trail import Happened
from sinks.store.questions.unjudged import Looked
from sinks.store.questions.why import Decision

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-03-02T10:00:00.000000Z"])]
"""A time, RFC 3339, UTC."""


class EvidencePlace(BaseModel):
    """An event that shows a violation, and where it is kept."""

    topic: str | None
    partition: int | None
    offset: int | None
    event_id: str


class Episode(BaseModel):
    """A violation in its latest state."""

    violation_id: str
    contract: str
    contract_version: str
    contract_digest: str
    clause: str
    kind: str
    system: str
    slice: str | None
    severity: str
    state: str
    observed: float | None
    limit: float | None
    unit: str | None
    summary: str
    opened_at: Moment
    since: Moment | None
    detected_at: Moment
    person: str | None
    step: int
    acknowledged_at: Moment | None
    acknowledged_by: str | None
    resolved_at: Moment | None
    evidence: list[EvidencePlace]
    unsigned_by: list[str]


class Waited(BaseModel):
    """What was waited for, and for how long."""

    cause: str
    since: Moment
    until: Moment
    seconds: float
    told: str


class PassedStation(BaseModel):
    """A moment of how a violation came to a person, and what was waited for until then."""

    at: Moment
    what: str
    told: str
    waits: list[Waited]


class Lateness(BaseModel):
    """Why a violation opened, and reached a person, when it did."""

    violation_id: str
    answer: str
    stations: list[PassedStation]
    notes: list[str]


class ChangeSignature(BaseModel):
    """One who signed an announcement."""

    person: str
    key_id: str
    signature: str


class AnnouncedChange(BaseModel):
    """What was announced under a change_id, in one content. An answer names it by ``reference``."""

    reference: str
    change_id: str
    system: str
    environment: str | None
    kind: str
    from_value: str | None
    to_value: str | None
    config_digest: str | None
    summary: str
    announced_by: str
    announced_at: Moment
    effective_at: Moment
    signatures: list[ChangeSignature]
    stands: bool = Field(description="whether it was not withdrawn")
    newest: bool = Field(description="whether it is what an answer to the change_id is to")


class Me(BaseModel):
    """Who asks, and what they may."""

    person: str | None
    how: str
    scopes: list[str]
    until: Moment
    everything: bool = Field(description="whether raw bytes, attributes, arguments and SQL may be seen")


def model(row: type[DataclassInstance], name: str, times: Collection[str] = ()) -> type[BaseModel]:
    """The model of a row: its fields, times as RFC 3339 (and those fields) and numbers that are none as null."""
    hints = get_type_hints(row, include_extras=True) | dict.fromkeys(times, Micros)
    told: dict[str, Any] = {each.name: (_told(hints[each.name]), ...) for each in fields(row)}
    made: type[BaseModel] = create_model(name, __doc__=(row.__doc__ or "").split("\n\n")[0], **told)
    return made


def listing(of: type[BaseModel]) -> type[BaseModel]:
    """The model of a page of a list."""
    items: Any = (list[of], ...)  # type: ignore[valid-type]  # a model that is made when the program runs
    following: Any = (str | None, Field(description="the address of the next page; null on the last one"))
    total: Any = (int | None, Field(description="how many there are on all pages; null where that is not counted"))
    made: type[BaseModel] = create_model(
        f"{of.__name__}List", __doc__="A page of a list.", items=items, next=following, total=total
    )
    return made


def without_nan(value: Any) -> Any:
    """A value of JSON, which has no number for what is none."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: without_nan(each) for name, each in value.items()}
    return [without_nan(each) for each in value] if isinstance(value, list) else value


def _told(hint: Any) -> Any:
    """The type of a field in JSON."""
    if hint == Micros:
        return Moment
    if any(arm == Micros for arm in get_args(hint)) and get_origin(hint) is not tuple:
        return Moment | None
    return float | None if hint is float else hint


SUSPENDED: Final = model(SuspendedNow, "Suspended")
SYSTEM: Final = create_model(
    "System",
    __base__=model(Running, "Running"),
    __doc__="A system that was seen in traffic or is declared; empty texts where nothing says more.",
    suspended=(list[SUSPENDED], Field(description="what of it is suspended now")),  # type: ignore[valid-type]
)
TURN: Final = model(Turn, "Turn")
ROTA: Final = create_model(
    "Rota",
    __base__=model(OnCall, "OnCall"),
    __doc__="A rota as it stands at a time, and the turns that come.",
    turns=(list[TURN], Field(description="whose turn comes when")),  # type: ignore[valid-type]
)
OWNER: Final = model(Owner, "Owner")
BINDING: Final = model(Binding, "Binding")
APPROVAL: Final = model(ApprovalGiven, "Approval")
SIGNALS: Final = model(Signals, "Signals")
DRIFT: Final = model(Drift, "Drift")
REVIEW: Final = model(Review, "Review")
DOCUMENT: Final = model(Published, "Document")
SIGNATURE: Final = model(Signature, "Signature")
DECIDED: Final = model(Decided, "DecisionListed")
DECISION: Final = model(Decision, "Decision")
HAPPENED: Final = model(Happened, "TrailEvent")
STALE: Final = model(StaleDecision, "StaleDecision")
ASKED: Final = model(Asked, "Acknowledgement")
INCIDENT: Final = model(Incident, "Incident")
OWED: Final = model(Owed, "Owed")
ANSWER: Final = model(Answer, "Answer")
LEDGER: Final = model(Grown, "Ledger")
READY: Final = model(Ready, "Readiness")
TIERED: Final = model(Tiered, "Tiered")
UNJUDGED: Final = model(Looked, "Unjudged")
UNANNOUNCED: Final = model(Unannounced, "Unannounced", times=("first_seen", "last_seen"))
DRAFT: Final = model(Draft, "Draft")
OUTCOME: Final = model(Outcome, "Outcome")
WHY: Final = create_model(
    "Why",
    __base__=DECISION,
    __doc__="Why a decision was allowed, or was not.",
    why_not=(str | None, Field(description="why no approval covers it; null where one does")),
    basis_gone=(
        list[str],
        Field(description="why the basis of that approval was gone by then; empty where it was not"),
    ),
    signatures=(list[SIGNATURE], ...),  # type: ignore[valid-type]  # a model that is made when the program runs
    violations=(list[Episode], ...),
    attributes=(dict[str, str] | None, Field(description="as recorded; null for who may not see everything")),
    arguments=(dict[str, str] | None, Field(description="the same, of a tool call")),
)
