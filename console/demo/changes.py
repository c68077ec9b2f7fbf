"""The change desk: two announced changes, and how the people who must acknowledge them answer.

Nobody announces the credit model's second change of threshold, so it is not here; one acknowledger never answers.
"""

from __future__ import annotations

from console.demo import timeline
from console.demo.configurations import ASSISTANT_ANNOUNCED, CREDIT_ANNOUNCED, digest
from console.demo.planned import Planned, planned
from seamwatch.wire.events import Acknowledgement, ConfigChange


def changes(origin: int) -> list[Planned]:
    """Every announcement and every answer to one, in time order."""

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
        "announced_by": "product-lead@example.org",
    }
    prompt = {
        "system": "claims-assistant",
        "change_id": "assistant-names-clause",
        "kind": "prompt",
        "config_digest": digest(ASSISTANT_ANNOUNCED),
        "effective_at": day(timeline.PROMPT_EFFECTIVE),
        "summary": "Answers name the clause of the policy",
        "announced_by": "product-lead@example.org",
    }
    answers = [
        planned(ConfigChange, "change/threshold", day(timeline.CHANGE_ANNOUNCED), "change-desk", threshold),
        _answer("credit-model", "credit-threshold-60", "credit-lead@example.org", "accept", day(timeline.LEAD_ACCEPTS)),
        planned(ConfigChange, "change/prompt", day(timeline.PROMPT_ANNOUNCED), "change-desk", prompt),
        _answer(
            "credit-model", "credit-threshold-60", "compliance@example.org", "object", day(timeline.COMPLIANCE_OBJECTS)
        ),
        _answer(
            "claims-assistant",
            "assistant-names-clause",
            "assistant-owner@example.org",
            "accept",
            day(timeline.PROMPT_ACCEPTED),
        ),
        _answer(
            "credit-model", "credit-threshold-60", "risk-lead@example.org", "accept", day(timeline.RISK_ANSWERS_LATE)
        ),
    ]
    return sorted(answers, key=lambda answer: answer.at)


def _answer(system: str, change: str, person: str, answer: str, when: int) -> Planned:
    fields = {"system": system, "of": "change", "reference": change, "person": person, "answer": answer}
    return planned(Acknowledgement, f"answer/{change}/{person}", when, "change-desk", fields)
