"""Outcomes that wait for their decisions: what looks at outcomes waits with them, and nothing else does."""

from __future__ import annotations

import pytest

from seamwatch.durations import HOUR
from seamwatch.engine.judge import Judge
from seamwatch.engine.settings import JudgeSettings
from seamwatch.judging.model.facts import Evidence, Fact, Measurement, Violation, Watermark
from tests.clauses.history import at, contract, estate_of

ESTATE = estate_of(
    contract(
        "scorer",
        """
- {id: right, kind: signal, signal: accuracy, min: 0.5, min_count: 2}
- {id: quick, kind: signal, signal: fallback, max: 0.5, min_count: 2}
""",
    )
)


def fact(clause: str, time: int, event_id: str = "e", breaches: int = 2, count: int = 2) -> Fact:
    known = next(c for c in ESTATE.all_contracts() if c.id == "example")
    return Fact(
        "example", known.version, known.digest, clause, "scorer", None, time // HOUR * HOUR, HOUR, count, breaches,
        time, time, evidence=(Evidence(time, event_id),),
    )  # fmt: skip


def flush(time: int, *facts: Fact, waiting: int | None = None, partition: int = 0) -> Measurement:
    return Measurement(
        time,
        (
            Watermark("seamwatch.inference", 0, 0, time, caught_up=True),
            Watermark("seamwatch.outcome", partition, 0, time, caught_up=True, waiting=waiting),
        ),
        facts,
    )


def told(violations: tuple[Violation, ...]) -> list[tuple[str, str, int]]:
    return [(v.clause, v.state, v.opened_at) for v in violations]


@pytest.mark.parametrize(
    "settings",
    [JudgeSettings(lateness=0, settle=0, climbs=False), JudgeSettings(climbs=False)],
    ids=["none late", "live"],
)
@pytest.mark.parametrize("crash", [False, True], ids=["", "through a crash"])
def test_a_window_of_outcomes_is_judged_when_the_last_of_them_is_joined(settings: JudgeSettings, crash: bool) -> None:
    judge = Judge(ESTATE, settings)
    both = fact("right", at("30m"), "e1", 2, 2), fact("quick", at("30m"), "e2")
    assert judge.on_measurement(flush(at("30m1s"), *both, waiting=at("20m"))).violations == ()
    # Long after the window, the other clause has been judged; that on outcomes waits for the store.
    assert told(judge.on_measurement(flush(at("2h"), waiting=at("20m"))).violations) == [("quick", "open", at("1h"))]
    if crash:
        kept = judge.take_dirty()
        judge = Judge(ESTATE, settings)
        for key, value in kept.items():
            assert value is not None
            judge.restore(key, value)
    assert told(judge.on_measurement(flush(at("3h"), waiting=at("20m"))).violations) == []
    # The one that waited was right, and two more: without them the window would have been in breach.
    found = judge.on_measurement(flush(at("4h"), fact("right", at("20m"), "e0", 0, 3)))
    assert told(found.violations) == []
    assert told(judge.on_measurement(flush(at("4h10s"))).violations) == []


def test_what_was_joined_late_counts_in_its_window() -> None:
    judge = Judge(ESTATE)
    judge.on_measurement(flush(at("30m1s"), fact("right", at("30m"), "e1", 1, 1), waiting=at("20m")))
    judge.on_measurement(flush(at("3h"), waiting=at("20m")))
    judge.on_measurement(flush(at("4h"), fact("right", at("20m"), "e0", 1, 1)))
    (violation,) = judge.on_measurement(flush(at("4h10s"))).violations
    assert told((violation,)) == [("right", "open", at("1h"))]
    assert [item.event_id for item in violation.evidence] == ["e0", "e1"]


def test_each_partition_is_waited_for() -> None:
    judge = Judge(ESTATE, JudgeSettings(lateness=0, settle=0))
    judge.on_measurement(flush(at("30m1s"), fact("right", at("30m")), waiting=at("20m")))
    judge.on_measurement(flush(at("30m2s"), waiting=at("59m"), partition=1))
    assert judge.on_measurement(flush(at("2h"))).violations == ()
    assert told(judge.on_measurement(flush(at("2h1s"), partition=1)).violations) == [("right", "open", at("1h"))]
