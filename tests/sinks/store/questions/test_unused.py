"""An approval that has allowed nothing for a month is told of where somebody looks; one that ended or is new is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from seamwatch.durations import DAY
from sinks.store.questions.approvals import ApprovalGiven, never_used
from tests.clauses.history import at

GIVEN = ApprovalGiven(
    "scorer", "v3", "", "A3", "credit", "owner@example.org", at(), None, 0, None, None, None, 1, 0
)  # fmt: skip


def test_a_version_that_is_approved_and_never_serves_is_named_after_thirty_days() -> None:
    assert never_used(GIVEN, at("29d")) is None
    assert never_used(GIVEN, at("30d")) == (
        "approval A3 of version v3 of scorer for credit has allowed nothing since it was given at 2026-03-02 00:00:00 "
        "UTC: look whether that serves under another name, or revoke it"
    )


@pytest.mark.parametrize(
    "otherwise",
    [
        {"events": 1}, {"events_after": 1}, {"in_documents": 0}, {"void": "is by nobody"}, {"approved_at": None},
        {"expires": at() + 40 * DAY}, {"revoked_at": at() + DAY},
    ],
)  # fmt: skip
def test_of_others_nothing_is_said(otherwise: dict[str, Any]) -> None:
    assert never_used(replace(GIVEN, **otherwise), at("50d")) is None
