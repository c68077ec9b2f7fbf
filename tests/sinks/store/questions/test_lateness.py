"""Why a violation opened late: every gap of more than two seconds is named, or said to be not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from seamwatch.documents import Contract
from seamwatch.durations import HOUR, MINUTE, SECOND
from seamwatch.judging.found import Found
from seamwatch.judging.model.held import Held
from sinks.store.questions.lateness import TOLD, History, Station, Wait, timeline_of
from sinks.store.questions.lateness.record import Event, Outage, State, Try
from tests.clauses.history import at

NOON = at("12h")
OPENED = NOON + 10 * MINUTE
FOUND = Found(None, 5 * SECOND, 2 * SECOND)
PERSON, NEXT = "owner@example.org", "lead@example.org"


def contract(*clauses: dict[str, Any], **fields: Any) -> Contract:
    parties = {"provider": {"team": "a"}, "consumer": {"team": "b"}}
    steps = [{"person": PERSON, "acknowledge_within": "30m"}, {"person": NEXT}]
    return Contract.model_validate(
        {
            "kind": "Contract", "id": "agreed", "version": "1", "seam": "model-to-product", "covers": ["scorer"],
            "parties": parties, "escalation": steps, "clauses": list(clauses), **fields,
        }
    )  # fmt: skip


RANGE = {"id": "valid", "kind": "range", "min": 0, "max": 1}
SLOW = {"id": "valid", "kind": "signal", "signal": "latency", "max": 300, "window": "10m"}
FRESH = {"id": "valid", "kind": "freshness", "max_lag": "5h"}
ORDER = {"id": "valid", "kind": "precondition", "tool": "pay", "requires": "check"}


def state(**fields: Any) -> State:
    values: dict[str, Any] = {
        "violation_id": "4f1c2a9be0d7", "contract": "agreed", "contract_version": "1", "clause": "valid",
        "kind": "range", "system": "scorer", "slice": None, "severity": "breach", "state": "open", "step": 0,
        "person": PERSON, "summary": "it was so", "opened_at": OPENED, "since": OPENED, "detected_at": OPENED + SECOND,
        "acknowledged_at": None, "acknowledged_by": None, "resolved_at": None, "found": FOUND,
    }  # fmt: skip
    values |= fields
    return State(**{"sent_at": values["detected_at"] + SECOND // 2, **values})


def event(time: int = OPENED, arrived: int | None = None, name: str = "e1") -> Event:
    arrived = time + SECOND // 10 if arrived is None else arrived
    return Event("inference", name, "credit-api", "seamwatch.inference", 2, 17, time, arrived)


def tried(sent: int, ended: int | None = None, result: str = "delivered", **fields: Any) -> Try:
    values: dict[str, Any] = {"step": 0, "person": PERSON, "channel": "json"} | fields
    return Try(**values, result=result, sent_at=sent, ended_at=sent + SECOND // 2 if ended is None else ended)


def history(*states: State, events: tuple[Event, ...] = (event(),), of: Any = RANGE, **fields: Any) -> History:
    tries = fields.pop("tries", (tried(states[0].sent_at + SECOND),))
    agreed = fields.pop("contract", contract(of) if isinstance(of, dict) else of)
    return History(states, events, fields.pop("absent", ()), tries, fields.pop("outages", ()), agreed)


def waits(told: History) -> list[tuple[str, int]]:
    """Causes and seconds, in order; and that every wait stands before its station, and no gap is left out."""
    timeline = timeline_of(told)
    found = [wait for station in timeline.stations for wait in station.waits]
    assert [station.at for station in timeline.stations] == sorted(station.at for station in timeline.stations)
    for station in timeline.stations:
        assert all(wait.until == after.since for wait, after in zip(station.waits, station.waits[1:], strict=False))
        assert not station.waits or abs(station.at - station.waits[-1].until) <= TOLD
    return [(wait.cause, round(wait.lasted / SECOND)) for wait in found]


def said(told: History, cause: str) -> str:
    return next(w.told for station in timeline_of(told).stations for w in station.waits if w.cause == cause)


def test_what_was_not_late_waited_for_nothing() -> None:
    told = history(state())
    assert waits(told) == []
    answer = timeline_of(told).answer
    assert answer == "Opened as soon as it was true, and delivered to a person 1.5 s after that. Nothing held it up."


def test_an_event_that_came_late_is_named_with_its_producer() -> None:
    late = event(arrived=OPENED + 40 * SECOND)
    assert waits(history(state(detected_at=OPENED + 41 * SECOND), events=(late,))) == [("producer", 40)]
    told = history(state(detected_at=OPENED + 46 * SECOND), events=(late,))
    assert waits(told) == [("producer", 40), ("backlog", 6)]
    assert "credit-api" in said(told, "producer")
    assert timeline_of(told).answer.startswith("Opened 46 s after it became true")
    assert "40 s, credit-api sent it so late" in timeline_of(told).answer


def test_of_many_late_events_the_one_that_was_waited_for_is_told_apart() -> None:
    events = tuple(event(OPENED + n * SECOND, OPENED + 40 * SECOND, f"e{n}") for n in range(4))
    told = history(state(detected_at=OPENED + 41 * SECOND), events=events)
    assert waits(told) == [("producer", 40)]
    assert sum("at the broker, 3" in station.told for station in stations(told)) == 3


def test_a_clock_that_is_ahead_is_told_and_holds_nothing_up() -> None:
    told = history(state(), events=(event(arrived=OPENED - 30 * SECOND),))
    assert waits(told) == []
    assert any("the clock of credit-api is 30 s ahead" in station.told for station in timeline_of(told).stations)


def test_a_window_waits_for_its_end_and_the_lateness_that_is_allowed() -> None:
    begun = OPENED - 10 * MINUTE
    opened = state(kind="signal", since=begun, detected_at=OPENED + 8 * SECOND)
    told = history(opened, events=(event(begun + MINUTE),), of=SLOW)
    assert waits(told) == [("agreed", 600), ("lateness", 5), ("unknown", 3)]
    assert said(told, "agreed") == "it is judged at the end of its window, `window: 10m` of clause valid"
    assert "SEAMWATCH_LATENESS" in said(told, "lateness")
    opened = replace(opened, detected_at=OPENED + MINUTE + SECOND)
    told = history(opened, events=(), contract=contract(SLOW, lateness="1m"))
    assert waits(told) == [("agreed", 600), ("lateness", 60)]
    assert "`lateness` of agreed@1" in said(told, "lateness")
    # It says what took time after it was true, and not that an hour is an hour.
    assert "window" not in timeline_of(told).answer


@pytest.mark.parametrize(
    ("clause", "opened", "name"),
    [(FRESH, at("17h"), "max_lag: 5h"), ({**FRESH, "warn_at": "4h"}, at("16h"), "warn_at: 4h")],
)
def test_a_clock_is_named_by_what_was_agreed(clause: dict[str, Any], opened: int, name: str) -> None:
    first = state(kind="freshness", opened_at=opened, since=NOON, detected_at=opened + 6 * SECOND)
    told = history(first, events=(event(NOON, NOON + 30 * SECOND),), of=clause)
    # That the refresh came late held nothing up: hours passed before it was missed.
    assert waits(told) == [("agreed", (opened - NOON) // SECOND), ("lateness", 5)]
    assert name in said(told, "agreed")


def test_a_partition_that_was_not_measured_is_named_and_until_when() -> None:
    held = Held(OPENED + 3 * SECOND, OPENED + MINUTE, (("seamwatch.outcome", 2, OPENED - SECOND),), 1, 28)
    first = state(kind="signal", since=None, detected_at=OPENED + 62 * SECOND, found=replace(FOUND, held=(held,)))
    told = history(first, events=(), of=SLOW)
    assert waits(told) == [("agreed", 600), ("lateness", 5), ("partition", 55)]
    assert "1 of 28 input partitions: seamwatch.outcome[2], measured up to" in said(told, "partition")
    # A time in which it was held before is not what it waited for.
    before = replace(held, since=OPENED - HOUR, until=OPENED - MINUTE)
    told = history(replace(first, found=replace(FOUND, held=(before,))), events=(), of=SLOW)
    assert waits(told) == [("agreed", 600), ("lateness", 5), ("unknown", 57)]


def test_an_event_that_was_measured_late_waits_for_what_is_earlier_and_each_time_is_told_apart() -> None:
    by = tuple(("seamwatch.inference", number, OPENED) for number in range(4))
    first, second = (
        Held(OPENED + begin * SECOND, OPENED + end * SECOND, by, 4, 4) for begin, end in ((1, 20), (50, 80))
    )
    opened = state(detected_at=OPENED + 23 * SECOND, found=replace(FOUND, held=(first,)))
    assert waits(history(opened)) == [("partition", 20), ("settling", 2)]
    opened = state(detected_at=OPENED + 26 * SECOND, found=replace(FOUND, held=(first,)))
    assert waits(history(opened)) == [("partition", 20), ("settling", 2), ("backlog", 4)]
    opened = state(detected_at=OPENED + 80 * SECOND, found=replace(FOUND, held=(first, second)))
    assert waits(history(opened)) == [("partition", 20), ("settling", 2), ("unknown", 28), ("partition", 30)]


def test_a_measure_that_was_away_is_told_as_that_with_its_outage() -> None:
    by = tuple(("seamwatch.inference", number, OPENED) for number in range(5))
    held = Held(OPENED, OPENED + 3 * MINUTE, by, 28, 28)
    first = state(detected_at=OPENED + 3 * MINUTE, found=replace(FOUND, held=(held,)))
    outage = Outage("outage/unwatched", "unwatched", "measure", "Nothing was watched", OPENED, OPENED + 3 * MINUTE)
    told = history(first, outages=(outage,))
    assert waits(told) == [("partition", 180)]
    text = said(told, "partition")
    assert text.startswith("all input partitions were behind from ")
    assert "outage of measure on record (unwatched)" in text
    # What is no outage of measure explains nothing of it.
    assert "on record" not in said(history(first, outages=(replace(outage, stage="record"),)), "partition")


def test_judge_and_measure_are_told_apart_by_when_the_measurement_came() -> None:
    first = state(sent_at=OPENED + MINUTE, found=replace(FOUND, measured_at=OPENED + 2 * SECOND))
    assert waits(history(first)) == [("judge", 58)]
    slow = state(sent_at=OPENED + MINUTE, found=replace(FOUND, measured_at=OPENED + 59 * SECOND))
    assert waits(history(slow)) == [("measure", 58)]
    outage = Outage("o", "stalled", "judge", "It stood still", OPENED, None)
    assert "outage of judge on record (stalled)" in said(history(first, outages=(outage,)), "judge")


def test_calls_in_their_order_and_the_first_of_an_hour_wait_for_what_was_before() -> None:
    first = state(kind="precondition", detected_at=OPENED + 6 * SECOND)
    told = history(first, of=ORDER)
    assert waits(told) == [("order", 5)]
    on_the_hour = state(opened_at=NOON + SECOND, since=NOON + SECOND, detected_at=NOON + 6 * SECOND)
    told = history(on_the_hour, events=(event(NOON + SECOND),))
    assert waits(told) == [("order", 4)]
    assert "first moments of the window that begins" in said(told, "order")


def test_what_nothing_explains_is_said_to_be_not_known() -> None:
    assert waits(history(state(detected_at=OPENED + MINUTE))) == [("unknown", 60)]
    without = history(state(detected_at=OPENED + MINUTE, found=None))
    assert "did not note" in said(without, "unknown")
    outage = Outage("o", "restarting", "measure", "over and over", OPENED, OPENED + MINUTE)
    assert waits(history(state(detected_at=OPENED + MINUTE), outages=(outage,))) == [("measure", 60)]


def test_a_channel_that_hangs_the_pause_after_it_and_the_pager_itself_are_named() -> None:
    first = state()
    sent = first.sent_at
    hung = "failed: time-out: no answer within 15 s from hooks.example.org:443 (3 tries)"
    told = history(
        first,
        tries=(
            tried(sent + 20 * SECOND, sent + 70 * SECOND, hung),
            tried(sent + 75 * SECOND, sent + 76 * SECOND),
        ),
    )
    assert waits(told) == [("pager", 20), ("channel", 50), ("pause", 5)]
    assert hung in said(told, "channel")
    assert "76 s" not in timeline_of(told).answer
    assert "delivered to a person 1 m 16 s after that" in timeline_of(told).answer
    failed = history(first, tries=(tried(sent + SECOND, result="failed: HTTP 403 from hooks.example.org"),))
    assert "every try failed" in timeline_of(failed).answer
    assert any("NOT delivered to owner@example.org by json: failed: HTTP 403" in s.told for s in stations(failed))
    assert "no try to tell anybody is on record" in timeline_of(history(first, tries=())).answer


def stations(told: History) -> tuple[Station, ...]:
    return timeline_of(told).stations


def test_whoever_did_not_acknowledge_is_named_with_the_time_they_had() -> None:
    first = state()
    climbed = replace(first, state="escalated", step=1, person=NEXT, sent_at=first.sent_at + 30 * MINUTE)
    over = replace(climbed, state="resolved", resolved_at=OPENED + HOUR, sent_at=OPENED + HOUR)
    told = history(
        first, climbed, over, tries=(tried(first.sent_at), tried(climbed.sent_at + SECOND, step=1, person=NEXT))
    )
    assert waits(told) == [("answer", 1800)]
    assert (
        said(told, "answer") == f"nobody had acknowledged it: it was with {PERSON}, who had 30m (`acknowledge_within`)"
    )
    assert [station.what for station in stations(told)][-3:] == ["escalated", "delivered", "resolved"]
    # That the next person was asked later is not why the first was told.
    assert timeline_of(told).answer.endswith("Nothing held it up.")


def test_what_is_not_on_record_is_said() -> None:
    told = history(state(), events=(), absent=("e1",), contract=None)
    assert timeline_of(told).notes == (
        "agreed@1 is not on record as it was: what it agreed on is not known",
        "1 of its events is not on record: when they came is not known",
    )
    (note,) = timeline_of(history(state(), events=())).notes
    assert note.startswith("it names no single event")
    (note,) = timeline_of(history(state(found=replace(FOUND, clock="1,2,3")))).notes
    assert "SEAMWATCH_CLOCK" in note


def test_a_wait_says_how_long_it_lasted() -> None:
    assert Wait("unknown", 3, 10, "").lasted == 7
