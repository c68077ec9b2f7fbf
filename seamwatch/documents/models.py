"""Persons and systems: who there is, what runs, who owns it and what was approved.

The documents' shape only; references between documents are checked in `seamwatch.documents.references`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from seamwatch.configuration import digest_of_parts
from seamwatch.documents.baselines import Baseline, Exposure
from seamwatch.documents.fields import Identifier, OneOrMany, Persons, PublicKeyText, VersionText, Words
from seamwatch.documents.parts import Document, Part
from seamwatch.durations import Duration
from seamwatch.errors import UsageError
from seamwatch.incidents import AFTERWARDS
from seamwatch.instants import Instant

__all__ = [
    "Approved",
    "Authority",
    "Benchmark",
    "Document",
    "Part",
    "Person",
    "PublicKeyEntry",
    "Review",
    "Signature",
    "System",
    "Version",
]


class PublicKeyEntry(Part):
    """An Ed25519 public key of a person."""

    key_id: Identifier = Field(description="names the key in signatures", examples=["ada-2026"])
    public: PublicKeyText = Field(
        description="the 32 bytes of the key in base64", examples=["11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]
    )
    not_before: Instant | None = Field(None, description="not valid before", examples=["2026-01-01"])
    revoked_at: Instant | None = Field(None, description="not valid from then on", examples=["2027-01-01"])

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.not_before is not None and self.revoked_at is not None and self.revoked_at <= self.not_before:
            raise ValueError("revoked_at is not after not_before: the key would never be valid")
        return self


class Person(Document):
    """Somebody who owns, signs, acknowledges or is paged."""

    kind_name: ClassVar[str] = "Person"

    kind: Literal["Person"] = Field("Person", description="what this document is")
    id: Identifier = Field(description="names the person everywhere", examples=["owner@example.org"])
    name: Words = Field(description="as colleagues know them", examples=["Example Owner"])
    channels: tuple[Words, ...] = Field(
        (),
        description="where pages go: URLs; ${SEAMWATCH_CHANNEL_…} is taken from the pager's environment",
        examples=[["mailto://${SEAMWATCH_CHANNEL_SMTP_USER}:${SEAMWATCH_CHANNEL_SMTP_PASSWORD}@example.org"]],
    )
    told_of: tuple[Literal["again", "escalated", "acknowledged", "resolved"], ...] = Field(
        AFTERWARDS,
        description="what they hear of what they were paged about: that nobody has taken it on yet (again), that the "
        "next person must act (escalated), who takes it on (acknowledged), that it is over (resolved)",
        examples=[["acknowledged", "resolved"]],
    )
    keys: tuple[PublicKeyEntry, ...] = Field(
        (),
        description="public keys; with any, acknowledgements must be signed",
        examples=[[{"key_id": "owner-2026", "public": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}]],
    )
    roles: tuple[Literal["auditor", "operator", "relay"], ...] = Field(
        (),
        description="what they may see and do beside their own: an auditor sees all that is on record on the board; a "
        "relay, which is a program, sends what people answered at other services, signed by its keys",
        examples=[["auditor"]],
    )
    identities: Mapping[Identifier, Words] = Field(
        {},
        description="the id by which each service knows them, by its name: what is answered there is their answer",
        examples=[{"pagerduty": "PXPGF42", "slack": "U02EXAMPLE"}],
    )
    team: Words | None = Field(
        None,
        description="their team: where the board has a store for it, they see the systems of that team alone",
        examples=["credit-models"],
    )
    vouched_by: Identifier | None = Field(
        None,
        description="the person who may sign that these keys change, when the old ones are lost",
        examples=["owner@example.org"],
    )


class Review(Part):
    """A scheduled review."""

    every: Duration = Field(description="how often", examples=["90d"])
    by: Persons = Field(
        min_length=1, description="the person who reviews, or several, who all must", examples=["owner@example.org"]
    )
    last: Instant | None = Field(None, description="when it was last done", examples=["2026-01-15"])


class Benchmark(Part):
    """A metric with a threshold, as measured before hand-over."""

    metric: Words = Field(description="what is measured", examples=["auc"])
    min: float | None = Field(None, description="must be at least", examples=[0.8])
    max: float | None = Field(None, description="must be at most", examples=[0.1])

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError(f"metric {self.metric!r} has no threshold: give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: turn them round")
        return self


class Signature(Part):
    """A person's signature, by one of their keys."""

    person: Identifier = Field(description="who signed")
    key_id: Identifier = Field(description="with which key")
    signature: Words = Field(description="the signature in base64")


class Approved(Part):
    """One use case for which a version was approved."""

    id: Identifier = Field(description="names the approval", examples=["CR-21"])
    use_case: Words = Field(description="for what", examples=["credit-limit"])
    approved_by: Identifier | None = Field(None, description="the person who approved", examples=["owner@example.org"])
    co_approvers: Persons = Field(
        (), description="who approved it beside them, where a risk policy asks for several; who has keys signs as well"
    )
    approved_at: Instant | None = Field(None, description="in force from", examples=["2026-01-15T09:00:00Z"])
    expires: Instant | None = Field(None, description="in force until", examples=["2027-01-15"])
    revoked_at: Instant | None = Field(
        None, description="not in force from then on, whatever it expires", examples=["2026-06-01T09:00:00Z"]
    )
    baseline: Baseline | None = Field(
        None,
        description="what it is pinned on: {evaluated_at, metrics, reference, config_digest}; signed with it",
        examples=[{"evaluated_at": "2026-01-10", "metrics": {"gini": 0.61}}],
    )
    evidence: Words | None = Field(
        None, description="where the reasons are kept", examples=["https://example.org/CR-21"]
    )
    signatures: tuple[Signature, ...] = Field((), description="signatures under it: {person, key_id, signature}")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.approved_at is not None and self.expires is not None and self.expires <= self.approved_at:
            raise ValueError("expires is not after approved_at: the approval would never be in force")
        return self


