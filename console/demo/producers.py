"""The estate: what each producer of the demo publishes, and the faults that befall it.

Each producer is an iterator of events in time order, the same for the same origin; it goes on for some days after
the last story. Scores come from the trained
models, an hour of customers at a time; the agent's calls are real ones (see `data/NOTICE`). Every fault is a cause,
never a made-up symptom: a feed that no longer refreshes, a supplier with other units, a provider that serves another
model, a tool server with a new tool, a configuration that nobody announced. Nothing here waits or sends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from console.demo import timeline
from console.demo.agent import events as order_desk
from console.demo.changes import changes
from console.demo.configurations import (
    ASSISTANT,
    ASSISTANT_ANNOUNCED,
    CREDIT,
    CREDIT_ANNOUNCED,
    CREDIT_SLIPPED,
    ELIGIBILITY,
    RENEWALS,
    Configuration,
    digest,
)
from console.demo.models import Floats, Models, Served, in_centimetres
from console.demo.planned import Planned, planned
from seamwatch.durations import HOUR, MINUTE
from seamwatch.wire.events import DatasetRefresh, Inference

PER_HOUR = {
    "eligibility-model": 30,
    "credit-model": 104,
    "renewals-model": 42,
    "claims-assistant": 104,
    "price-experiment": 4,
}
"""Decisions in an hour of the history (0.21 s on the wall)."""

AGE: Final = 2 * HOUR
"""How old a data set's newest data are when it is published."""


@dataclass(frozen=True, slots=True)
class Producer:
    """A service of the estate: its name and everything it will publish."""

    name: str
    events: Iterator[Planned]


def estate(origin: int, models: Models) -> list[Producer]:
    """Every producer of the demo, for a history that begins at ``origin`` (microseconds)."""
    eligibility = _refreshes(origin, "eligibility-features", "claims-warehouse", _eligibility_feed())
    credit = _refreshes(origin, "credit-features", "bureau-export", _daily())
    renewals = _refreshes(origin, "renewals-features", "policy-register", _daily())
    return [
        Producer("eligibility-feed", iter(eligibility)),
        Producer("credit-feed", iter(credit)),
        Producer("renewals-feed", iter(renewals)),
        Producer("eligibility-service", _eligibility(origin, models, eligibility)),
        Producer("credit-service", _credit(origin, models, credit)),
        Producer("renewals-service", _renewals(origin, models, renewals)),
        Producer("assistant-gateway", _assistant(origin, models)),
        Producer("order-desk", order_desk(origin)),
        Producer("laptop", _squatter(origin, models)),
        Producer("change-desk", iter(changes(origin))),
    ]


# Data sets


def _daily() -> list[float]:
    return [day + 0.02 for day in range(int(timeline.LENGTH_DAYS + timeline.TAIL_DAYS) + 1)]


def _eligibility_feed() -> list[float]:
    # Nine days without a refresh, then the feed is mended.
    kept = [day for day in _daily() if not timeline.FEED_STOPS < day <= timeline.FEED_RETURNS]
    return sorted([*kept, timeline.FEED_RETURNS])


def _refreshes(origin: int, dataset: str, source: str, days: list[float]) -> list[Planned]:
    found = []
    for number, day in enumerate(days):
        when = timeline.at(origin, day)
        fields = {
            "system": dataset,
            "version": f"{number + 1}",
            "data_as_of": when - AGE,
            "row_count": 10_000 + 37 * number,
            "sources": [source],
        }
        found.append(planned(DatasetRefresh, f"{dataset}/{number}", when, f"{dataset}-feed", fields))
    return found


def _newest(refreshes: list[Planned], when: int) -> int | None:
    # A service picks a refresh up ten minutes after it was published.
    known = [refresh.at - AGE for refresh in refreshes if refresh.at + 10 * MINUTE <= when]
    return known[-1] if known else None


# Models behind services of our own


@dataclass(frozen=True, slots=True)
class Case:
    """One decision to be made: when, on which row (as it arrived), and the model's score."""

    when: int
    row: Floats
    score: float


def _eligibility(origin: int, models: Models, refreshes: list[Planned]) -> Iterator[Planned]:
    def describe(case: Case) -> dict[str, Any]:
        return {
            "version": "3.0",
            "config_digest": digest(ELIGIBILITY),
            "use_case": "benefit-eligibility",
            "decision": "eligible" if case.score >= ELIGIBILITY["threshold"] else "refer",
            "data_as_of": _newest(refreshes, case.when),
            "cohort": "A" if case.row[1] < 1.5 else "B",
        }

    served = models.eligibility
    yield from _decisions(origin, "eligibility-model", "eligibility-service", lambda _: (served, None), describe)


