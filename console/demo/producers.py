"""The estate: what each producer of the demo publishes, and the faults that befall it.

Each producer is an iterator of events in time order, the same for the same origin. Scores come from the trained
models, an hour of customers at a time; the agent's calls are real ones (see `data/NOTICE`). Every fault is a cause,
never a made-up symptom: a feed that no longer refreshes, a supplier with other units, a provider that serves another
model, a tool server with a new tool, a configuration that nobody announced. Nothing here waits or sends.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from console.demo import timeline
from console.demo.identities import event_id
from console.demo.models import Floats, Models, Served, in_centimetres
from seamwatch.durations import HOUR, MINUTE

PER_HOUR = {
    "eligibility-model": 30,
    "credit-model": 104,
    "renewals-model": 42,
    "claims-assistant": 104,
    "price-experiment": 4,
}
"""Decisions in an hour of the history (0.21 s on the wall)."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One event to be published at ``at``; ``record`` holds its fields, event_time among them."""

    at: int
    type: str
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Producer:
    """A service of the estate: its name and everything it will publish."""

    name: str
    events: Iterator[Planned]


def digest(configuration: Mapping[str, Any]) -> str:
    """What a service reports as its configuration: SHA-256 over its canonical JSON, shortened for reading."""
    text = json.dumps(configuration, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()[:16]


ELIGIBILITY = {"threshold": 0.5, "features": "eligibility-features"}
CREDIT = {"threshold": 0.50, "features": "credit-features"}
CREDIT_ANNOUNCED = {"threshold": 0.60, "features": "credit-features"}
CREDIT_SLIPPED = {"threshold": 0.35, "features": "credit-features"}
RENEWALS = {"threshold": 0.4, "features": "renewals-features"}
ASSISTANT = {"prompt": "Answer from the policy's text.", "model": "provider/large"}
ASSISTANT_ANNOUNCED = {"prompt": "Answer from the policy's text, and name the clause.", "model": "provider/large"}
AGENT = {"tools": "order-desk/3", "prompt": "Help with orders; change only what the customer asks for."}


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
        Producer("order-desk", _agent(origin)),
        Producer("laptop", _squatter(origin, models)),
        Producer("change-desk", iter(_changes(origin))),
    ]


# Data sets


def _daily() -> list[float]:
    return [day + 0.02 for day in range(int(timeline.LENGTH_DAYS) + 1)]


def _eligibility_feed() -> list[float]:
    # Nine days without a refresh, then the feed is mended.
    return [day for day in _daily() if day <= timeline.FEED_STOPS] + [timeline.FEED_RETURNS]


def _refreshes(origin: int, dataset: str, source: str, days: list[float]) -> list[Planned]:
    found = []
    for number, day in enumerate(days):
        when = timeline.at(origin, day)
        record = {
            "system": dataset,
            "version": f"{number + 1}",
            "data_as_of": when - 2 * HOUR,
            "row_count": 10_000 + 37 * number,
            "sources": [source],
        }
        found.append(_event(f"{dataset}/{number}", "dataset_refresh", when, f"{dataset}-feed", record))
    return found


def _newest(refreshes: list[Planned], when: int) -> int | None:
    # A service picks a refresh up ten minutes after it was published.
    known = [int(r.record["data_as_of"]) for r in refreshes if r.at + 10 * MINUTE <= when]
    return known[-1] if known else None


# Models behind services of our own

Configuration = Mapping[str, Any]


def _eligibility(origin: int, models: Models, refreshes: list[Planned]) -> Iterator[Planned]:
    def describe(when: int, row: Floats, score: float) -> dict[str, Any]:
        return {
            "version": "3.0",
            "config_digest": digest(ELIGIBILITY),
            "use_case": "benefit-eligibility",
            "decision": "eligible" if score >= ELIGIBILITY["threshold"] else "refer",
            "data_as_of": _newest(refreshes, when),
            "cohort": "A" if row[1] < 1.5 else "B",
        }

    served = models.eligibility
    yield from _decisions(origin, "eligibility-model", "eligibility-service", lambda _: (served, None), describe)


