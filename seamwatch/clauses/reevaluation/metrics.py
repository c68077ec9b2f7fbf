"""The metrics of the clause `reevaluation`: what is agreed of each, and which values are worse than that. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from seamwatch.clauses.reevaluation import words
from seamwatch.judging.model.facts import Evidence
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.baselines import pinned_value
from seamwatch.judging.patterns.faults import Fault


class Metric(BaseModel):
    """What must hold of a metric when it is measured again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str = Field(min_length=1, max_length=200, description="the metric, as baselines and attestations name it")
    min: float | None = Field(None, allow_inf_nan=False, description="lowest value")
    max: float | None = Field(None, allow_inf_nan=False, description="highest value")
    tolerance: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="how much worse than the baseline it may be"
    )
    better: Literal["higher", "lower"] = Field("higher", description="which way is better, for `tolerance`")

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: turn them round")
        return self


def compared(
    seam: Seam, metrics: Iterable[Metric], given: Mapping[str, float], evidence: Evidence
) -> tuple[list[Fault], list[Fault]]:
    """The values that are worse than agreed, and those that could not be compared, of an evaluation."""
    worse: list[Fault] = []
    unknown: list[Fault] = []
    at = evidence.event_time
    for agreed in metrics:
        value = given[agreed.metric]
        limits: list[tuple[str, float | None, str | None]] = [("least", agreed.min, None), ("most", agreed.max, None)]
        if agreed.tolerance is not None:
            pinned = pinned_value(seam.versions, agreed.metric, at)
            if pinned is None:
                text = words.incomparable(seam, agreed.metric, value, at)
                unknown.append(Fault(text, (evidence,), agreed.metric, "baseline", value))
            elif agreed.better == "higher":
                limits.append(("least", _rounded(pinned.value - agreed.tolerance), pinned.approval_id))
            else:
                limits.append(("most", _rounded(pinned.value + agreed.tolerance), pinned.approval_id))
        for word, limit, approval in limits:
            if limit is not None and (value < limit if word == "least" else value > limit):
                text = words.worse(seam, agreed.metric, value, limit, word, at, approval)
                worse.append(Fault(text, (evidence,), agreed.metric, word, value, limit))
                break
    return worse, unknown


def _rounded(value: float) -> float:
    """Without what binary fractions add: 0.61 - 0.02 is 0.59, which a value of 0.59 is not under."""
    return float(f"{value:.12g}")
