"""The hook for LangChain and LangGraph: a middleware that asks the guard before any tool of an agent runs.

    agent = create_agent("…", tools=[…], middleware=[…, GuardedTools(guard)])

What is not permitted does not run, and the model reads why in the tool's place. Needs ``seamwatch[guard-langchain]``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, NotRequired, TypeGuard

from langchain.agents.middleware import AgentMiddleware, AgentState, ToolCallRequest
from langchain.agents.middleware.types import PrivateStateAttr
from langchain_core.messages import ToolMessage
from langgraph.channels import UntrackedValue
from langgraph.types import Command
from pydantic import BaseModel, ValidationError

from seamwatch.guard.conversation import Conversation
from seamwatch.guard.guard import Guard
from seamwatch.guard.verdict import Verdict
from seamwatch.wire.events import new_event_id

_Result = ToolMessage | Command[Any]
_RUN = "seamwatch_run"


class GuardedState(AgentState[Any]):
    """An agent's state, and beside it which run this is; only the guard reads that."""

    seamwatch_run: NotRequired[Annotated[str, UntrackedValue, PrivateStateAttr]]


class GuardedTools(AgentMiddleware[GuardedState, Any]):
    """Checks every call of a tool, with the arguments as the tool's schema makes them.

    The conversation is the guard's that was entered, or else the run's ``thread_id``; a run without one is a
    conversation of its own. A call has no confidence here, so `human_review` finds nothing to review. The two wrapping
    methods serve a `ToolNode` of a graph of one's own as well, where a run without a thread is no conversation.
    """

    state_schema = GuardedState

    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self._guard = guard

    def before_agent(self, state: GuardedState, runtime: Any) -> dict[str, Any]:  # noqa: ARG002 - theirs to name
        """Give the run an id."""
        return {_RUN: new_event_id()}

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], _Result]) -> _Result:
        """Run the tool when its call is permitted; else the verdict's sentence is its result."""
        verdict = self._check(request)
        return handler(request) if verdict is None or verdict.permitted else _refusal(request, verdict)

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[_Result]]
    ) -> _Result:
        """As `wrap_tool_call`, of an agent that runs asynchronously."""
        verdict = self._check(request)
        return await handler(request) if verdict is None or verdict.permitted else _refusal(request, verdict)

    def _check(self, request: ToolCallRequest) -> Verdict | None:
        """The verdict; None for arguments that are none of the tool's, which the tool itself turns down."""
        try:
            arguments = _arguments(request)
        except ValidationError:
            return None
        call = request.tool_call
        return self._conversation(request).check(call["name"], arguments, call_id=call["id"])

    def _conversation(self, request: ToolCallRequest) -> Conversation:
        talk = self._guard.current
        if talk.trace is not None:
            return talk
        thread = request.runtime.config.get("configurable", {}).get("thread_id")
        run = request.state.get(_RUN) if isinstance(request.state, Mapping) else None
        trace = thread if thread is not None else run
        return talk if trace is None else self._guard.conversation(str(trace))


def _arguments(request: ToolCallRequest) -> Mapping[str, Any]:
    """The arguments that the tool will run with; what the framework injects into it is not among them.

    Raises ValidationError for those that its schema turns down.
    """
    given = request.tool_call["args"]
    known = None if request.tool is None else request.tool.tool_call_schema
    if request.tool is None or not _validates(known):
        return given
    whole = request.tool.args_schema
    if _validates(whole) and whole.model_fields.keys() <= known.model_fields.keys():
        # The schema itself, with the validators that its copy without injected arguments has lost.
        return _validated(whole, given)
    try:
        return _validated(known, given)
    except ValidationError:
        # The whole schema may take what its copy does not.
        return given


def _validates(form: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(form, type) and issubclass(form, BaseModel)


def _validated(form: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """As the tool runs: with defaults, under the names of its parameters."""
    validated = form.model_validate(given)
    made = {name: getattr(validated, name) for name in form.model_fields}
    return {k: v for k, v in made.items() if v is not None or k in given} | (validated.model_extra or {})


def _refusal(request: ToolCallRequest, verdict: Verdict) -> ToolMessage:
    call = request.tool_call
    return ToolMessage(verdict.sentence, tool_call_id=call["id"] or "", name=call["name"], status="error")
