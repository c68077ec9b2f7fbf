"""A guard asks by the version in force when it is asked, and takes up one that comes at its time."""

from __future__ import annotations

from seamwatch.guard import Guard
from seamwatch.instants import format_instant
from seamwatch.testing import RecordingEmitter
from tests.clauses.history import at, contract, estate_of
from tests.guard.scene import HandClock

TOOLS = "- {id: tools, kind: scope, tools: [{tool: find}]}"


def test_a_version_that_comes_into_force_is_asked_from_then_on() -> None:
    later = contract("agent", TOOLS.replace("find", "refund"), effective_from=format_instant(at("1h")))
    estate = estate_of(contract("agent", TOOLS), later.replace('version: "1"', 'version: "2"'))
    clock = HandClock()
    guard = Guard(estate, system="agent", version="v1", emitter=RecordingEmitter("agents", clock=clock))
    talk = guard.conversation("t1")
    assert talk.check("find").basis == "example@1#tools"
    clock.pass_("59m59s")
    assert talk.check("refund").decision == "denied"
    clock.pass_("1s")
    assert talk.check("refund").basis == "example@2#tools"
    assert talk.check("find").decision == "denied"
