"""The hook in the real Pydantic AI, with a model that is played: which tools run, and what the model reads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from seamwatch.guard.pydantic_ai import GuardedTools
from tests.guard.scene import Scene

PACT = """
- id: tools
  kind: scope
  tools:
    - {tool: verify}
    - tool: refund
      where: arguments.order.amount <= 100
- {id: verified, kind: precondition, tool: refund, requires: verify, matching: [order.user]}
- {id: two, kind: rate, max: 2, per: trace, tool: refund}
"""
Turn = Sequence[tuple[str, dict[str, Any]]]


class Order(BaseModel):
    user: str
    amount: float


class Desk:
    """An agent whose model asks for these calls, turn by turn."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self.scene = Scene(PACT)
        self.ran: list[str] = []
        self._turns = iter(turns)
        self.agent = Agent(FunctionModel(self._play), capabilities=[GuardedTools(self.scene.guard)])
        self.agent.tool_plain(self.verify)
        self.agent.tool_plain(self.refund)

    def _play(self, _messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
        turn = next(self._turns, ())
        return ModelResponse([ToolCallPart(tool, args) for tool, args in turn] or [TextPart("done")])

    def verify(self, order: Order) -> str:
        self.ran.append("verify")
        return f"{order.user} verified"

    async def refund(self, order: Order) -> str:
        await asyncio.sleep(0)
        self.ran.append("refund")
        return f"{order.amount} paid"


def read_of(messages: Sequence[ModelMessage]) -> list[str]:
    return [str(part.content) for m in messages for part in m.parts if isinstance(part, ToolReturnPart)]


def order(amount: float) -> dict[str, Any]:
    return {"order": {"user": "ada", "amount": amount}}


def test_tools_run_only_when_permitted_and_the_model_reads_why_not() -> None:
    desk = Desk([[("refund", order(5))], [("verify", order(5))], [("refund", order(500))], [("refund", order(5))]])
    done = asyncio.run(desk.agent.run("refund me", conversation_id="chat-1"))
    read = read_of(done.all_messages())
    assert read[0].startswith("The call of refund was denied: verify must have been called before")
    assert read[1] == "ada verified"
    assert "only when arguments.order.amount <= 100" in read[2]
    # What was denied was not made, and counts for no rate.
    assert read[3] == "5.0 paid"
    assert desk.ran == ["verify", "refund"]
    assert [record["decision"] for record in desk.scene.reported] == ["denied", "allowed", "denied", "allowed"]
    assert [record["outcome"] for record in desk.scene.reported] == [None, "ada verified", None, "5.0 paid"]
    assert {record["trace_id"] for record in desk.scene.reported} == {"chat-1"}
    assert json.loads(desk.scene.reported[0]["arguments"]) == order(5)


def test_a_tool_that_fails_is_reported_as_failed_and_what_it_raises_goes_on() -> None:
    desk = Desk([[("verify", {"order": {"user": "nobody", "amount": 1}})]])

    def verify(order: Order) -> str:
        raise ConnectionError(f"{order.user}:password@host")

    agent = Agent(FunctionModel(desk._play), capabilities=[GuardedTools(desk.scene.guard)])
    agent.tool_plain(verify)
    with pytest.raises(ConnectionError):
        asyncio.run(agent.run("verify me"))
    assert [record["outcome"] for record in desk.scene.reported] == ["failed: ConnectionError"]


def test_a_conversation_goes_on_in_the_next_run() -> None:
    desk = Desk([[("verify", order(5))], [], [("refund", order(5))]])
    first = asyncio.run(desk.agent.run("verify me"))
    asyncio.run(desk.agent.run("refund me", message_history=first.all_messages()))
    assert desk.ran == ["verify", "refund"]
    assert len({record["trace_id"] for record in desk.scene.reported}) == 1


def test_calls_of_one_turn_are_each_checked() -> None:
    desk = Desk([[("verify", order(5))], [("refund", order(n)) for n in (1, 2, 3)]])
    with desk.scene.guard.conversation("mine"):
        read = read_of(asyncio.run(desk.agent.run("refund me")).all_messages())
    assert desk.ran == ["verify", "refund", "refund"]
    assert sum(text.startswith("The call of refund was denied") for text in read) == 1
    assert {record["trace_id"] for record in desk.scene.reported} == {"mine"}
