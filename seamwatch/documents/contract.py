"""Contracts: the agreement about one seam, with its parties, escalation list and clauses.

Clauses are of the kinds in `seamwatch.clauses`, found by their `kind`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, InstanceOf, field_validator, model_validator

from seamwatch.clauses import Clause, kinds
from seamwatch.clauses.review import Review
from seamwatch.documents.fields import ContractVersion, Identifier, Words
from seamwatch.documents.models import Document, Part
from seamwatch.durations import DAY, HOUR, Duration, compact_duration
from seamwatch.instants import Instant

SeamName = Literal["data-to-model", "model-to-product", "product-to-compliance", "agent-pact", "operations"]


class Party(Part):
    """One side of a seam."""

    team: Words | None = Field(None, description="the team", examples=["credit-models"])
    signatory: Identifier | None = Field(
        None, description="the person who signs for it", examples=["owner@example.org"]
    )


class Parties(Part):
    """Both sides of a seam."""

    provider: Party = Field(description="who provides: {team, signatory}")
    consumer: Party = Field(description="who relies on it: {team, signatory}")


class EscalationStep(Part):
    """One step of an escalation list."""

    person: Identifier | None = Field(None, description="who is paged", examples=["owner@example.org"])
    rota: Identifier | None = Field(
        None, description="or the rota of whose members it is who is on call then", examples=["credit-on-call"]
    )
    acknowledge_within: Duration = Field(HOUR, description="until the next person is paged", examples=["15m"])

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.person is None) == (self.rota is None):
            raise ValueError(
                "a step of escalation names a person or a rota"
                + (", and this one both: leave one out" if self.person else ": give one of them")
            )
        return self

    def __str__(self) -> str:
        return self.person or f"rota {self.rota}"


def _clause(value: Any) -> Any:
    if isinstance(value, Clause):
        return value
    if not isinstance(value, Mapping):
        raise ValueError("a clause is a mapping with id and kind")  # noqa: TRY004  pydantic's
    name = value.get("kind")
    if name is None:
        raise ValueError(f"clause {value.get('id')!r} lacks 'kind': it is one of {', '.join(kinds())}")
    kind = kinds().get(name) if isinstance(name, str) else None
    if kind is None:
        close = difflib.get_close_matches(str(name), kinds(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(kinds())}"
        raise ValueError(f"unknown kind {name!r} of clause {value.get('id')!r}: {hint}")
    return kind.model_validate(value)


class Contract(Document):
    """The agreement about one seam."""

    kind_name: ClassVar[str] = "Contract"
    versioned: ClassVar[bool] = True

    kind: Literal["Contract"] = Field("Contract", description="what this document is")
    id: Identifier = Field(description="names the contract", examples=["credit-limits"])
    version: ContractVersion = Field(description="changes whenever the agreement does", examples=["1"])
    seam: SeamName = Field(description="between whom", examples=["model-to-product"])
    effective_from: Instant | None = Field(
        None,
        description="the event time from which this version governs; by default its publication",
        examples=["2026-04-01T00:00:00Z"],
    )
    covers: tuple[Identifier, ...] = Field(
        min_length=1, description="ids of systems; * and ? stand for any characters", examples=[["credit-model"]]
    )
    parties: Parties = Field(description="both sides")
    escalation: tuple[EscalationStep, ...] = Field(
        (),
        description="who is paged, in order; by default the owner",
        examples=[[{"person": "owner@example.org", "acknowledge_within": "15m"}]],
    )
    lateness: Duration | None = Field(
        None,
        description="how long after its time an event may come and still count; by default SEAMWATCH_LATENESS",
        examples=["10m"],
    )
    clauses: tuple[Annotated[InstanceOf[Clause], BeforeValidator(_clause)], ...] = Field(
        min_length=1, description="what is agreed"
    )

    @field_validator("lateness")
    @classmethod
    def _bounded(cls, lateness: int | None) -> int | None:
        if lateness is not None and lateness > DAY:
            raise ValueError(
                f"{compact_duration(lateness)} is more than 1d: every finding that waits for the end of a window would "
                "come so much later"
            )
        return lateness

    @property
    def key(self) -> str:
        """The key under which this version is published."""
        return f"{self.kind_name}/{self.id}@{self.version}"

    @property
    def signatories(self) -> tuple[str, ...]:
        """Who signs for the parties, the provider's first, each once."""
        named = (self.parties.provider.signatory, self.parties.consumer.signatory)
        return tuple(dict.fromkeys(person for person in named if person))

    @cached_property
    def reviewed(self) -> frozenset[str]:
        """Of what it has a clause on scheduled reviews: the system, its runbook and so on."""
        return frozenset(clause.of for clause in self.clauses if isinstance(clause, Review))

    @cached_property
    def on_suspension(self) -> bool:
        """Whether it has a clause on what is suspended."""
        return any(clause.kind_name == "suspension" for clause in self.clauses)

    @cached_property
    def suspends(self) -> bool:
        """Whether a breach of one of its clauses suspends the system."""
        return any(clause.on_breach == "suspend" for clause in self.clauses)

    def covers_system(self, system: str) -> bool:
        """Whether an id or glob of `covers` matches the system's id."""
        return any(fnmatchcase(system, pattern) for pattern in self.covers)
