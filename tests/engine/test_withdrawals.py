"""Who is told of a withdrawal, and in which words."""

from __future__ import annotations

from seamwatch.documents import Estate, documents_of, published
from seamwatch.durations import DAY
from seamwatch.engine.withdrawals import withdrawal_notices
from seamwatch.judging.model.facts import Notice
from seamwatch.notices import notice_as_due, reminder_of
from seamwatch.paging import Recipient
from tests.clauses.history import at, contract, estate_of

RANGE = "- {id: valid, kind: range, min: 0, max: 1}"
SYSTEM = """---
apiVersion: seamwatch/v1
kind: System
id: scorer
type: model
owner: second@example.org
"""
TWO = "Contract/example@2"


def both() -> Estate:
    first = estate_of(contract("scorer", RANGE) + SYSTEM)
    second = estate_of(contract("scorer", RANGE).replace('version: "1"', 'version: "2"'))
    return Estate.of_published(
        [*published(documents_of(first), at()), *published(second.contracts, at("1d"))]
    )  # fmt: skip


ANN = "ann@example.org"


def told(estate: Estate, *gone: str, by: str | None = ANN) -> list[Notice]:
    return list(withdrawal_notices(estate, gone, at("2d"), by))


def test_both_signatories_are_told_once_of_all_versions() -> None:
    notices = told(both(), "Contract/example@1", TWO, "System/scorer")
    assert [notice.person for notice in notices] == ["owner@example.org", "second@example.org"]
    said = (
        "contract example was withdrawn by ann@example.org at 2026-03-04 00:00:00 UTC, as a whole: nothing of it binds "
        "scorer any more, and what was open of it is not resolved"
    )
    assert {notice.summary for notice in notices} == {said}


def test_a_version_that_is_taken_back_says_what_is_in_force_then() -> None:
    said = (
        "version 2 of contract example was withdrawn by ann@example.org at 2026-03-04 00:00:00 UTC; in force in its "
        "place is version 1"
    )
    assert {notice.summary for notice in told(both(), TWO)} == {said}


def test_a_withdrawal_of_which_nobody_said_who_did_it_says_so() -> None:
    said = (
        "version 2 of contract example was withdrawn at 2026-03-04 00:00:00 UTC, not said by whom; in force in its "
        "place is version 1"
    )
    assert {notice.summary for notice in told(both(), TWO, by=None)} == {said}
    whole = told(both(), "Contract/example@1", TWO, by=None)[0].summary
    assert "was withdrawn at 2026-03-04 00:00:00 UTC, as a whole, not said by whom: nothing of it binds" in whole


def test_a_side_without_a_signatory_is_told_by_the_owner_of_what_is_covered() -> None:
    text = contract("scorer", RANGE).replace("signatory: owner@example.org", "team: nobody").replace("team: data, ", "")
    estate = Estate.of_published(published(documents_of(estate_of(text + SYSTEM)), at()))
    assert [notice.person for notice in told(estate, "Contract/example@1")] == [
        "second@example.org", "owner@example.org"  # the consumer's signatory and owner, and who is paged first
    ]  # fmt: skip


def test_told_again_it_is_the_same_notice_and_published_anew_another() -> None:
    estate = both()
    again = Estate.of_published(published(documents_of(estate), at() + DAY))
    first, second, third = (
        {notice.notice_id for notice in told(some, "Contract/example@1", TWO)} for some in (estate, both(), again)
    )
    assert first == second
    assert not first & third


def test_what_the_pager_says_names_the_contract_and_no_clause() -> None:
    notice, _ = told(both(), TWO)
    shown = reminder_of(notice_as_due(notice), Recipient("owner@example.org", "Owner"), at("2d"))
    assert shown.title == "WITHDRAWN scorer: example"
    assert "Contract  example@2\n" in f"{shown.body}\n"
    assert "clause" not in shown.body
