"""Two episodes of a clause never share an id, whatever they began with, live as in a replay."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from seamwatch.documents import Estate
from seamwatch.durations import DAY, MINUTE
from seamwatch.engine.judge import Judge
from seamwatch.engine.settings import JudgeSettings
from seamwatch.engine.spent import KEPT, Spent, still_spent, times_spent, with_spent
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import ForwardedEvent, Measurement, Violation, Watermark
from seamwatch.judging.model.identity import identity
from seamwatch.wire.text import record_of
from streams.replay.replay import replay
from tests.clauses.history import at, call, contract, decision, estate_of, found
from tests.clauses.test_state import Live
from tests.engine.test_versions import as_it_happens, seen

VALID = "- {id: valid, kind: range, min: 0, max: 1}"
OTHER = "- {id: other, kind: volume, of: inference, max: 100000}"
NONE_LATE = JudgeSettings(lateness=0, settle=0, climbs=False)


def versioned(*versions: tuple[str, str | None], system: str = "scorer") -> Estate:
    """A contract in versions of these clauses, in force from these offsets on."""
    texts = []
    for number, (clauses, since) in enumerate(versions, start=1):
        more = {} if since is None else {"effective_from": format_instant(at(since))}
        texts.append(contract(system, clauses, **more).replace('version: "1"', f'version: "{number}"'))
    return estate_of(*texts)


def records(events: Iterable[Mapping[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [record_of(event, make_ids=True) for event in events]


def ids(violations: Iterable[Violation]) -> list[str]:
    return [v.violation_id for v in sorted(violations, key=lambda v: v.opened_at)]


def flush(time: int, *facts: Any, events: tuple[ForwardedEvent, ...] = ()) -> Measurement:
    return Measurement(time, (Watermark("seamwatch.inference", 0, 0, time, caught_up=True),), facts, events)


def test_a_clause_that_is_left_out_and_put_back_within_the_hour_has_two_episodes() -> None:
    estate = versioned((VALID, None), (OTHER, "12h20m"), (VALID, "12h30m"))
    events = records([decision("12h5m", score=7), decision("12h40m", score=9), decision("12h45m", score=0.5)])
    replayed = replay(estate, events, now=at("13h"))
    first, second = ids(replayed)
    # The first of a window has the id that it always had.
    window = str(at("12h"))
    assert first == identity("example", "valid", "scorer", "breach", None, window)
    assert second == identity("example", "valid", "scorer", "breach", None, window, "2")
    for seed in range(3):
        live = as_it_happens(estate, events, random.Random(seed), at("13h"), crash=0.1)
        assert {seen(v) for v in live.values()} == {seen(v) for v in replayed}


def test_a_contract_that_is_withdrawn_and_published_again_opens_another_episode() -> None:
    whole, gone = estate_of(contract("scorer", VALID)), Estate()
    live = Live(contract("scorer", VALID))
    live.flush([decision("12h5m", score=7)], at("12h5m1s"))
    judge = Judge(gone, NONE_LATE)
    for key, value in live.topic.items():
        judge.restore(key, value)
    judge.replace_estate(gone)
    over = judge.on_measurement(flush(at("12h20m"))).violations
    assert [v.state for v in over] == ["resolved"]
    live.topic |= {key: value for key, value in judge.take_dirty().items() if value is not None}
    live.estate = whole
    live.flush([decision("12h40m", score=9)], at("12h40m1s"))
    assert len(live.latest) == 2


@pytest.mark.parametrize(
    "says",
    [
        "scope, tools: [{tool: find}]",
        "prohibition, never: tool = 'refund'",
        "human_review, below: 0.5",
        "assertion, on: tool_call, must: confidence > 0.5",
        "precondition, tool: refund, requires: verify",
        "rate, per: trace, max: 1",
        "escalation, when: tool = 'refund', within: 1",
    ],
)
def test_a_conversation_that_goes_on_after_days_has_another_episode(says: str) -> None:
    documents = contract("agent", f"- {{id: held, kind: {says}}}")
    # In both halves three calls a minute apart; a trace of the same name a week later.
    events = [
        call(f"{day}d1h{n}m", "refund", "t1", confidence=0.1, event_id=f"e{day}{n}") for day in (1, 8) for n in range(3)
    ]
    replayed = found(documents, events, now="8d5h")
    assert len(set(ids(replayed))) == len(replayed) == 2
    live = Live(documents)
    for event in events:
        live.flush([event], event["event_time"] + MINUTE // 2)
    live.flush([], at("8d5h"))
    assert sorted(live.latest) == sorted(ids(replayed))


def test_who_objects_again_after_having_accepted_opens_another_episode() -> None:
    told = "- {id: told, kind: change_notice, acknowledgers: [owner@example.org]}"
    change = {
        "type": "config_change", "event_time": at("1h"), "system": "scorer", "change_id": "CR-1", "kind": "model",
        "effective_at": at("2h"), "summary": "-", "announced_by": "owner@example.org",
    }  # fmt: skip
    answers = [
        {"type": "acknowledgement", "event_time": at(f"1h{minute}m"), "system": "scorer", "of": "change",
         "reference": "CR-1", "person": "owner@example.org", "answer": answer}
        for minute, answer in ((10, "object"), (20, "accept"), (30, "object"))
    ]  # fmt: skip
    violations = found(contract("scorer", told), [change, *answers], now="3h")
    assert len(set(ids(violations))) == 2
    assert [v.state for v in sorted(violations, key=lambda v: v.opened_at)] == ["resolved", "open"]


def test_a_shorter_quiet_time_gives_its_episodes_names_of_their_own() -> None:
    """The half minute from 12:00 on and the hour from 12:00 on are windows of one name."""
    brief = VALID.replace("max: 1", "max: 1, quiet: 30s")
    estate = versioned((brief, None), (VALID, "12h10m"))
    events = records([decision("12h10s", score=7), decision("12h20m", score=9)])
    first, second = ids(replay(estate, events, now=at("13h")))
    assert first != second


def test_two_breaches_within_the_hour_that_a_short_quiet_time_parts_are_two_episodes() -> None:
    documents = contract("scorer", VALID.replace("max: 1", "max: 1, quiet: 30s"))
    violations = found(documents, [decision(f"7h{m}m10s", score=7) for m in (53, 54, 57)], now="8h")
    assert len(set(ids(violations))) == 3
    assert [v.resolved_at for v in sorted(violations, key=lambda v: v.opened_at)] == [
        at("7h53m40s"), at("7h54m40s"), at("7h57m40s")
    ]  # fmt: skip


def test_names_are_counted_and_the_oldest_make_room() -> None:
    spent: tuple[Spent, ...] = ()
    for number in range(2 * KEPT):
        spent = with_spent(spent, "breach", None, f"k{min(number, KEPT + 5)}", None if number % 2 else number * DAY)
    assert len(spent) == KEPT
    assert times_spent(spent, "breach", None, f"k{KEPT + 5}") == KEPT - 5
    assert [times_spent(spent, "breach", None, f"k{number}") for number in (5, 6)] == [0, 1]
    assert times_spent(spent, "warning", None, "k6") == times_spent(spent, "breach", "a", "k6") == 0
    assert all(one.until is None for one in still_spent(spent, 10**6 * DAY))
