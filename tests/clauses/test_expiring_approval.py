"""Before an approval expires that is still needed, its approver and the system's owner are told, once."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamwatch.durations import DAY, HOUR
from seamwatch.judging.model.facts import Notice
from tests.clauses.history import at, brief, call, contract, decision, found
from tests.clauses.test_state import Live

BOTH = ["owner@example.org", "second@example.org"]
ONLY = contract("scorer", "- {id: only, kind: approval}")


def declared(*approvals: str, version: str = "v1", digest: str | None = None) -> str:
    """The system document with approvals of one version; of a text the braces are left out."""
    named = "" if digest is None else f"\n    config_digest: {digest}"
    given = "".join(f"\n      - {{use_case: credit, approved_by: second@example.org, {one}}}" for one in approvals)
    return f"""---
apiVersion: seamwatch/v1
kind: System
id: scorer
type: model
owner: owner@example.org
versions:
  - version: {version}{named}
    approvals:{given}
"""


YEARLY = declared("id: A1, approved_at: 2025-04-11, expires: 2026-04-11")
"""It expires forty days after the history begins."""


def days(*numbers: int, **fields: Any) -> list[dict[str, Any]]:
    return [decision(f"{number}d1h", **fields) for number in numbers]


def told(documents: str, events: Iterable[Mapping[str, Any]], until: int = 60, step: int = 1) -> list[Notice]:
    """What a judge that is restarted every day (or after more of them) tells."""
    events, live = list(events), Live(documents)
    for day in range(0, until, step):
        of = [e for e in events if at() + day * DAY <= e["event_time"] < at() + (day + step) * DAY]
        live.flush(of, at(f"{day + step}d"))
    return live.notices


def when(notices: Iterable[Notice]) -> list[tuple[str, int]]:
    return [(n.person, (n.detected_at - at()) // DAY) for n in notices]


def test_of_several_clauses_over_one_system_each_person_is_told_by_one() -> None:
    two = ONLY.replace("id: example", "id: another") + "---" + ONLY
    notices = told(two + YEARLY, days(*range(40)))
    assert len(notices) == 4
    ids = {notice.notice_id: notice.person for notice in notices}
    assert sorted(ids.values()) == ["owner@example.org", "second@example.org"], "the pager tells one id once"


def test_owner_and_approver_are_told_once_two_weeks_ahead_over_restarts() -> None:
    notices = told(ONLY + YEARLY, days(*range(40)))
    assert when(notices) == [(person, 26) for person in BOTH]
    assert {(n.type, n.kind, n.due_at, n.slice) for n in notices} == {("reminder", "approval", at("40d"), None)}
    (text,) = {n.summary for n in notices}
    assert "approval A1 of version v1 for credit holds until 2026-04-11 00:00:00 UTC" in text
    assert "enter a new approval in the System document" in text
    assert "contracts sign" not in text, "nobody has keys"


@pytest.mark.parametrize(
    ("approval", "clause", "day"),
    [
        ("approved_at: 2025-04-11, expires: 2026-04-11", "remind_before: 30d", 10),
        ("approved_at: 2026-04-01, expires: 2026-04-11", "grace: 1h", 35),
        ("approved_at: 2026-04-01, expires: 2026-04-11", "remind_before: 30d", 31),
        ("expires: 2026-04-11", "grace: 1h", 26),
        ("approved_at: 2025-04-11, expires: 2026-04-11, revoked_at: 2026-05-01", "grace: 1h", 26),
        ("approved_at: 2025-04-11, expires: 2026-04-11", "remind_before: never", None),
        ("approved_at: 2025-04-11, expires: 2026-04-11, revoked_at: 2026-04-05", "grace: 1h", None),
        ("approved_at: 2025-04-11", "grace: 1h", None),
    ],
)
def test_the_lead_is_as_agreed_and_never_longer_than_the_approval(approval: str, clause: str, day: int | None) -> None:
    documents = contract("scorer", f"- {{id: only, kind: approval, {clause}}}") + declared(f"id: A1, {approval}")
    notices = told(documents, days(*range(40)))
    assert when(notices) == ([] if day is None else [(person, day) for person in BOTH])


def test_only_what_is_needed_is_told() -> None:
    a1 = "id: A1, approved_at: 2025-04-11, expires: 2026-04-11"
    assert told(ONLY + YEARLY, []) == [], "nothing serves"
    assert told(ONLY + YEARLY, days(*range(40), version="v2")) == [], "another version serves"
    assert told(ONLY + YEARLY, days(*range(40), use_case="fraud")) == [], "another use case"
    replaced = declared(a1, "id: A2, approved_at: 2026-04-01, expires: 2027-04-01")
    assert told(ONLY + replaced, days(*range(40))) == [], "another holds then"
    gap = declared(a1, "id: A2, approved_at: 2026-04-12, expires: 2027-04-01")
    assert when(told(ONLY + gap, days(*range(50)))) == [(person, 26) for person in BOTH]
    other = declared(a1, "id: A2, expires: 2027-04-01").replace(
        "use_case: credit, approved_by: second@example.org, id: A2",
        "use_case: fraud, approved_by: second@example.org, id: A2",
    )
    assert when(told(ONLY + other, days(*range(40)))) == [(person, 26) for person in BOTH]
    void = YEARLY.replace("second@example.org", "owner@example.org")
    assert told(ONLY + void, days(*range(40))) == [], "an approval by the owner alone is none"


def test_what_serves_again_late_is_told_then_and_what_stopped_long_ago_is_not() -> None:
    late = declared("id: A1, approved_at: 2025-04-11, expires: 2026-05-11")  # the 70th day; told on the 56th
    assert when(told(ONLY + late, days(21), until=75)) == [(p, 56) for p in BOTH], "within 35 days"
    assert told(ONLY + late, days(21), until=75, step=75) != []
    assert told(ONLY + late, days(21), until=50) == []
    assert told(ONLY + late, days(20), until=75) == []
    assert when(told(ONLY + late, days(20, 60), until=75)) == [(p, 61) for p in BOTH], "it runs again"


def test_calls_need_any_approval_of_their_version_and_a_declared_digest_must_be_theirs() -> None:
    only = contract("agent", "- {id: only, kind: approval}")
    document = YEARLY.replace("id: scorer", "id: agent")
    calls = [call(f"{day}d1h", "find") for day in range(40)]
    assert when(told(only + document, calls)) == [(person, 26) for person in BOTH]
    both = declared("id: A1, expires: 2026-04-11", "id: A2, approved_at: 2026-01-01").replace("id: scorer", "id: agent")
    assert told(only + both, calls) == []
    denied = [{**one, "decision": "denied"} for one in calls]
    assert told(only + document, denied) == [], "what was denied was not made"
    digested = declared("id: A1, expires: 2026-04-11", digest="sha256:ab/c", version="team/v1")
    fields = {"version": "team/v1", "config_digest": "sha256:ab/c"}
    assert when(told(ONLY + digested, days(*range(40), **fields))) == [(person, 26) for person in BOTH]
    assert told(ONLY + digested, days(*range(40), **{**fields, "config_digest": "sha256:other"})) == []


def test_who_signs_is_told_how_and_who_is_both_is_told_once() -> None:
    key = b64encode(bytes(range(32))).decode()
    lead = f"""---
