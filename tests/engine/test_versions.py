"""Several versions of a contract: each event by the one in force at its time, and what is open when another comes."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from seamwatch.columnar.columns import frame_of
from seamwatch.documents import Estate
from seamwatch.durations import HOUR, MINUTE, SECOND
from seamwatch.engine.judge import Judge
from seamwatch.engine.settings import JudgeSettings
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import Evidence, Fact, ForwardedEvent, Measurement, Violation, Watermark
from streams.measure.plan import Plan
from streams.replay.replay import replay
from streams.testing import Load, loaded
from tests.clauses.history import at, contract, estate_of
from tests.engine.changing import history, three

NONE_LATE = JudgeSettings(lateness=0, settle=0, climbs=False)
CHANGE = at("12h30m")
FIRST = """
- {id: fresh, kind: freshness, max_lag: 26h}
- {id: valid, kind: range, min: 0, max: 1, quiet: 3h}
"""


def versions(first: str, second: str, change: int = CHANGE, **more: str) -> Estate:
    """Two versions of a contract over `scorer`, of which the second is in force from the change on."""
    later = contract("scorer", second, effective_from=format_instant(change), **more)
    return estate_of(contract("scorer", first), later.replace('version: "1"', 'version: "2"'))


def fact(estate: Estate, version: str, time: int, event_id: str = "e", clause: str = "valid", value: float = 2) -> Fact:
    known = next(c for c in estate.contracts if c.version == version)
    evidence = (Evidence(time, event_id, "seamwatch.inference", 0, 7, value=value),)
    start = time // HOUR * HOUR
    return Fact("example", version, known.digest, clause, "scorer", None, start, HOUR, 1, 1, time, time,
                evidence=evidence)  # fmt: skip


def refresh(time: int, arrived: int | None = None) -> ForwardedEvent:
    record = {"event_id": f"r{time}", "event_time": time, "system": "scorer", "data_as_of": time}
    return ForwardedEvent("dataset_refresh", record, arrived=arrived)


def flush(time: int, *facts: Fact, events: tuple[ForwardedEvent, ...] = ()) -> Measurement:
    return Measurement(time, (Watermark("seamwatch.inference", 0, 0, time, caught_up=True),), facts, events)


def brief(violations: tuple[Violation, ...]) -> list[tuple[str, str, str, int]]:
    return [(v.clause, v.contract_version, v.state, v.opened_at) for v in violations]


LOOSER = FIRST.replace("max: 1,", "max: 3,")


def test_an_event_that_comes_after_the_change_is_judged_by_the_version_of_its_time() -> None:
    estate = versions(FIRST, LOOSER)
    judge = Judge(estate)
    assert judge.on_measurement(flush(CHANGE + 4 * SECOND)).violations == ()
    early = fact(estate, "1", CHANGE - SECOND)
    (found,) = judge.on_measurement(flush(CHANGE + 4 * SECOND, early)).violations
    assert (found.contract_version, found.contract_digest) == ("1", estate.contracts[0].digest)
    assert "outside the agreed 0 to 1" in found.summary


def test_what_the_new_version_finds_waits_until_the_last_of_the_former_has_come() -> None:
    estate = versions(FIRST, FIRST.replace("max: 1,", "max: 1.5,"))
    judge = Judge(estate)
    after, before = fact(estate, "2", CHANGE + SECOND, "b"), fact(estate, "1", CHANGE - SECOND, "a")
    assert judge.on_measurement(flush(CHANGE + 2 * SECOND, after)).violations == ()
    # The one that came later happened earlier: it opens the episode, in the words of its version.
    (opened,) = judge.on_measurement(flush(CHANGE + 3 * SECOND, before)).violations
    assert (opened.contract_version, [e.event_id for e in opened.evidence]) == ("1", ["a"])
    assert judge.on_measurement(flush(CHANGE + 4 * SECOND)).violations == ()
    (grown,) = judge.on_measurement(flush(CHANGE + 5 * SECOND)).violations
    assert grown == replace(opened, evidence=(*opened.evidence, *after.evidence))


def test_a_new_clause_is_not_held_up_by_a_version_that_lacked_it() -> None:
    estate = versions("- {id: fresh, kind: freshness, max_lag: 26h}", FIRST)
    judge = Judge(estate, NONE_LATE)
    (found,) = judge.on_measurement(flush(CHANGE + SECOND, fact(estate, "2", CHANGE + SECOND))).violations
    assert (found.contract_version, found.opened_at) == ("2", CHANGE + SECOND)


def test_what_came_early_waits_through_a_version_that_lacks_the_clause() -> None:
    lacking, again = "- {id: fresh, kind: freshness, max_lag: 26h}", at("13h10m")
    third = contract("scorer", FIRST, effective_from=format_instant(again)).replace('version: "1"', 'version: "3"')
    second = contract("scorer", lacking, effective_from=format_instant(CHANGE)).replace('version: "1"', 'version: "2"')
    estate = estate_of(contract("scorer", FIRST), second, third)
    judge = Judge(estate, NONE_LATE)
    early, coming = fact(estate, "1", at("12h10m"), "a"), fact(estate, "3", at("13h20m"), "b")
    assert len(judge.on_measurement(flush(at("12h20m"), early, coming)).violations) == 1
    (over,) = judge.on_measurement(flush(at("12h50m"))).violations
    assert (over.state, over.contract_version) == ("resolved", "1")
    assert judge.on_measurement(flush(at("13h"))).violations == ()
    (found,) = judge.on_measurement(flush(at("13h30m"))).violations
    assert (found.state, found.contract_version, found.opened_at) == ("open", "3", at("13h20m"))


def test_an_episode_stays_with_the_version_that_opened_it_and_ends_by_the_one_in_force() -> None:
    estate = versions(FIRST, FIRST.replace("quiet: 3h", "quiet: 1h"))
    judge = Judge(estate, NONE_LATE)
    (opened,) = judge.on_measurement(flush(at("12h10m"), fact(estate, "1", at("12h10m")))).violations
    assert judge.on_measurement(flush(at("13h9m"))).violations == ()
    # The event of 12:10 and one quiet hour: version 2 says one hour, version 1 said three.
    (over,) = judge.on_measurement(flush(at("13h10m"))).violations
    assert (over.state, over.resolved_at, over.contract_version) == ("resolved", at("13h10m"), "1")
    assert (over.violation_id, over.summary) == (opened.violation_id, opened.summary)


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("- {id: fresh, kind: freshness, max_lag: 26h}", ("version 2 of contract example, in force from 2026-03-02 "
         "12:30:00 UTC, has no clause 'valid'")),
        ("- {id: valid, kind: approval}", "measures clause 'valid' otherwise"),
        ("- {id: valid, kind: range, min: 0, max: 1, window: 2h}", "measures clause 'valid' otherwise"),
    ],
    ids=["gone", "another kind", "another window"],
)  # fmt: skip
def test_an_episode_ends_with_its_clause_at_the_change_and_says_why(second: str, said: str) -> None:
    estate = versions(FIRST, second)
    judge = Judge(estate, NONE_LATE)
    judge.on_measurement(flush(at("12h10m"), fact(estate, "1", at("12h10m"))))
    (over,) = judge.on_measurement(flush(at("12h40m"))).violations
    assert (over.state, over.resolved_at, over.contract_version) == ("resolved", CHANGE, "1")
    assert said in over.summary


def test_a_clock_that_the_new_version_does_not_have_runs_out_no_more() -> None:
    judge = Judge(versions(FIRST, "- {id: valid, kind: range, min: 0, max: 1}"), NONE_LATE)
    judge.on_measurement(flush(at("1h"), events=(refresh(at("1h")),)))
    assert judge.on_measurement(flush(at("60h"))).violations == ()


def test_a_system_that_is_no_longer_covered_is_followed_no_longer() -> None:
    later = contract("other", FIRST, effective_from=format_instant(CHANGE)).replace('version: "1"', 'version: "2"')
    estate = estate_of(contract("scorer", FIRST), later)
    judge = Judge(estate, NONE_LATE)
    judge.on_measurement(flush(at("12h10m"), fact(estate, "1", at("12h10m"))))
    (over,) = judge.on_measurement(flush(at("12h40m"))).violations
    assert "contract example is not in force for it from 2026-03-02 12:30:00 UTC on" in over.summary


def test_a_tighter_clock_runs_out_at_the_change_and_not_before() -> None:
    judge = Judge(versions(FIRST, FIRST.replace("26h", "6h")), NONE_LATE)
    judge.on_measurement(flush(at("1h"), events=(refresh(at("1h")),)))
    assert judge.on_measurement(flush(CHANGE - SECOND)).violations == ()
    (stale,) = judge.on_measurement(flush(CHANGE)).violations
    # Its data was six hours old at 7:00, when nobody had agreed to six hours.
    assert (stale.contract_version, stale.opened_at, stale.limit) == ("2", CHANGE, 6 * 3_600)


def test_a_looser_clock_leaves_open_what_is_open() -> None:
    tight = FIRST.replace("26h", "6h")
    judge = Judge(versions(tight, FIRST), NONE_LATE)
    judge.on_measurement(flush(at("1h"), events=(refresh(at("1h")),)))
    assert brief(judge.on_measurement(flush(at("8h"))).violations) == [("fresh", "1", "open", at("7h"))]
    assert judge.on_measurement(flush(at("14h"))).violations == ()
    (over,) = judge.on_measurement(flush(at("15h"), events=(refresh(at("15h")),))).violations
    assert (over.state, over.resolved_at, over.contract_version) == ("resolved", at("15h"), "1")


def test_a_window_across_the_change_is_judged_at_its_end_by_the_version_in_force_then() -> None:
    first = "- {id: mostly, kind: range, min: 0, max: 1, tolerate: 0.5}"
    estate = versions(first, first.replace("0.5", "0.1"))
    judge = Judge(estate, NONE_LATE)
    four, none = fact(estate, "1", at("12h10m"), clause="mostly"), fact(estate, "2", at("12h40m"), clause="mostly")
    judge.on_measurement(flush(at("12h10m"), replace(four, count=10, breaches=4)))
    judge.on_measurement(flush(at("12h40m"), replace(none, count=10, breaches=0, evidence=())))
    (share,) = judge.on_measurement(flush(at("13h"))).violations
    # A fifth of the hour's events: fine by the one, too many by the other.
    assert (share.contract_version, share.opened_at, share.observed, share.limit) == ("2", at("13h"), 0.2, 0.1)


def test_an_episode_keeps_its_severity_until_it_ends() -> None:
    estate = versions(FIRST, FIRST.replace("quiet: 3h", "quiet: 3h, severity: warning"))
    judge = Judge(estate, NONE_LATE)
    judge.on_measurement(flush(at("12h10m"), fact(estate, "1", at("12h10m"))))
    (grown,) = judge.on_measurement(flush(at("12h50m"), fact(estate, "2", at("12h40m"), "f"))).violations
    assert (grown.severity, len(grown.evidence)) == ("breach", 2)
    (over,) = judge.on_measurement(flush(at("16h"))).violations
    assert (over.state, over.violation_id) == ("resolved", grown.violation_id)
    (again,) = judge.on_measurement(flush(at("17h10m"), fact(estate, "2", at("17h10m"), "g"))).violations
    assert (again.severity, again.contract_version) == ("warning", "2")


def test_persons_of_either_list_may_acknowledge() -> None:
    people = "---\nkind: Person\nid: new@example.org\nname: Example New\n"
    second = contract("scorer", FIRST, effective_from=format_instant(CHANGE)).replace('version: "1"', 'version: "2"')
    estate = estate_of(contract("scorer", FIRST), second.replace("second@example.org, ack", "new@example.org, ack"),
                       people.removeprefix("---"))  # fmt: skip
    for person, state in [("new@example.org", "acknowledged"), ("second@example.org", "acknowledged")]:
        judge = Judge(estate, NONE_LATE)
        (opened,) = judge.on_measurement(flush(at("12h10m"), fact(estate, "1", at("12h10m")))).violations
        record = {"event_id": "a", "event_time": at("12h50m"), "system": "scorer", "of": "violation", "note": None,
                  "reference": opened.violation_id, "person": person, "answer": "accept", "key_id": None,
                  "signature": None}  # fmt: skip
        judge.on_measurement(flush(at("12h40m")))
        (told,) = judge.on_measurement(
            flush(at("12h50m"), events=(ForwardedEvent("acknowledgement", record),))
        ).violations
        assert (told.state, told.acknowledged_by) == (state, person)


def test_documents_that_change_while_something_is_open_change_its_course() -> None:
    """A later version is published, and taken back before it is in force."""
    first = estate_of(contract("scorer", FIRST))
    both = versions(FIRST, "- {id: fresh, kind: freshness, max_lag: 26h}")
    for taken_back in (False, True):
        judge = Judge(first, NONE_LATE)
        judge.on_measurement(flush(at("12h10m"), fact(first, "1", at("12h10m"))))
        judge.replace_estate(both)
        assert judge.on_measurement(flush(at("12h20m"))).violations == ()
        if taken_back:
            judge.replace_estate(first)
        assert [v.state for v in judge.on_measurement(flush(at("12h40m"))).violations] == ([] if taken_back else
                                                                                          ["resolved"])  # fmt: skip


def test_a_version_in_force_that_is_taken_back_gives_way_to_the_former() -> None:
    both = versions(FIRST, LOOSER)
    judge = Judge(both, NONE_LATE)
    judge.on_measurement(flush(at("13h"), fact(both, "2", at("12h50m"))))
    judge.replace_estate(estate_of(contract("scorer", FIRST)))
    judge.on_measurement(flush(at("13h1m")))
    (over,) = judge.on_measurement(flush(at("16h"))).violations
    assert (over.state, over.resolved_at) == ("resolved", at("15h50m"))


def test_what_comes_after_the_change_for_a_clause_that_is_measured_otherwise_is_counted_as_late() -> None:
    estate = versions(FIRST, "- {id: valid, kind: range, min: 0, max: 1, window: 2h}")
    judge = Judge(estate)
    judge.on_measurement(flush(at("12h30m1s"), fact(estate, "2", at("12h30m1s"))))
    judge.on_measurement(flush(at("12h40m")))
    assert judge.late == 0
    judge.on_measurement(flush(at("12h41m"), fact(estate, "1", at("12h29m"))))
    assert judge.late == 1


# Live and replay


def seen(violation: Violation) -> tuple[Any, ...]:
    names = ("violation_id", "contract_version", "contract_digest", "clause", "kind", "system", "slice", "severity",
             "observed", "limit", "unit", "summary", "opened_at", "since", "person", "resolved_at")  # fmt: skip
    ids = tuple(item.event_id for item in violation.evidence)
    return (*(getattr(violation, name) for name in names), violation.state == "resolved", ids)


def as_it_happens(estate: Estate, events: list[tuple[str, dict[str, Any]]], chance: random.Random, end: int,
                  crash: float = 0.0) -> dict[str, Violation]:  # fmt: skip
    """The last state of every violation when each event comes up to four seconds late, and stages may crash."""
    settings = JudgeSettings(climbs=False)
    judge, plan, latest = Judge(estate, settings), Plan(estate), dict[str, Violation]()
    kept: dict[str, bytes] = {}
    coming = sorted(
        ((r["event_time"] + chance.randrange(4 * SECOND), kind, r) for kind, r in events), key=lambda e: e[0]
    )
    began: int | None = None
    moments = sorted({came // SECOND + 1 for came, _, _ in coming} | set(range(at("12h") // SECOND, end // SECOND, 7)))
    for moment in moments:
        now = moment * SECOND
        rows: dict[str, list[dict[str, Any]]] = {}
        rare: list[ForwardedEvent] = []
        while coming and coming[0][0] < now:
            came, kind, record = coming.pop(0)
            began = min(record["event_time"], began or record["event_time"])
            if kind in ("inference", "tool_call"):
                rows.setdefault(kind, []).append(record)
            else:
                rare.append(ForwardedEvent(kind, record, arrived=came))
        facts = [fact for kind, found in rows.items() for fact in plan.facts(kind, frame_of(kind, found))]  # type: ignore[arg-type]
        measured = replace(flush(now, *facts, events=tuple(rare)), began=began)
        for violation in judge.on_measurement(measured).violations:
            latest[violation.violation_id] = violation
        for key, value in judge.take_dirty().items():
            if value is None:
                kept.pop(key, None)
            else:
                kept[key] = value
        if chance.random() < crash:
            judge = Judge(estate, settings)
            for key, value in kept.items():
                judge.restore(key, value)
    return latest


@pytest.mark.parametrize("seed", range(6))
def test_live_is_replay_across_changes_of_version(seed: int) -> None:
    chance = random.Random(seed)
    first = at(f"12h{chance.uniform(20, 60):.5f}m") if seed % 2 else at("12h40m")
    second = first + chance.randrange(5, 50) * MINUTE + seed % 2 * 1_234_567
    estate, events = estate_of(*three(first, second)), history(chance)
    end = at("15h")
    expected = {v.violation_id: v for v in replay(estate, events, now=end)}
    assert len({v.contract_version for v in expected.values()}) > 1
    live = as_it_happens(estate, events, chance, end + 10 * SECOND, crash=0.02)
    last = events[-1][1]["event_time"]
    assert {seen(v) for v in live.values() if v.opened_at <= last} == {
        seen(v) for v in expected.values() if v.opened_at <= last
    }


@pytest.mark.parametrize("seed", range(6))
def test_a_history_in_any_order_is_judged_as_its_replay_across_changes_of_version(seed: int) -> None:
    """Loaded in bulk, spread over partitions, with kills in the middle; both changes may be crossed at once."""
    chance = random.Random(seed)
    now = at("15h")
    first = at("12h41m") + 1_234_567
    estate, events = estate_of(*three(first, first + 37 * MINUTE)), history(chance)
    last = events[-1][1]["event_time"]
    expected = {seen(v) for v in replay(estate, events, now=last + HOUR) if v.opened_at <= last}
    assert len({v[1] for v in expected}) == 3
    load = Load(seed, keyed=seed % 3 == 0, seconds=[2.0, 8.0, 0.5][seed % 3])
    latest = loaded(estate, chance.sample(events, len(events)), load, now)
    # What ends after the last event ends later live, where time goes on.
    assert {_until(s, last) for s in map(seen, latest.values()) if s[12] <= last} == {_until(s, last) for s in expected}


def _until(state: tuple[Any, ...], last: int) -> tuple[Any, ...]:
    return state if state[15] is not None and state[15] <= last else (*state[:11], *state[12:15], state[17])
