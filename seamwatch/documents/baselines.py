"""Baselines and exposures: what an approval is pinned on, and how much money is at stake. The documents' shape only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from seamwatch.documents.fields import VersionText, Words
from seamwatch.documents.parts import Part
from seamwatch.instants import Instant


class Period(Part):
    """A period of time."""

    since: Instant = Field(alias="from", description="its beginning", examples=["2026-01-01"])
    to: Instant = Field(description="its end", examples=["2026-02-01"])

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.to <= self.since:
            raise ValueError("to is not after from")
        return self


class Reference(Part):
    """What the distribution was taken from that an approval rests on: a period of traffic, or a file by its digest."""

    period: Period | None = Field(None, description="the period: {from, to}")
    digest: VersionText | None = Field(None, description="digest of a file, as sha256sum gives it")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.period is None) == (self.digest is None):
            raise ValueError("reference is a period or a digest: give one")
        return self


class Baseline(Part):
    """What an approval is pinned on, as it was evaluated before."""

    evaluated_at: Instant = Field(description="when it was evaluated", examples=["2026-01-10"])
    metrics: Mapping[Words, Annotated[float, Field(allow_inf_nan=False)]] = Field(
        min_length=1, description="the value of each metric", examples=[{"gini": 0.61}]
    )
    reference: Reference | None = Field(
        None, description="what the distribution was taken from: {period: {from, to}} or {digest}"
    )
    config_digest: VersionText | None = Field(None, description="the digest of the configuration that was evaluated")


class Exposure(Part):
    """An amount of money in a span."""

    amount: float = Field(ge=0, allow_inf_nan=False, description="how much", examples=[250_000])
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(
        description="in which currency, by its ISO 4217 code", examples=["EUR"]
    )
    per: Literal["decision", "day", "month", "year"] = Field(description="in which span", examples=["day"])

    def __str__(self) -> str:
        return f"{self.amount:,.15g} {self.currency} per {self.per}"
