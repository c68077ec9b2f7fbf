"""Which review is due when: by the document's word, by attestations that count, or by what was seen first."""

from __future__ import annotations

from pathlib import Path

import pytest

from seamwatch.documents import Estate
from seamwatch.durations import DAY
from seamwatch.instants import parse_instant
from sinks.store.questions.due import due
from sinks.store.questions.reviews import Review

DOCUMENTS = """\
kind: Person
id: ada
name: Ada
---
kind: Person
id: bob
name: Bob
---
{kind: System, id: by-document, type: model, owner: ada, review: {every: 30d, by: ada, last: 2026-01-01}}
---
{kind: System, id: by-clause, type: model, owner: ada}
---
{kind: System, id: unseen, type: model, owner: ada, review: {every: 30d, by: ada}}
---
{kind: System, id: without, type: model, owner: ada}
---
kind: Contract
id: pact
version: "1"
seam: model-to-product
covers: [by-clause]
parties: {provider: {team: a, signatory: ada}, consumer: {team: b, signatory: bob}}
escalation: [{person: ada, acknowledge_within: 1h}]
clauses: [{id: quarterly, kind: review, every: 90d}]
"""
JANUARY = parse_instant("2026-01-01")


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    (tmp_path / "all.yaml").write_text(DOCUMENTS)
    return Estate.load(tmp_path)


def review(system: str, person: str, at: int, subject: str = "review") -> Review:
    return Review(system, subject, "review", None, None, person, None, None, None, at)


def test_what_is_due_first_stands_first(estate: Estate) -> None:
    found = due(estate, [], {"by-clause": JANUARY + DAY}, JANUARY + 5 * DAY)
    assert [(one.system, one.contract, one.clause, one.by, one.last, one.due_at) for one in found] == [
        ("by-document", "schedule", "review", ("ada",), JANUARY, JANUARY + 30 * DAY),
        ("by-clause", "pact", "quarterly", ("ada", "bob"), None, JANUARY + 91 * DAY),
        ("unseen", "schedule", "review", ("ada",), None, None),
    ]


def test_only_a_review_that_counts_moves_it(estate: Estate) -> None:
    now = JANUARY + 50 * DAY
    attested = [
        review("by-document", "ada", JANUARY + 10 * DAY),
        review("by-document", "bob", JANUARY + 20 * DAY),  # for ada to attest
        review("by-document", "ada", JANUARY + 60 * DAY),  # not yet
        review("by-clause", "bob", JANUARY + 40 * DAY, "pact#quarterly"),
        review("by-clause", "bob", JANUARY + 45 * DAY, "pact#other"),
    ]
    by = {one.system: one for one in due(estate, attested, {}, now)}
    assert by["by-document"].last == JANUARY + 10 * DAY
    assert by["by-clause"].due_at == JANUARY + 130 * DAY


def test_where_several_must_it_is_done_when_the_last_has_and_those_are_named_who_have_not(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(DOCUMENTS.replace("by: ada, last", "by: [ada, bob], last"))
    estate = Estate.load(tmp_path)
    words = [review("by-document", "ada", JANUARY + 10 * DAY), review("by-document", "bob", JANUARY + 12 * DAY)]
    now = JANUARY + 20 * DAY
    for count, last, by in ((1, JANUARY, ("bob",)), (2, JANUARY + 12 * DAY, ("ada", "bob"))):
        (one,) = (one for one in due(estate, words[:count], {}, now) if one.system == "by-document")
        assert (one.last, one.by, one.all_of_them) == (last, by, True)


def test_a_runbook_s_review_is_told_beside_the_system_s(tmp_path: Path) -> None:
    schedule = "runbook_review: {every: 60d, by: bob, last: 2026-01-01}, review: {"
    (tmp_path / "all.yaml").write_text(DOCUMENTS.replace("review: {", schedule, 1))
    attested = [review("by-document", "bob", JANUARY + 5 * DAY, "runbook")]
    found = [one for one in due(Estate.load(tmp_path), attested, {}, JANUARY + 9 * DAY) if one.system == "by-document"]
    assert [(one.of, one.contract, one.last) for one in found] == [
        ("system", "schedule", JANUARY), ("runbook", "runbook-schedule", JANUARY + 5 * DAY),
    ]  # fmt: skip
