"""The hook in the real LangChain, with a model that is played: which tools run, and what the model reads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from itertools import count
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.tools import InjectedState
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.tools import BaseTool, StructuredTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from pydantic import BaseModel, field_validator, model_validator

from seamwatch.guard.langchain import GuardedTools
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
_NUMBERS = count(1)


class Played(GenericFakeChatModel):
    """A model that says what it is told to, whatever tools it is given."""

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self


def said(turns: Sequence[Turn]) -> list[BaseMessage]:
    asked = [
        [{"name": name, "args": args, "id": f"call-{next(_NUMBERS)}", "type": "tool_call"} for name, args in turn]
        for turn in turns
    ]
    return [AIMessage("" if calls else "done", tool_calls=calls) for calls in [*asked, []]]


class Order(BaseModel):
    user: str
    amount: float = 1.0

    @field_validator("user")
    @classmethod
    def small(cls, user: str) -> str:
        return user.lower()


class Desk:
    """An agent whose model asks for these calls, turn by turn."""

    def __init__(self, turns: Sequence[Turn], pact: str = PACT, tools: Sequence[BaseTool] = (), **more: Any) -> None:
        self.scene = Scene(pact)
        self.ran: list[str] = []
        self.hook = GuardedTools(self.scene.guard)

        @tool
        def verify(order: Order) -> str:
            """Verify."""
            self.ran.append("verify")
            return f"{order.user} verified"

        async def pay(order: Order) -> str:
            return give(order)

        def give(order: Order) -> str:
            self.ran.append("refund")
            return f"{order.amount} paid"

        refund = StructuredTool.from_function(give, pay, name="refund", description="Refund.")
        self.tools = [verify, refund, *tools]
        model = Played(messages=iter(said(turns)))
        self.agent: Any = create_agent(model, self.tools, middleware=[self.hook], **more)

    def ask(self, thread: str | None = None) -> list[str]:
        """What the model read of its tools."""
        config = {} if thread is None else {"configurable": {"thread_id": thread}}
        return read_of(self.agent.invoke({"messages": [("user", "refund me")]}, config)["messages"])

    @property
    def conversations(self) -> set[str | None]:
        return {record["trace_id"] for record in self.scene.reported}


def read_of(messages: Sequence[BaseMessage]) -> list[str]:
    return [str(message.content) for message in messages if isinstance(message, ToolMessage)]


def order(amount: float | str = 5.0, user: str = "ada") -> dict[str, Any]:
    return {"order": {"user": user, "amount": amount}}


TURNS: Sequence[Turn] = [[("refund", order())], [("verify", order())], [("refund", order(500))], [("refund", order())]]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_tools_run_only_when_permitted_and_the_model_reads_why_not(asynchronous: bool) -> None:
    desk = Desk(TURNS)
    config = {"configurable": {"thread_id": "chat-1"}}
    asked = {"messages": [("user", "refund me")]}
    done = asyncio.run(desk.agent.ainvoke(asked, config)) if asynchronous else desk.agent.invoke(asked, config)
    answers = [message for message in done["messages"] if isinstance(message, ToolMessage)]
    read = read_of(answers)
    assert read[0].startswith("The call of refund was denied: verify must have been called before")
    assert read[1] == "ada verified"
    assert "only when arguments.order.amount <= 100" in read[2]
    # What was denied was not made, and counts for no rate.
    assert read[3] == "5.0 paid"
    assert [answer.status for answer in answers] == ["error", "success", "error", "success"]
    assert desk.ran == ["verify", "refund"]
    assert [record["decision"] for record in desk.scene.reported] == ["denied", "allowed", "denied", "allowed"]
    assert [record["outcome"] for record in desk.scene.reported] == [None, "ada verified", None, "5.0 paid"]
    assert desk.conversations == {"chat-1"}
    assert json.loads(desk.scene.reported[0]["arguments"]) == order()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_tool_that_fails_is_reported_as_failed_and_what_it_raises_goes_on(asynchronous: bool) -> None:
    @tool
    def look(order: Order) -> str:
        """Look."""
        raise ConnectionError(f"{order.user}:password@host")

    desk = Desk([[("look", order())]], PACT.replace("verify}", "verify}\n    - {tool: look}", 1), [look])
    asked = {"messages": [("user", "look")]}
    with pytest.raises(ConnectionError):
        asyncio.run(desk.agent.ainvoke(asked)) if asynchronous else desk.agent.invoke(asked)
    assert [record["outcome"] for record in desk.scene.reported] == ["failed: ConnectionError"]


def test_what_of_an_answer_is_reported_is_the_services_own_to_say() -> None:
    desk = Desk([[("verify", order())]])
    desk.hook._outcome = lambda answer: f"{len(answer)} characters"
    assert desk.ask() == ["ada verified"]
    assert [record["outcome"] for record in desk.scene.reported] == ["12 characters"]


def test_the_arguments_are_judged_as_the_tool_will_have_them() -> None:
    pact = "- {id: never, kind: prohibition, never: arguments.order.amount > 100 or arguments.order.user = 'eve'}"
    desk = Desk(
        [[("refund", order("500"))], [("refund", order(user="EVE"))], [("refund", {"order": {"user": "Ada"}})]], pact
    )
    read = desk.ask()
    assert [text.startswith("The call of refund was denied") for text in read] == [True, True, False]
    assert desk.ran == ["refund"]
    # With defaults, and as validated.
    assert json.loads(desk.scene.reported[-1]["arguments"]) == order(1.0)


def test_arguments_that_are_none_of_the_tools_are_turned_down_by_the_tool() -> None:
    desk = Desk([[("verify", {"order": {"amount": 1}})], [("unknown", {"x": 1})]])
    read = desk.ask()
    assert "user" in read[0]
    assert "required" in read[0]
    assert read[1].startswith("The call of unknown was denied")
    assert desk.ran == []
    assert [record["tool"] for record in desk.scene.reported] == ["unknown"]


def test_what_the_framework_injects_is_no_argument() -> None:
    seen: list[int] = []

    @tool
    def look(user: str, state: Annotated[dict[str, Any], InjectedState]) -> str:
        """Look."""
        seen.append(len(state["messages"]))
        return user

    desk = Desk([[("look", {"user": "ada"})]], "- {id: tools, kind: scope, tools: [{tool: look}]}", [look])
    assert desk.ask() == ["ada"]
    assert seen == [2]
    assert [record["arguments"] for record in desk.scene.reported] == ['{"user":"ada"}']


def test_what_only_the_whole_schema_takes_is_judged_all_the_same() -> None:
    class Look(BaseModel):
        user: str
        state: Annotated[dict[str, Any], InjectedState]

        @model_validator(mode="before")
        @classmethod
        def named(cls, given: dict[str, Any]) -> dict[str, Any]:
            return {"user": given.get("name"), **given}

    ran: list[str] = []

    def act(user: str, state: dict[str, Any]) -> str:
        ran.append(user)
        return user

    look = StructuredTool.from_function(act, name="look", description="Look.", args_schema=Look)
    turns: list[Turn] = [[("look", {"name": "eve"})], [("look", {"name": "ada"})]]
    desk = Desk(turns, "- {id: never, kind: prohibition, never: arguments.name = 'eve'}", [look])
    assert desk.ask()[0].startswith("The call of look was denied")
    assert ran == ["ada"]
    assert [record["decision"] for record in desk.scene.reported] == ["denied", "allowed"]


def test_a_thread_is_a_conversation_that_goes_on_and_a_run_without_one_is_its_own() -> None:
    turns: list[Turn] = [[("verify", order())], [], [("refund", order())]]
    kept = Desk(turns, checkpointer=InMemorySaver())
    assert kept.ask("t-1") == ["ada verified"]
    assert kept.ask("t-1") == ["ada verified", "5.0 paid"]
    assert kept.conversations == {"t-1"}
    apart = Desk(turns)
    apart.ask()
    assert apart.ask()[-1].startswith("The call of refund was denied: verify must have been called before")
    assert len(apart.conversations) == 2
    assert None not in apart.conversations


def test_calls_of_one_turn_are_each_checked_in_the_conversation_that_was_entered() -> None:
    desk = Desk([[("verify", order())], [("refund", order(n)) for n in (1, 2, 3)]])
    with desk.scene.guard.conversation("mine"):
        read = desk.ask("theirs")
    assert sorted(desk.ran) == ["refund", "refund", "verify"]
    assert sum(text.startswith("The call of refund was denied") for text in read) == 1
    assert desk.conversations == {"mine"}


def test_a_tool_node_of_ones_own_graph_is_guarded_by_the_same_methods() -> None:
    desk = Desk([])
    hook = desk.hook
    node = ToolNode(desk.tools, wrap_tool_call=hook.wrap_tool_call, awrap_tool_call=hook.awrap_tool_call)
    graph: Any = StateGraph(MessagesState).add_node("tools", node).set_entry_point("tools").compile()
    for turn in ([("verify", order())], [("refund", order())], [("refund", order(500))]):
        graph.invoke({"messages": said([turn])[:1]}, {"configurable": {"thread_id": "g-1"}})
    assert desk.ran == ["verify", "refund"]
    assert desk.conversations == {"g-1"}
