"""Calls that hooks report with what the tool answered: once, soon enough, and whatever ends them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pydantic import BaseModel

from seamwatch.guard.answers import LONGEST, answered, outcome_of
from seamwatch.guard.overdue import Overdue
from seamwatch.sdk.spool import Spool
from seamwatch.wire.codec import Codec
from tests.guard.scene import Scene
from tests.waiting import PATIENCE, wait_for

PACT = "- {id: tools, kind: scope, tools: [{tool: pay}]}"


def outcomes(scene: Scene) -> list[str | None]:
    return [record["outcome"] for record in scene.reported]


def test_a_call_is_reported_with_its_outcome_when_it_is_over() -> None:
    scene = Scene(PACT)
    talk = scene.guard.conversation("t1")
    started = talk.started("pay", {"amount": 1})
    assert (started.verdict.permitted, scene.reported) == (True, [])
    started.over("1 paid")
    started.over("and again")
    failing = talk.started("pay", {"amount": 2})
    failing.failed(ConnectionError("user:password@host"))
    assert outcomes(scene) == ["1 paid", "failed: ConnectionError"]
    assert not talk.started("steal").verdict.permitted
    assert [record["decision"] for record in scene.reported] == ["allowed", "allowed", "denied"]


def test_a_call_that_takes_long_is_reported_in_time_without_its_outcome_and_only_once() -> None:
    scene = Scene(PACT)
    talk = scene.guard.conversation("t1")
    slow, slower = (talk.started("pay", {"n": n}, within=0.05 * n) for n in (1, 2))
    wait_for(lambda: len(scene.reported) == 2)
    slow.over("late")
    slower.failed(ValueError())
    assert outcomes(scene) == [None, None]
    later = talk.started("pay", within=30)
    soon = talk.started("pay", {"soon": 1}, within=0.01)
    wait_for(lambda: len(scene.reported) == 3)
    soon.over("late")
    later.over("done")
    assert outcomes(scene) == [None, None, None, "done"]


def test_what_is_under_way_when_the_process_ends_is_reported(tmp_path: Path) -> None:
    program = (
        "from seamwatch import Emitter\nfrom seamwatch.guard import Guard\n"
        f"emitter = Emitter('svc', bootstrap='127.0.0.1:1', spool='{tmp_path}', delivery_timeout=1)\n"
        "guard = Guard.load('contracts', system='nobody', version='1', emitter=emitter, uncovered='allowed')\n"
        "started = [guard.conversation('t').started('pay', {'n': n}) for n in range(3)]\n"
        "started[0].over('paid')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE, env={**os.environ, "PYTHONPATH": "."})
    spool, codec = Spool(tmp_path, 1 << 20), Codec()
    spool.adopt()
    told = [codec.decode("tool_call", message.value)["outcome"] for message in spool.read(10)[0]]
    assert sorted(told, key=str) == [None, None, "paid"]


def test_what_is_put_off_is_done_in_its_time_by_one_thread_that_ends_with_it() -> None:
    overdue, done = Overdue(), list[str]()
    before = threading.active_count()
    for seconds, name in ((0.09, "c"), (0.03, "a"), (0.06, "b"), (60, "never")):
        number = overdue.after(seconds, lambda name=name: done.append(name))  # type: ignore[misc]
    assert threading.active_count() <= before + 1
    wait_for(lambda: len(done) == 3)
    assert done == ["a", "b", "c"]
    assert overdue.cancel(number)
    assert not overdue.cancel(number)
    overdue.after(0.01, lambda: done.append("d"))
    wait_for(lambda: len(done) == 4 and threading.active_count() == before)
    overdue.after(60, lambda: done.append("at the end"))
    overdue.finish()
    assert done[-1] == "at the end"


class Paid(BaseModel):
    amount: float


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("5 paid", "5 paid"),
        ("", ""),
        (None, None),
        ({"paid": 5, "to": "Žofie"}, '{"paid": 5, "to": "Žofie"}'),
        ([Paid(amount=2)], '[{"amount": 2.0}]'),
        ("half an emoji \ud83d", "half an emoji ?"),
        ("x" * 501, "x" * (LONGEST - 1) + "…"),
        (object, "\"<class 'object'>\""),
    ],
)
def test_an_answer_is_told_as_text_of_bounded_length(answer: object, told: str | None) -> None:
    assert answered(answer) == told


def test_a_function_of_the_services_own_decides_what_is_told_and_cannot_spoil_the_answer() -> None:
    assert outcome_of("secret", lambda _: "answered") == "answered"
    assert outcome_of("secret", lambda _: None) is None
    assert outcome_of("secret", lambda answer: answer["no"]) == "the answer could not be told (TypeError)"