apiVersion: seamwatch/v1
kind: Person
id: lead@example.org
name: Example Lead
keys: [{{key_id: k1, public: "{key}"}}]
"""
    mine = YEARLY.replace("owner: owner@example.org", "owner: second@example.org\napprovers: [second@example.org]")
    assert when(told(ONLY + mine, days(*range(40)))) == [("second@example.org", 26)]
    # An approver with keys has to sign; without a signature the approval does not count and nothing is told of it.
    unsigned = YEARLY.replace("approved_by: second@", "approved_by: lead@")
    assert told(ONLY + lead + unsigned, days(*range(40))) == []


def ids(notices: Iterable[Notice]) -> set[tuple[str, str, str, int]]:
    return {(n.notice_id, n.person, n.summary, n.due_at) for n in notices}


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 75)), st.integers(1, 80))
def test_in_any_batches_the_same_is_told(on: set[int], step: int) -> None:
    ends = ("2026-03-20", "2026-04-11", "2026-05-11")
    begins = ("2026-01-01", "2026-03-25", "2026-04-20")
    approvals = [f"id: A{n}, approved_at: {b}, expires: {e}" for n, (b, e) in enumerate(zip(begins, ends, strict=True))]
    documents, events = ONLY + declared(*approvals), days(*sorted(on))
    whole = told(documents, events, until=80, step=step)
    assert ids(whole) == ids(told(documents, events, until=80))
    assert len(whole) == len(ids(whole))


def test_a_reminder_is_no_violation_and_what_comes_after_the_end_is_one() -> None:
    assert found(ONLY + YEARLY, days(*range(40)), now="45d") == []
    (violation,) = found(ONLY + YEARLY, days(*range(41)), now="41d")
    assert brief([violation]) == [("v1//credit", "breach", "open", 40 * DAY + HOUR)]
    assert "approval A1 expired at" in violation.summary


def test_a_renewed_approval_is_another() -> None:
    live = Live(ONLY + YEARLY)
    for day in range(60):
        if day == 30:
            renewed = Live(ONLY + YEARLY.replace("2026-04-11}", "2026-05-01}"))
            live.estate, live.plan = renewed.estate, renewed.plan
        live.flush(days(day), at(f"{day + 1}d"))
    assert when(live.notices) == [(p, 26) for p in BOTH] + [(p, 46) for p in BOTH]
    assert len({n.notice_id for n in live.notices}) == 4


def test_the_state_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seamwatch.judging.patterns.expiring.MOST_FOLLOWED", 3)
    many = declared(*(f"id: A{n}, approved_at: 2025-04-11, expires: 2026-04-{11 + n}" for n in range(9)))
    live = Live(ONLY + many)
    live.flush(days(0), at("1d"))
    (entry,) = live.entries.values()
    assert len(entry["state"]["expiring"]["in_use"]) == 3
