"""Every question of readiness decided for one system, by what is known of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from sinks.store.questions.readiness import people, practice, record
from sinks.store.questions.readiness.row import QUESTIONS, Answer, Said

if TYPE_CHECKING:
    from sinks.store.questions.readiness.known import Known

_DECIDE: Final[Mapping[str, Callable[[Known], Said]]] = MappingProxyType(
    {
        "quality": people.quality,
        "runbook": practice.runbook,
        "thresholds": people.thresholds,
        "inventory": practice.inventory,
        "reviews": practice.reviews,
        "swap": record.swap,
        "paged": people.paged,
        "decision_log": record.decision_log,
        "permissions": practice.permissions,
        "contract": people.contract_reviewed,
    }
)


def decided(known: Known) -> list[Answer]:
    """The answers about a system, one a question, in the order of the questions."""
    answers = []
    for question, asks in QUESTIONS.items():
        said = _DECIDE[question](known)
        answers.append(Answer(known.system, question, asks, said.answer, said.evidence, said.remedy))
    return answers
