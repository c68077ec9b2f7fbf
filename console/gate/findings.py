"""Findings: what stands against a deployment, each with its rule, reason, remedy and place. Judges nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Level = Literal["error", "warning"]

RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "document": "Every document of the folder can be read and fits the others.",
        "undeclared": "The system is declared by a System document.",
        "handoff": "The system was handed over with every point of the hand-over.",
        "contract": "A contract covers the system.",
        "signature": "Every contract that covers the system is signed, as it now is, by all whom it binds.",
        "approval-missing": "An approval is in force for the version, configuration digest and use case.",
        "approval-expired": "The approval has not expired.",
        "approval-signature": "A signature under the approval holds.",
        "risk-policy": "The system holds to its tier of the risk policy in force.",
        "digest": "The configuration digest that is deployed is known.",
        "review-overdue": "The scheduled review has happened in time.",
        "monitoring-gap": "Each of the five signals has a clause in a contract that covers the system.",
        "suspended": "Neither the system nor the version is suspended.",
        "open-breach": "No breach of the system is open.",
        "store": "The store can be asked for open breaches, suspensions and reviews.",
        "manifest": "The deployment manifest can be read and names the system.",
        "manifest-owner": "The deployment manifest names the owner that the System document names.",
    }
)
"""What each rule demands, by its name."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing against a deployment: an error refuses it, a warning does not. ``line`` counts from 1."""

    rule: str
    level: Level
    reason: str
    remedy: str
    file: str
    line: int

    @property
    def refuses(self) -> bool:
        """Whether the deployment is refused for it."""
        return self.level == "error"


@dataclass(frozen=True, slots=True)
class Deployed:
    """What is to be deployed, as far as it is told; ``file`` and ``line`` where a manifest tells it."""

    version: str | None = None
    config_digest: str | None = None
    use_case: str | None = None
    file: str | None = None
    line: int = 1
