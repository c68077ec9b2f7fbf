"""Findings of `seamwatch doctor`: one thing that was looked at, and what was found. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Verdict = Literal["ok", "note", "problem"]

TIMEOUT_SECONDS: Final = 5.0
"""So long broker and store have to answer one question."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    verdict: Verdict
    found: str
