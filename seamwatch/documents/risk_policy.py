"""Risk policies: tiers of risk, and what each demands of the systems that name it.

The documents' shape only. Which version is in force when is `seamwatch.documents.tiers`'s to say, and whether a system
holds to its tier `seamwatch.documents.holding`'s.
"""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from seamwatch.documents.baselines import Exposure
from seamwatch.documents.fields import ContractVersion, Identifier, Persons, Words
from seamwatch.documents.parts import Document, Part
from seamwatch.durations import Duration
from seamwatch.instants import Instant

AiActClass = Literal["prohibited", "high-risk-annex-iii", "high-risk-annex-i", "transparency", "gpai", "minimal"]


class Approvers(Part):
    """Persons of whom some must approve."""

    at_least: int = Field(1, ge=1, le=100, description="how many of them", examples=[2])
    of: Persons = Field(
        (), description="which persons; by default whoever may approve the system", examples=[["owner@example.org"]]
    )

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if len(set(self.of)) != len(self.of):
            raise ValueError("of: somebody is listed twice")
        if self.of and self.at_least > len(self.of):
            raise ValueError(
                f"at_least {self.at_least} of {len(self.of)} persons can never be: list more, or ask fewer"
            )
        return self

    def __str__(self) -> str:
        if not self.of:
            return "1 person" if self.at_least == 1 else f"{self.at_least} persons"
        return ", ".join(self.of) if len(self.of) == self.at_least else f"{self.at_least} of {', '.join(self.of)}"


class Tier(Part):
    """What is demanded of the systems of one tier."""

    tier: Words = Field(description="its name, by which a System names it as `risk_tier`", examples=["high"])
    ai_act: AiActClass | None = Field(
        None,
        description="the class of its systems under Regulation (EU) 2024/1689, as you judge it; in a `prohibited` one "
        "no approval counts",
        examples=["high-risk-annex-iii"],
    )
    up_to: Exposure | None = Field(
        None,
        description="how much may be at stake with a system of it at most",
        examples=[{"amount": 500_000, "currency": "EUR", "per": "day"}],
    )
    approvals: tuple[Approvers, ...] = Field(
        (),
        description="who must approve each version for each use case: every line of {at_least, of}",
        examples=[[{"at_least": 1, "of": ["owner@example.org"]}]],
    )
    clauses: tuple[Identifier, ...] = Field(
        (), description="kinds of clauses that contracts must agree on for it", examples=[["approval", "human_review"]]
    )
    review_every: Duration | None = Field(None, description="how often it is reviewed at least", examples=["90d"])


class RiskPolicy(Document):
    """Tiers of risk, and what each demands of the systems that name it."""

    kind_name: ClassVar[str] = "RiskPolicy"
    versioned: ClassVar[bool] = True

    kind: Literal["RiskPolicy"] = Field("RiskPolicy", description="what this document is")
    id: Identifier = Field(description="names the policy", examples=["model-risk"])
    version: ContractVersion = Field(description="changes whenever the policy does", examples=["1"])
    effective_from: Instant = Field(
        description="the event time from which this version is in force, until the next one is",
        examples=["2026-04-01T00:00:00Z"],
    )
    signatories: Persons = Field(
        min_length=1, description="who signs it, all of them", examples=[["owner@example.org"]]
    )
    tiers: tuple[Tier, ...] = Field(
        min_length=1, description="what is demanded of whom", examples=[[{"tier": "high", "clauses": ["approval"]}]]
    )

    @property
    def key(self) -> str:
        """The key under which this version is published."""
        return f"{self.kind_name}/{self.id}@{self.version}"
