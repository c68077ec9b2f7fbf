"""An answer to a question of readiness, and how many there are of each. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Word = Literal["yes", "no", "not_known"]

QUESTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "quality": "Is a person named who answers for the quality of its output?",
        "runbook": "Is there a runbook, and was it tested by a drill?",
        "thresholds": "Are there numeric thresholds, signed by both sides?",
        "inventory": "Is it in the inventory, with its lineage and risk class?",
        "reviews": "Is it reviewed on schedule?",
        "swap": "Would a silent swap be seen within 48 hours?",
        "paged": "Is it known who is paged at 2 a.m., and have they ever acknowledged in time?",
        "decision_log": "Can compliance pull a log of its decisions alone?",
        "permissions": "Are its permissions reviewed?",
        "contract": "Was its contract reviewed within 90 days by those who deploy it?",
    }
)
"""What is asked of every system, in this order."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question about one system: the answer, what it stands on, and what to do unless it is yes."""

    system: str
    question: str
    asks: str
    answer: Word
    evidence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Said:
    """An answer before it is anybody's."""

    answer: Word
    evidence: str
    remedy: str = ""


def yes(evidence: str) -> Said:
    """It is so."""
    return Said("yes", evidence)


def no(evidence: str, remedy: str) -> Said:
    """It is not so."""
    return Said("no", evidence, remedy)


def not_known(evidence: str, remedy: str) -> Said:
    """Nothing says whether it is so."""
    return Said("not_known", evidence, remedy)


def answer_text(word: Word) -> str:
    """An answer for a person."""
    return word.replace("_", " ")


def tally(answers: Iterable[Answer]) -> str:
    """How many answers there are of each, with the questions that are not answered with yes."""
    found = list(answers)
    parts = []
    for word in ("yes", "no", "not_known"):
        of = [one for one in found if one.answer == word]
        which = "" if word == "yes" or not of else f" ({', '.join(one.question for one in of)})"
        parts.append(f"{len(of)} {answer_text(word)}{which}")
    return ", ".join(parts)
