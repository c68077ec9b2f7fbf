"""The most that a clause remembers of one slice fits into one record of the state topic, beside its episodes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from seamwatch.clauses import kinds
from seamwatch.clauses.change_notice import (
    _ANNOUNCED_KEPT,
    _CHANGES_KEPT,
    _CLOCKS_KEPT,
    _EARLY_ANSWERS,
    _VALUES_KEPT,
    Answer,
    ChangeNoticeState,
    Clock,
)
from seamwatch.clauses.escalation import EscalationState
from seamwatch.clauses.precondition import REMEMBERED, PreconditionState
from seamwatch.clauses.rate import EVENTS_KEPT, KEPT, RateState, Tally
from seamwatch.clauses.signal import SignalState
from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.judging.calls import MOST_CALLS, Call, Calls
from seamwatch.judging.entries import Entry, read_entry, write_entry
from seamwatch.judging.episodes import open_episode
from seamwatch.judging.facts import Evidence, Fact
from seamwatch.judging.handovers import MOST_OWED, MOST_SILENT, MOST_WAITING, Handovers, Owed, Talk
from seamwatch.judging.judgement import Open
from seamwatch.judging.runs import Run, Runs
from seamwatch.judging.seam import Seam, Step
from seamwatch.judging.windows import MOST_WINDOWS, Window, Windows
from seamwatch.wire.topics import Topics
from tests.clauses.history import at

LARGEST = next(
    int(topic.settings["max.message.bytes"]) for topic in Topics("p").specs(()) if topic.name == Topics("p").judge_state
)
ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def evidence(number: int = 0) -> Evidence:
    return Evidence(at("1h") + number, ID, "seamwatch.tool_call", 11, 1_234_567_890, 0.123456789, "a" * 24)


def fact(number: int, histogram: int = 0) -> Fact:
    five = tuple(map(evidence, range(5)))
    start = at("1h") + number * MINUTE
    return Fact(
        "contract-of-some-length", "1.0.0", "d" * 64, "clause-of-some-length", "system-of-some-length", ID, start,
        MINUTE, 1_000_000, 5, start, start, 0.1234567890, 0.1, 0.2, (1_000,) * histogram, five
    )  # fmt: skip


def runs(number: int) -> Runs:
    five = tuple(map(evidence, range(5)))
    return Runs(Windows(tuple(Window(fact(n), at("1h")) for n in range(number))), Run(0, 0, HOUR, five, open=True))


def waiting(number: int) -> Calls:
    return Calls(tuple(Call(evidence(n), "summary/due and made", at("1h")) for n in range(number)), (at("1h"), ID))


def clock(number: int) -> Clock:
    return Clock(f"change-of-some-length-{number}", "threshold", "owner@example.org", at(), at("2d"), evidence())


OWED = Owed(evidence(), 1_000)
STATES: dict[str, Any] = {
    "scope": (runs(MOST_WINDOWS), 1),
    "signal": (SignalState(Windows(tuple(Window(fact(n, 256), at("1h")) for n in range(MOST_WINDOWS)))), 1),
    "precondition": (PreconditionState(waiting(MOST_CALLS), {f"{n:024}": at() for n in range(REMEMBERED)}), 1),
    "rate": (
        RateState((Tally(0, HOUR, KEPT, at(), at(), tuple(map(evidence, range(KEPT)))),) * (EVENTS_KEPT // KEPT)),
        1,
    ),
    "escalation": (EscalationState(waiting(MOST_CALLS), (OWED,) * 1_000), 1),
    "change_notice": (
        ChangeNoticeState(
            tuple(map(clock, range(_CLOCKS_KEPT))),
            tuple(f"change-of-some-length-{n}" for n in range(_CHANGES_KEPT)),
            tuple((f"{n:064}", at()) for n in range(_ANNOUNCED_KEPT)),
            (Answer("change-of-some-length", "owner@example.org", "accept", at(), ID),) * _EARLY_ANSWERS,
            tuple((f"{n:064}", runs(1)) for n in range(_VALUES_KEPT)),
        ),
        _CLOCKS_KEPT + _VALUES_KEPT,
    ),
}  # fmt: skip


def summed_up() -> EscalationState:
    talks = [Talk(f"{ID}{n}", replace(waiting(1), done=(at(), ID)), last=at()) for n in range(MOST_WAITING)]
    talks += [Talk(f"{ID}{n}", Calls(done=(at(), ID)), (OWED,), at()) for n in range(MOST_OWED)]
    talks += [Talk(f"{ID}{n}", Calls(done=(at(), ID)), last=at()) for n in range(MOST_SILENT)]
    return EscalationState(handovers=Handovers(tuple(talks)))


@pytest.mark.parametrize("kind", [*STATES, "escalation summary"])
def test_the_largest_state_fits_into_a_record(kind: str) -> None:
    state, episodes = STATES.get(kind) or (summed_up(), 0)
    name = kind.split(maxsplit=1)[0]
    assert isinstance(state, kinds()[name].state_type)
    steps = (Step("owner@example.org"),) * 3
    seam = Seam("contract-of-some-length", "1.0.0", "d" * 64, "system-of-some-length", escalation=steps)
    shown = tuple(map(evidence, range(1 if episodes > 1 else 5)))
    found = Open("breach", "key", at(), "s" * 250, slice=ID, evidence=shown)
    opened = tuple(open_episode(seam, "clause-of-some-length", name, found, at(), climbs=True) for _ in range(episodes))
    entry = Entry(name, "1.0.0", state, opened, deadline=at("1h") + DAY)
    written = write_entry(entry)
    assert len(written) < LARGEST
    assert read_entry(written) == entry
    assert json.loads(written)["head"]["kind"] == name
