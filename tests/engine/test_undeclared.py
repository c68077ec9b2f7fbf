"""However many systems come that nobody declared: what is remembered of them is bounded, and so is what is told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from seamwatch.documents import Estate, System
from seamwatch.documents.defaults import DEFAULTS, built_in
from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.engine import undeclared
from seamwatch.engine.judge import Judge
from seamwatch.judging.model.facts import Evidence, Fact, Measurement, Violation, Watermark

START = 1_772_409_600_000_000


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undeclared, "MOST_WATCHED", 3)
    monkeypatch.setattr(undeclared, "MOST_NAMED", 5)


def facts(system: str, at: int) -> Iterator[Fact]:
    """What measure says of a hundred decisions of a system, all by its fallback."""
    start, shown = at - at % HOUR, (Evidence(at, f"{system}-{at}"),)
    contract = built_in()
    for clause in ("approval", "fallback", "abuse"):
        breaches = 0 if clause == "abuse" else 100
        yield Fact(
            DEFAULTS, contract.version, contract.digest, clause, system, None, start, HOUR, 100, breaches, at, at + 1,
            evidence=shown if breaches else (), measure="inference" if clause == "approval" else "",
        )  # fmt: skip


def tell(judge: Judge, at: int, *systems: str) -> list[Violation]:
    mark = Watermark("t", 0, 0, at, caught_up=True)
    told = judge.on_measurement(Measurement(at, (mark,), tuple(f for system in systems for f in facts(system, at))))
    return list(told.violations)


def remembered(judge: Judge) -> Counter[str]:
    """Of how many systems each clause remembers something that has changed."""
    kept = judge.take_dirty()
    return Counter(json.loads(key)[1] for key, value in kept.items() if key[0] == "[" and value is not None)


def test_of_ever_new_systems_some_are_watched_some_named_and_the_rest_told_together(few: None) -> None:
    judge = Judge(Estate())
    told = [v for number in range(50) for v in tell(judge, START + number * MINUTE, f"stray-{number}")]
    told += tell(judge, START + 2 * HOUR)
    opened = {v.violation_id: v for v in told}.values()
    unregistered = [v for v in opened if v.clause == "approval"]
    assert sorted(v.system for v in unregistered) == ["*", *(f"stray-{number}" for number in range(5))]
    (others,) = [v for v in unregistered if v.system == "*"]
    assert others.opened_at == START + 5 * MINUTE
    assert others.evidence[0].event_id == f"stray-5-{START + 5 * MINUTE}"
    assert others.summary.startswith("more systems than are told one by one are running unregistered since ")
    assert sorted(v.system for v in opened if v.clause == "fallback") == ["stray-0", "stray-1", "stray-2"]
    assert remembered(judge) == {"approval": 6, "fallback": 3, "abuse": 3}


def test_a_place_is_free_again_after_a_day_without_a_word_also_after_a_restart(few: None) -> None:
    judge = Judge(Estate())
    tell(judge, START, "a", "b", "c")
    tell(judge, START + DAY, "a")
    kept, judge = judge.take_dirty(), Judge(Estate())
    for key, value in kept.items():
        if value is not None:
            judge.restore(key, value)
    later: list[Violation] = []
    for hour, system in enumerate("def", start=1):
        later += tell(judge, START + DAY + hour * HOUR, system)
    later += tell(judge, START + DAY + 6 * HOUR)
    told = {v.system for v in later if v.clause == "fallback" and v.state == "open"}
    assert told == {"d", "e"}, "a was heard of a moment ago, b and c were not; f has no place"


def test_a_declared_system_needs_no_place(few: None) -> None:
    declared = System.model_validate({"kind": "System", "id": "known", "type": "model", "owner": "o@example.org"})
    judge = Judge(Estate(systems={"known": declared}))
    tell(judge, START, *(f"stray-{number}" for number in range(10)))
    tell(judge, START + MINUTE, "known")
    told = tell(judge, START + 2 * HOUR, "known")
    assert [v.system for v in told if v.clause == "fallback" and v.system == "known"] == ["known"]
