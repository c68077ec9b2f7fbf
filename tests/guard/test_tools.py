"""Wrapped tools: each call is checked with its arguments, in the conversation that was entered."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from seamwatch.errors import UsageError
from seamwatch.guard import Denied
from tests.guard.scene import Scene
from tests.waiting import PATIENCE

PACT = """
- id: tools
  kind: scope
  tools:
    - tool: refund
      where: arguments.amount <= 100
- {id: two, kind: rate, max: 2, per: trace}
"""


def test_a_tool_runs_only_when_its_call_is_permitted() -> None:
    scene, paid = Scene(PACT), list[float]()

    @scene.guard.tool
    def refund(order: str, amount: float = 5) -> str:
        """Pay back."""
        paid.append(amount)
        return f"{order} paid"

    with scene.guard.conversation("t1"):
        assert refund("o1") == "o1 paid"
        with pytest.raises(Denied, match="it may be called only when"):
            refund("o1", amount=101)
    assert paid == [5]
    assert (refund.__name__, refund.__doc__, str(inspect.signature(refund))) == (
        "refund", "Pay back.", "(order: 'str', amount: 'float' = 5) -> 'str'"
    )  # fmt: skip
    assert [(r["trace_id"], json.loads(r["arguments"]), r["decision"]) for r in scene.reported] == [
        ("t1", {"order": "o1", "amount": 5}, "allowed"), ("t1", {"order": "o1", "amount": 101}, "denied")
    ]  # fmt: skip


def test_a_tool_can_answer_the_model_instead_of_raising() -> None:
    scene = Scene(PACT)

    @scene.guard.tool("refund", without=["session"], answers=True)
    def pay(session: object, **more: float) -> str:
        return f"{sorted(more)} paid"

    with scene.guard.conversation("t1"):
        assert pay(object(), amount=5) == "['amount'] paid"
        assert pay(object(), amount=500).startswith("The call of refund was denied")
    assert json.loads(scene.reported[0]["arguments"]) == {"amount": 5}


def test_an_async_tool_is_checked_in_the_conversation_of_its_task() -> None:
    scene = Scene(PACT)

    @scene.guard.tool
    async def refund(amount: float) -> float:
        await asyncio.sleep(0)
        return amount

    async def chat(trace: str) -> list[object]:
        with scene.guard.conversation(trace):
            return await asyncio.gather(*(refund(n) for n in (1, 2, 3)), return_exceptions=True)

    async def both() -> list[list[object]]:
        return list(await asyncio.gather(chat("t1"), chat("t2")))

    assert inspect.iscoroutinefunction(refund)
    for done in asyncio.run(both()):
        assert done[:2] == [1, 2]
        assert isinstance(done[2], Denied)
    assert sorted({str(record["trace_id"]) for record in scene.reported}) == ["t1", "t2"]


def test_a_method_is_judged_without_its_object() -> None:
    scene = Scene(PACT)

    class Desk:
        @scene.guard.tool
        def refund(self, amount: float) -> float:
            return amount

    with scene.guard.conversation("t1"):
        assert Desk().refund(7) == 7
    assert json.loads(scene.reported[0]["arguments"]) == {"amount": 7}


def test_a_call_that_the_function_does_not_take_is_its_own_error_and_no_event() -> None:
    scene = Scene(PACT)

    @scene.guard.tool
    def refund(amount: float) -> float:
        return amount

    with pytest.raises(TypeError, match="amount"):
        refund()  # type: ignore[call-arg]
    assert scene.reported == []
    with pytest.raises(UsageError, match="no parameter session"):
        scene.guard.tool(without=["session"])(refund)


def test_conversations_of_two_guards_are_entered_side_by_side() -> None:
    one, other = Scene(PACT), Scene(PACT)
    with one.guard.conversation("a"), other.guard.conversation("b"), one.guard.conversation("c"):
        assert (one.guard.current.trace, other.guard.current.trace) == ("c", "b")
    assert one.guard.current.trace is None


def test_of_calls_at_the_same_time_no_more_than_agreed_are_permitted() -> None:
    scene = Scene(PACT)

    def ask(_: int) -> bool:
        return scene.guard.conversation("t1").check("refund", {"amount": 1}).permitted

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(ask, range(200))) == 2
    times = [record["event_time"] for record in scene.reported]
    assert len(set(times)) == 200


RATE = "- {id: one, kind: rate, max: 1, per: trace, tool: pay}"


def paying(scene: Scene) -> Callable[[int], str]:
    @scene.guard.tool
    def pay(amount: int) -> str:
        return f"{amount} paid"

    def tried(amount: int) -> str:
        try:
            return pay(amount)
        except Denied as error:
            return str(error)

    return tried


def test_a_limit_of_a_conversation_holds_in_its_threads_and_tasks() -> None:
    for carry in (True, False):
        scene = Scene(RATE)
        tried = paying(scene)
        with scene.guard.conversation("t1") as talk, ThreadPoolExecutor(4) as pool:
            done = list(pool.map(talk.carried(tried) if carry else tried, range(8)))
        # What was not carried is outside any conversation: nothing passes rather than everything.
        assert sum(text.endswith("paid") for text in done) == (1 if carry else 0)
        assert {record["trace_id"] for record in scene.reported} == ({"t1"} if carry else {None})

    async def tasks(scene: Scene, tried: Callable[[int], str]) -> list[str]:
        async def one(amount: int) -> str:
            return tried(amount)

        with scene.guard.conversation("t1") as talk:
            inside = [asyncio.create_task(one(n)) for n in range(3)]
            to_thread = [asyncio.to_thread(tried, n) for n in range(3)]
            in_executor = asyncio.get_running_loop().run_in_executor(None, talk.carried(tried), 1)
        return [*await asyncio.gather(*inside, *to_thread), await in_executor]

    # Tasks keep the conversation that they were begun in; what `to_thread` runs is begun when it is awaited.
    scene = Scene(RATE)
    done = asyncio.run(tasks(scene, paying(scene)))
    assert sum(text.endswith("paid") for text in done) == 1
    assert [record["trace_id"] for record in scene.reported].count("t1") == 4


def test_outside_any_conversation_a_limit_of_one_denies_and_says_why() -> None:
    scene = Scene(RATE + "\n- {id: hourly, kind: rate, max: 2, per: 1h, tool: lend}")
    tried = paying(scene)
    said = "at most 1 call of pay in a conversation, and there is no conversation to count it in (example@1#one)"
    assert tried(1) == f"The call of pay was denied: {said}."
    assert scene.guard.current.check("look").permitted  # what the limit does not speak of
    assert [scene.guard.current.check("lend").permitted for _ in range(3)] == [True, True, False]


def test_a_conversation_can_be_entered_by_several_threads_at_once_and_within_another() -> None:
    scene = Scene(RATE)
    guard, both = scene.guard, threading.Barrier(2)
    shared = guard.conversation("shared")

    def inside(name: str) -> list[str | None]:
        with shared, guard.conversation(name):
            both.wait(PATIENCE)
            seen = [guard.current.trace]
            with shared:
                seen.append(guard.current.trace)
            seen.append(guard.current.trace)
            both.wait(PATIENCE)
        return [*seen, guard.current.trace]

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(inside, ("a", "b"))) == [["a", "shared", "a", None], ["b", "shared", "b", None]]


def test_an_async_tool_is_carried_too() -> None:
    scene = Scene(RATE)

    @scene.guard.tool
    async def pay(amount: int) -> int:
        await asyncio.sleep(0)
        return amount

    carried = scene.guard.conversation("t1").carried(pay)
    assert asyncio.run(carried(5)) == 5
    with pytest.raises(Denied):
        asyncio.run(carried(5))
    assert [record["trace_id"] for record in scene.reported] == ["t1", "t1"]
