"""The change desk: two announced changes, how the people who must acknowledge them answer, and what they learn from it.

Nobody announces the credit model's second change of threshold, so it is not here; one acknowledger never answers. That
another answered late is reviewed, and of the two actions of the review one is done.
"""

from __future__ import annotations

from console.demo import timeline
from console.demo.configurations import ASSISTANT_ANNOUNCED, CREDIT_ANNOUNCED, digest
from console.demo.planned import Planned, planned
from seamwatch.clauses.follow_up.statement import Action, Statement
from seamwatch.instants import format_instant
from seamwatch.judging.model.identity import identity
from seamwatch.wire.events import Acknowledgement, Attestation, ConfigChange


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
    return sorted([*answers, *_follow_up(origin)], key=lambda answer: answer.at)


def late_answer() -> str:
    """The id of the violation that is reviewed: risk's answer came too late."""
    part = "credit-threshold-60/risk-lead@example.org"
    return identity("credit-limits", "changes-acknowledged", "credit-model", "breach", part, "missed")


def _follow_up(origin: int) -> list[Planned]:
    subject = f"credit-limits#learn/{late_answer()}"
    rota, deputy = (
        Action(id=name, person=person, due=format_instant(timeline.at(origin, due)), what=what)
        for name, person, due, what in (
            ("rota", "risk-lead@example.org", timeline.ROTA_DUE, "risk answers changes by a rota"),
            ("deputy", "credit-operations@example.org", timeline.DEPUTY_DUE, "operations names a deputy for absences"),
        )
    )
    said = Statement(
        implied="each acknowledger answers a change of threshold within 48 h",
        diverged="risk answered after 70 h, when the threshold was in force already",
        cause="who answers for risk was away, and nobody stood in",
        actions=(rota, deputy),
    )
    words = (
        ("follow_up", subject, "compliance@example.org", timeline.LATE_ANSWER_REVIEWED, said.text()),
        ("action", f"{subject}/rota", "risk-lead@example.org", timeline.ROTA_DONE, None),
    )
    return [
        planned(
            Attestation,
            f"attested/{about}",
            timeline.at(origin, day),
            "change-desk",
            {"system": "credit-model", "subject": about, "kind": kind, "person": person, "statement": statement},
        )
        for kind, about, person, day, statement in words
    ]


def _answer(system: str, change: str, person: str, answer: str, when: int) -> Planned:
    fields = {"system": system, "of": "change", "reference": change, "person": person, "answer": answer}
    return planned(Acknowledgement, f"answer/{change}/{person}", when, "change-desk", fields)