def _credit(origin: int, models: Models, refreshes: list[Planned]) -> Iterator[Planned]:
    effective = timeline.at(origin, timeline.THRESHOLD_EFFECTIVE)
    slipped = timeline.at(origin, timeline.THRESHOLD_SLIPPED)
    supplier = timeline.at(origin, timeline.UNITS_CHANGE) + 10 * MINUTE

    def configuration(when: int) -> Configuration:
        if when < effective:
            return CREDIT
        return CREDIT_ANNOUNCED if when < slipped else CREDIT_SLIPPED

    def serving(when: int) -> tuple[Served, Callable[[Floats], Floats] | None]:
        return models.credit, in_centimetres if when >= supplier else None

    def describe(case: Case) -> dict[str, Any]:
        current = configuration(case.when)
        return {
            "version": "2.1" if case.when < effective else "2.2",
            "config_digest": digest(current),
            "use_case": "credit-limit",
            "decision": "grant" if case.score >= current["threshold"] else "decline",
            "data_as_of": _newest(refreshes, case.when),
        }

    yield from _decisions(origin, "credit-model", "credit-service", serving, describe)


def _renewals(origin: int, models: Models, refreshes: list[Planned]) -> Iterator[Planned]:
    def describe(case: Case) -> dict[str, Any]:
        return {
            "version": "1.4",
            "config_digest": digest(RENEWALS),
            "use_case": "renewal-offer",
            "decision": "offer" if case.score >= RENEWALS["threshold"] else "standard",
            "data_as_of": _newest(refreshes, case.when),
        }

    served = models.renewals
    yield from _decisions(origin, "renewals-model", "renewals-service", lambda _: (served, None), describe)


def _assistant(origin: int, models: Models) -> Iterator[Planned]:
    swapped = timeline.at(origin, timeline.MODEL_SWAPPED)
    effective = timeline.at(origin, timeline.PROMPT_EFFECTIVE)

    def serving(when: int) -> tuple[Served, None]:
        # The provider's doing: its name for the model stays what it was.
        return (models.assistant if when < swapped else models.swapped), None

    def describe(case: Case) -> dict[str, Any]:
        return {
            "version": "provider/large",
            "config_digest": digest(ASSISTANT if case.when < effective else ASSISTANT_ANNOUNCED),
            "use_case": "claim-questions",
            "confidence": case.score,
            "decision": "answer" if case.score >= 0.3 else "hand-over",
        }

    yield from _decisions(origin, "claims-assistant", "assistant-gateway", serving, describe)


def _squatter(origin: int, models: Models) -> Iterator[Planned]:
    def describe(case: Case) -> dict[str, Any]:
        return {"version": "try-2", "use_case": "pricing", "decision": "up" if case.score > 0.5 else "down"}

    served = models.renewals
    yield from _decisions(
        origin, "price-experiment", "laptop", lambda _: (served, None), describe, start=timeline.SQUATTER_STARTS
    )


def _decisions(
    origin: int,
    system: str,
    producer: str,
    serving: Callable[[int], tuple[Served, Callable[[Floats], Floats] | None]],
    describe: Callable[[Case], dict[str, Any]],
    start: float = 0.0,
) -> Iterator[Planned]:
    random = np.random.default_rng(_seed(system))
    count = PER_HOUR[system]
    first, end = timeline.at(origin, start), timeline.at(origin, timeline.LENGTH_DAYS + timeline.TAIL_DAYS)
    number = 0
    for hour in range(first, end, HOUR):
        served, arrives = serving(hour)
        rows = served.draw(random, count)
        scores = served.score(rows if arrives is None else arrives(rows))
        latencies = np.round(20 * np.exp(0.3 * random.standard_normal(count)), 2)
        times = hour + np.sort(random.integers(0, HOUR, count))
        for row, score, latency, when in zip(rows, scores, latencies, times, strict=True):
            if when >= end:
                return
            rounded = round(float(score), 6)
            fields = {
                "system": system,
                "subject": f"subject-{int(random.integers(0, 40_000)):05d}",
                "score": rounded,
                "latency_ms": float(latency),
                **describe(Case(int(when), row, rounded)),
            }
            yield planned(Inference, f"{system}/{number}", int(when), producer, fields)
            number += 1


def _seed(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