class Version(Part):
    """One version of a system, with the configuration that belongs to it."""

    version: VersionText = Field(description="as the serving process names it", examples=["2.1"])
    config_digest: VersionText | None = Field(
        None, description="digest of prompt, retrieval and tool configuration", examples=["sha256:7b1258617a887fc9"]
    )
    config: Mapping[str, VersionText] = Field(
        {},
        description="the digest of each part that config_digest is made of, by name; `seamwatch config digest --yaml` "
        "prints both",
    )
    approvals: tuple[Approved, ...] = Field((), description="use cases it is approved for")

    @model_validator(mode="after")
    def _made_of_its_parts(self) -> Self:
        if self.config:
            try:
                made = digest_of_parts(self.config)
            except UsageError as error:
                raise ValueError(f"config: {error}") from None
            if self.config_digest != made:
                raise ValueError(f"config_digest is not that of the parts in config, which is {made}")
        return self


class Authority(Part):
    """Who may suspend a system, and who may resume it."""

    suspend: tuple[Identifier, ...] = Field(
        (), description="the persons who may suspend it; the owner when absent", examples=[["owner@example.org"]]
    )
    resume: tuple[Identifier, ...] = Field(
        (), description="the persons who may resume it; the owner when absent", examples=[["owner@example.org"]]
    )


class System(Document):
    """A model, agent, dataset or pipeline that runs, and who answers for it."""

    kind_name: ClassVar[str] = "System"

    kind: Literal["System"] = Field("System", description="what this document is")
    id: Identifier = Field(description="the `system` of its events", examples=["credit-model"])
    type: Literal["model", "agent", "dataset", "pipeline"] = Field(description="what it is", examples=["model"])
    owner: Identifier = Field(description="the person who answers for it; not a team", examples=["owner@example.org"])
    team: Words | None = Field(None, description="the owner's team", examples=["credit-models"])
    purpose: Words | None = Field(
        None,
        description="what it is for, in a sentence",
        examples=["ranks applications by the probability that they are repaid"],
    )
    not_for: OneOrMany = Field((), description="what it is not for", examples=[["refusing anybody without a person"]])
    use_cases: tuple[Words, ...] = Field((), description="what it is used for", examples=[["credit-limit"]])
    risk_tier: Words | None = Field(
        None,
        description="its tier in the risk policy, which holds it to what the tier demands; without a policy any text",
        examples=["high"],
    )
    exposure: Exposure | None = Field(
        None,
        description="what is at stake with it at most: {amount, currency, per}; a tier may limit it",
        examples=[{"amount": 250_000, "currency": "EUR", "per": "day"}],
    )
    runbook: Words | None = Field(
        None, description="what to do when it fails", examples=["https://example.org/runbook"]
    )
    lineage: OneOrMany = Field((), description="lineage map, or the sources", examples=["https://example.org/lineage"])
    monitoring_agreement: Words | None = Field(
        None, description="who watches what, agreed", examples=["https://example.org/monitoring"]
    )
    registry_entry: Words | None = Field(None, description="entry in the risk registry", examples=["RISK-112"])
    review: Review | None = Field(
        None,
        description="the scheduled review: {every, by, last}",
        examples=[{"every": "90d", "by": "owner@example.org"}],
    )
    runbook_review: Review | None = Field(
        None,
        description="the scheduled review of the runbook, a point of its own: {every, by, last}",
        examples=[{"every": "180d", "by": "owner@example.org"}],
    )
    benchmark: tuple[Benchmark, ...] = Field(
        (), description="metrics with thresholds, as handed over", examples=[[{"metric": "auc", "min": 0.8}]]
    )
    versions: tuple[Version, ...] = Field(
        (),
        description="versions that may serve, and what each is approved for",
        examples=[
            [
                {
                    "version": "2.1",
                    "approvals": [{"id": "CR-21", "use_case": "credit-limit", "approved_by": "owner@example.org"}],
                }
            ]
        ],
    )
    approvers: tuple[Identifier, ...] = Field(
        (),
        description="the persons who may approve its versions; without it anybody of the documents but the owner",
        examples=[["owner@example.org"]],
    )
    authority: Authority | None = Field(
        None,
        description="who may suspend it, and who may resume it: {suspend: [persons], resume: [persons]}; the owner by "
        "default",
        examples=[{"suspend": ["owner@example.org"], "resume": ["owner@example.org"]}],
    )
    depends_on: tuple[Identifier, ...] = Field((), description="systems it is fed by", examples=[["credit-features"]])
    labels: Mapping[str, Words] = Field({}, description="anything else, as text", examples=[{"region": "example"}])