def _credit(origin: int, models: Models, refreshes: list[Planned]) -> Iterator[Planned]:
    effective = timeline.at(origin, timeline.THRESHOLD_EFFECTIVE)
    slipped = timeline.at(origin, timeline.THRESHOLD_SLIPPED)
    supplier = timeline.at(origin, timeline.UNITS_CHANGE) + 10 * MINUTE

    def configuration(when: int) -> dict[str, Any]:
        if when < effective:
            return CREDIT
        return CREDIT_ANNOUNCED if when < slipped else CREDIT_SLIPPED

    def serving(when: int) -> tuple[Served, Callable[[Floats], Floats] | None]:
        return models.credit, in_centimetres if when >= supplier else None

    def describe(when: int, row: Floats, score: float) -> dict[str, Any]:
        current = configuration(when)
        return {
            "version": "2.1" if when < effective else "2.2",
            "config_digest": digest(current),
            "use_case": "credit-limit",
            "decision": "grant" if score >= current["threshold"] else "decline",
            "data_as_of": _newest(refreshes, when),
        }

    yield from _decisions(origin, "credit-model", "credit-service", serving, describe)


def _renewals(origin: int, models: Models, refreshes: list[Planned]) -> Iterator[Planned]:
    def describe(when: int, row: Floats, score: float) -> dict[str, Any]:
        return {
            "version": "1.4",
            "config_digest": digest(RENEWALS),
            "use_case": "renewal-offer",
            "decision": "offer" if score >= RENEWALS["threshold"] else "standard",
            "data_as_of": _newest(refreshes, when),
        }

    served = models.renewals
    yield from _decisions(origin, "renewals-model", "renewals-service", lambda _: (served, None), describe)


def _assistant(origin: int, models: Models) -> Iterator[Planned]:
    swapped = timeline.at(origin, timeline.MODEL_SWAPPED)
    effective = timeline.at(origin, timeline.PROMPT_EFFECTIVE)

    def serving(when: int) -> tuple[Served, None]:
        # The provider's doing: its name for the model stays what it was.
        return (models.assistant if when < swapped else models.swapped), None

    def describe(when: int, row: Floats, score: float) -> dict[str, Any]:
        return {
            "version": "provider/large",
            "config_digest": digest(ASSISTANT if when < effective else ASSISTANT_ANNOUNCED),
            "use_case": "claim-questions",
            "confidence": score,
            "decision": "answer" if score >= 0.3 else "hand-over",
        }

    yield from _decisions(origin, "claims-assistant", "assistant-gateway", serving, describe)


def _squatter(origin: int, models: Models) -> Iterator[Planned]:
    def describe(when: int, row: Floats, score: float) -> dict[str, Any]:
        return {"version": "try-2", "use_case": "pricing", "decision": "up" if score > 0.5 else "down"}

    served = models.renewals
    yield from _decisions(
        origin, "price-experiment", "laptop", lambda _: (served, None), describe, start=timeline.SQUATTER_STARTS
    )


def _decisions(
    origin: int,
    system: str,
    producer: str,
    serving: Callable[[int], tuple[Served, Callable[[Floats], Floats] | None]],
    describe: Callable[[int, Floats, float], dict[str, Any]],
    start: float = 0.0,
) -> Iterator[Planned]:
    random = np.random.default_rng(_seed(system))
    count = PER_HOUR[system]
    first, end = timeline.at(origin, start), timeline.at(origin, timeline.LENGTH_DAYS)
    number = 0
    for hour in range(first, end, HOUR):
        served, arrives = serving(hour)
        rows = served.draw(random, count)
        scores = served.score(rows if arrives is None else arrives(rows))
        latencies = np.round(20 * np.exp(0.3 * random.standard_normal(count)), 2)
        times = hour + np.sort(random.integers(0, HOUR, count))
        for row, score, latency, when in zip(rows, scores, latencies, times, strict=True):
            rounded = round(float(score), 6)
            record = {
                "system": system,
                "subject": f"subject-{int(random.integers(0, 40_000)):05d}",
                "score": rounded,
                "latency_ms": float(latency),
                **describe(int(when), row, rounded),
            }
            yield _event(f"{system}/{number}", "inference", int(when), producer, record)
            number += 1


