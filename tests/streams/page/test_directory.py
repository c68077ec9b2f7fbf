"""The directory: who can be told and how, what comes next for a violation, and whose documents are followed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from seamwatch.documents.canonical import digest_of
from seamwatch.durations import HOUR, MINUTE
from seamwatch.incidents import Ahead
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import OBJECTION
from seamwatch.paging import NOBODY, Recipient
from streams.page.aftermath import Acting
from streams.page.directory import Directory
from tests.sinks.samples import NOW, violation

PARTIES = {"provider": {"team": "a"}, "consumer": {"team": "b"}}
CONTRACT: dict[str, Any] = {
    "kind": "Contract", "id": "credit-data", "version": "1", "seam": "data-to-model", "covers": ["credit-feed"],
    "parties": PARTIES, "clauses": [{"id": "fresh", "kind": "freshness", "of": "inference", "max_lag": "26h"}],
    "escalation": [{"person": "ann", "acknowledge_within": "15m"}, {"person": "bob", "acknowledge_within": "1h"}],
}  # fmt: skip
SYSTEM = {
    "kind": "System", "id": "credit-feed", "type": "dataset", "owner": "ann", "runbook": "https://example.org/runbook",
}  # fmt: skip


def take(directory: Directory, content: dict[str, Any]) -> str | None:
    version = f"@{content['version']}" if content["kind"] == "Contract" else ""
    said = {"document": content, "digest": digest_of(content), "published_at": 1}
    return directory.take(f"{content['kind']}/{content['id']}{version}", json.dumps(said).encode())


@pytest.fixture
def directory() -> Directory:
    made = Directory()
    take(made, CONTRACT)
    take(made, SYSTEM)
    return made


def test_what_comes_next_is_the_runbook_the_clock_of_who_must_act_and_who_is_told_then(directory: Directory) -> None:
    first = directory.ahead(violation(1), Acting("ann", NOW))
    assert first == Ahead("https://example.org/runbook", NOW + 15 * MINUTE, "bob")
    last = violation(1, step=1, person="bob", state="escalated")
    assert directory.ahead(last, Acting("ann", NOW + HOUR)) == Ahead("https://example.org/runbook")
    assert [directory.is_last(v, Acting("ann", NOW)) for v in (violation(1), last)] == [False, True]


def test_whom_a_finding_names_comes_before_the_list(directory: Directory) -> None:
    named = violation(1, person="cid")
    assert directory.ahead(named, Acting("cid", NOW)).following == "ann"
    escalated = violation(1, person="ann", step=1, state="escalated")
    assert directory.ahead(escalated, Acting("cid", NOW)) == Ahead(
        "https://example.org/runbook", NOW + 15 * MINUTE, "bob"
    )


@pytest.mark.parametrize("fields", [{"severity": "warning"}, {"contract": "other"}, {"unit": OBJECTION}])
def test_nobody_is_named_where_nobody_is_told_or_it_is_not_known_who(
    directory: Directory, fields: dict[str, Any]
) -> None:
    assert directory.ahead(violation(1, **fields), Acting("ann", NOW)).following is None


def test_a_person_is_told_by_what_their_document_says_last() -> None:
    directory = Directory()
    said = {"kind": "Person", "id": "ann", "name": "Ann", "channels": ["json://a"], "told_of": ["resolved"]}
    assert take(directory, said) == "ann"
    assert directory.recipient("ann") == Recipient("ann", "Ann", ("json://a",), told_of=("resolved",))
    assert directory.take("Person/ann", None) == "ann"
    assert directory.recipient("ann") == Recipient("ann", "ann", known=False)
    assert directory.recipient(None) == NOBODY


def test_a_document_whose_digest_is_not_its_own_is_no_persons() -> None:
    directory = Directory()
    content = {"kind": "Person", "id": "ann", "name": "Ann", "channels": ["json://elsewhere"]}
    directory.take("Person/ann", json.dumps({"document": content, "digest": "d", "published_at": 1}).encode())
    assert not directory.recipient("ann").known


ROTA = {
    "kind": "Rota", "id": "on-call", "owner": "kay", "time_zone": "UTC", "starts": "2026-01-05", "persons": ["ann"],
    "instead": [{"from": format_instant(NOW), "to": format_instant(NOW + HOUR), "person": "eve", "reason": "swap"}],
}  # fmt: skip
BY_ROTA = {**CONTRACT, "escalation": [{"rota": "on-call", "acknowledge_within": "1h"}, *({"rota": "on-call"},) * 2]}


def test_who_is_next_by_a_rota_is_whoever_is_on_call_when_the_step_comes_due() -> None:
    directory = Directory()
    for document in (BY_ROTA, SYSTEM):
        take(directory, document)
    opened = violation(1, opened_at=NOW, person="eve")
    # Until the rota can be read its steps are those of the system's owner.
    assert directory.is_last(replace(opened, person="ann"), Acting("ann", NOW)), "who is asked once"
    take(directory, ROTA)
    assert directory.ahead(opened, Acting("eve", NOW)) == Ahead("https://example.org/runbook", NOW + HOUR, "ann")
    last = replace(opened, step=1, person="ann", state="escalated")
    assert directory.is_last(last, Acting("eve", NOW)), "the third step is Ann's again, who is not asked twice"
    before = replace(opened, opened_at=NOW - 30 * MINUTE, person="ann")
    assert directory.ahead(before, Acting("ann", NOW)).following == "eve"
