"""Defaults: the contract of every system seen in traffic that no contract covers: no policy is not permission.

And the schedules: what System documents agree on themselves, which holds for every system whose document says it. And
what holds for every system without anybody's agreement: what is suspended stays so.

Each bound and its reason is told in docs/documents.md. They are wide on purpose: a default must not cry wolf, so what
it finds is beyond what anybody would call usual, over enough events that chance does not do it.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from seamwatch.documents.contract import Contract

DEFAULTS: Final = "defaults"
"""The id of the built-in contract, and of the one that an operator puts in its place."""

BUILT_IN: Final = "built-in-3"
"""The built-in contract's version; no other contract of its id may bear it."""


SCHEDULE: Final = "schedule"
"""The id of the built-in contract by which a System document's own `review` is held; no other contract may bear it."""

RUNBOOKS: Final = "runbook-schedule"
"""The same of its `runbook_review`."""

SCHEDULES: Final = (SCHEDULE, RUNBOOKS)


SUSPENSIONS: Final = "suspensions"
"""The id of the built-in contract by which what is suspended is held to it; no other contract may bear it."""


@cache
def suspensions() -> Contract:
    """The built-in contract on suspension: it holds for every system, whatever else does."""
    return Contract.model_validate(
        {
            "apiVersion": "seamwatch/v1",
            "kind": "Contract",
            "id": SUSPENSIONS,
            "version": "built-in-1",
            "seam": "operations",
            "covers": ["*"],
            "parties": {"provider": {}, "consumer": {}},
            "clauses": [{"id": "suspension", "kind": "suspension"}],
        }
    )


@cache
def schedule() -> Contract:
    """The built-in contract of what a System document agrees on itself: its scheduled review."""
    return _scheduled(SCHEDULE, {"id": "review", "kind": "review"})


@cache
def runbook_schedule() -> Contract:
    """The built-in contract of the scheduled review of a system's runbook."""
    return _scheduled(RUNBOOKS, {"id": "runbook", "kind": "review", "of": "runbook"})


def _scheduled(name: str, clause: dict[str, str]) -> Contract:
    return Contract.model_validate(
        {
            "apiVersion": "seamwatch/v1",
            "kind": "Contract",
            "id": name,
            "version": "built-in-1",
            "seam": "operations",
            "covers": ["*"],
            "parties": {"provider": {}, "consumer": {}},
            "clauses": [clause],
        }
    )


@cache
def built_in() -> Contract:
    """The built-in contract."""
    return Contract.model_validate(written())


def written() -> dict[str, Any]:
    """The built-in contract as an author would write it."""
    hourly = {"window": "1h", "min_count": 100}
    return {
        "apiVersion": "seamwatch/v1",
        "kind": "Contract",
        "id": DEFAULTS,
        "version": BUILT_IN,
        "seam": "operations",
        "covers": ["*"],
        "parties": {"provider": {}, "consumer": {}},
        "clauses": [
            {"id": "approval", "kind": "approval", "datasets": True},
            _warning("latency", signal="latency", quantile=0.9, max=30_000, **hourly),
            _warning(
                "accuracy",
                signal="accuracy",
                where="label IN (0, 1) AND score BETWEEN 0 AND 1",
                min=0.4,
                window="1d",
                min_count=200,
            ),
            {
                "id": "drift",
                "kind": "distribution",
                "severity": "warning",
                "where": "score IS NOT NULL",
                "reference": {"first": "14d"},
                "bins": 10,
                "window": "1h",
                "floor": 0.15,
                "alpha": 0.001,
                "lifetime": "90d",
                "unjudged": None,
            },
            _complete("complete", on="inference"),
            _complete("calls-complete", on="tool_call"),
            _warning("abuse", signal="abuse", max=0.15, **hourly),
            _warning("fallback", signal="fallback", max=0.25, **hourly),
            {"id": "data-fresh", "kind": "freshness", "severity": "warning", "of": "dataset", "max_lag": "8d"},
            {
                "id": "decided-on-fresh-data",
                "kind": "freshness",
                "severity": "warning",
                "of": "inference",
                "max_lag": "8d",
                "unjudged": None,
            },
        ],
    }


def _complete(name: str, on: str) -> dict[str, Any]:
    return {
        "id": name,
        "kind": "completeness",
        "severity": "warning",
        "on": on,
        "reference": {"first": "1d"},
        "floor": 0.15,
        "alpha": 0.001,
        "lifetime": "90d",
    }


def _warning(name: str, **agreed: Any) -> dict[str, Any]:
    # What most systems never give says nothing of a system that nobody declared; what goes missing `complete` tells.
    return {"id": name, "kind": "signal", "severity": "warning", "unjudged": None, **agreed}