# The agent


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call as the agent makes it; ``strays`` when a fault took it outside what was agreed."""

    conversation: str
    step: int
    at: int
    tool: str
    arguments: dict[str, Any]
    strays: bool


def calls(origin: int) -> Iterator[Call]:
    """The agent's calls in time order: the real ones, and what the faults make of some of them.

    From ``TOOL_APPEARS`` its tool server offers ``issue_store_credit``, and the agent takes it for returns of four
    items or more. During ``PROMPT_EDIT`` it passes on the customer's own reason for a cancellation.
    """
    text = (resources.files("console.demo") / "data" / "retail-agent-calls.ndjson").read_text("utf-8")
    real = [json.loads(line) for line in text.splitlines()]
    conversations = list(dict.fromkeys(call["conversation"] for call in real))
    spacing = timeline.LENGTH_DAYS / len(conversations)
    starts = {name: timeline.at(origin, (index + 0.5) * spacing) for index, name in enumerate(conversations)}
    edit_from, edit_to = (timeline.at(origin, day) for day in timeline.PROMPT_EDIT)
    for call in real:
        when = starts[call["conversation"]] + call["step"] * MINUTE
        tool, arguments = call["tool"], call["arguments"]
        returns = tool == "return_delivered_order_items" and len(arguments["item_ids"]) >= 4
        credits = returns and when >= timeline.at(origin, timeline.TOOL_APPEARS)
        quotes = tool == "cancel_pending_order" and edit_from <= when < edit_to
        if credits:
            tool = "issue_store_credit"
        if quotes:
            arguments = arguments | {"reason": "found it cheaper elsewhere"}
        yield Call(call["conversation"], call["step"], when, tool, arguments, credits or quotes)


def _agent(origin: int) -> Iterator[Planned]:
    for call in calls(origin):
        record = {
            "system": "order-agent",
            "version": "7",
            "config_digest": digest(AGENT),
            "trace_id": call.conversation,
            "tool": call.tool,
            "arguments": json.dumps(call.arguments, sort_keys=True),
            "resource": call.arguments["order_id"],
            "authorisation": "customer-request",
            "decision": "allowed",
            "outcome": "ok",
        }
        yield _event(f"order-agent/{call.conversation}/{call.step}", "tool_call", call.at, "order-desk", record)


# Changes and the answers to them


def _changes(origin: int) -> list[Planned]:
    def day(days: float) -> int:
        return timeline.at(origin, days)

    threshold = {
        "system": "credit-model",
        "change_id": "credit-threshold-60",
        "kind": "threshold",
        "from_value": "0.50",
        "to_value": "0.60",
        "config_digest": digest(CREDIT_ANNOUNCED),
        "effective_at": day(timeline.THRESHOLD_EFFECTIVE),
        "summary": "Grant a limit from a score of 0.60, no longer from 0.50",
        "announced_by": "pia@example.org",
    }
    prompt = {
        "system": "claims-assistant",
        "change_id": "assistant-names-clause",
        "kind": "prompt",
        "config_digest": digest(ASSISTANT_ANNOUNCED),
        "effective_at": day(timeline.PROMPT_EFFECTIVE),
        "summary": "Answers name the clause of the policy",
        "announced_by": "pia@example.org",
    }
    planned = [
        _event("change/threshold", "config_change", day(timeline.CHANGE_ANNOUNCED), "change-desk", threshold),
        _answer("credit-model", "credit-threshold-60", "lena@example.org", "accept", day(timeline.LEAD_ACCEPTS)),
        _event("change/prompt", "config_change", day(timeline.PROMPT_ANNOUNCED), "change-desk", prompt),
        _answer("credit-model", "credit-threshold-60", "cora@example.org", "object", day(timeline.COMPLIANCE_OBJECTS)),
        _answer("claims-assistant", "assistant-names-clause", "amir@example.org", "accept",
                day(timeline.PROMPT_ACCEPTED)),
        _answer("credit-model", "credit-threshold-60", "rosa@example.org", "accept", day(timeline.RISK_ANSWERS_LATE)),
    ]
    return sorted(planned, key=lambda event: event.at)


def _answer(system: str, change: str, person: str, answer: str, when: int) -> Planned:
    record = {"system": system, "of": "change", "reference": change, "person": person, "answer": answer}
    return _event(f"answer/{change}/{person}", "acknowledgement", when, "change-desk", record)


def _event(name: str, record_type: str, when: int, producer: str, record: dict[str, Any]) -> Planned:
    head = {"event_id": event_id(name, when), "event_time": when, "producer": producer, "environment": "demo"}
    return Planned(when, record_type, head | record)


def _seed(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
