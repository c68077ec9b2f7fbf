"""What is open when its clause is withdrawn ends in words of its own, which whoever was paged is told."""

from __future__ import annotations

from seamwatch.documents import Estate
from seamwatch.engine.judge import Judge
from seamwatch.engine.settings import JudgeSettings
from seamwatch.judging.model.facts import Notice, Violation
from tests.clauses.history import at, contract, estate_of
from tests.engine.test_versions import FIRST, fact, flush, versions

SETTINGS = JudgeSettings(lateness=0, settle=0)


def opened(estate: Estate, version: str) -> tuple[Judge, Violation]:
    judge = Judge(estate, SETTINGS)
    (violation,) = judge.on_measurement(flush(at("13h"), fact(estate, version, at("12h50m")))).violations
    assert violation.state == "open"
    return judge, violation


def ended(judge: Judge, *moments: str) -> tuple[list[Violation], list[Notice]]:
    outputs = [judge.on_measurement(flush(at(moment))) for moment in moments]
    return [v for o in outputs for v in o.violations], [n for o in outputs for n in o.notices]


def test_an_episode_ends_with_its_contract_and_is_not_called_resolved() -> None:
    judge, before = opened(estate_of(contract("scorer", FIRST)), "1")
    judge.replace_estate(estate_of())
    (over,), (notice,) = ended(judge, "13h1m", "13h2m")
    assert over.violation_id == before.violation_id
    assert over.summary == f"withdrawn with its contract example, not resolved: {before.summary}"
    assert (notice.person, notice.summary, notice.system) == (before.person, over.summary, "scorer")


def test_so_it_does_where_the_withdrawal_was_not_seen() -> None:
    """The stage was down when the contract was withdrawn."""
    judge, before = opened(estate_of(contract("scorer", FIRST)), "1")
    successor = Judge(estate_of(), SETTINGS)
    for key, value in judge.take_dirty().items():
        if value is not None:
            successor.restore(key, value)
    (over,), (notice,) = ended(successor, "13h1m", "13h2m")
    assert over.summary.startswith("withdrawn with its contract example, not resolved: ")
    assert notice.person == before.person


def test_whoever_was_paged_by_then_is_told_each_once() -> None:
    judge, before = opened(estate_of(contract("scorer", FIRST)), "1")
    (climbed,), _ = ended(judge, "13h16m")
    assert (climbed.state, climbed.person) == ("escalated", "second@example.org")
    judge.replace_estate(estate_of())
    _, notices = ended(judge, "13h17m", "13h18m")
    assert [notice.person for notice in notices] == [before.person, climbed.person]
    assert len({notice.notice_id for notice in notices}) == 2


def test_a_version_that_is_taken_back_with_a_clause_of_its_own_says_which() -> None:
    both = versions("- {id: fresh, kind: freshness, max_lag: 26h}", FIRST)
    judge, before = opened(both, "2")
    judge.replace_estate(estate_of(contract("scorer", "- {id: fresh, kind: freshness, max_lag: 26h}")))
    (over,), (notice,) = ended(judge, "13h1m", "13h2m")
    assert over.summary == f"withdrawn with version 2 of contract example, not resolved: {before.summary}"
    assert notice.summary == over.summary


def test_what_another_version_ends_is_no_withdrawal_and_tells_nobody() -> None:
    judge = Judge(versions(FIRST, "- {id: fresh, kind: freshness, max_lag: 26h}"), SETTINGS)
    estate = versions(FIRST, "- {id: fresh, kind: freshness, max_lag: 26h}")
    judge.on_measurement(flush(at("12h10m"), fact(estate, "1", at("12h10m"))))
    found, notices = ended(judge, "12h31m", "12h32m")
    assert (found[-1].state, found[-1].resolved_at) == ("resolved", at("12h30m"))
    assert "has no clause 'valid'" in found[-1].summary
    assert notices == []
