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

from seamwatch.guard.answers import Outcome, answered, outcome_of
from seamwatch.guard.conversation import Conversation, Started
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

    A permitted call is reported with what the tool answered, made into text by ``outcome`` (its first 500 characters
    unless told otherwise), or without it when the tool takes longer than two seconds.
    """

    state_schema = GuardedState

    def __init__(self, guard: Guard, *, outcome: Outcome = answered) -> None:
        super().__init__()
        self._guard = guard
        self._outcome = outcome

    def before_agent(self, state: GuardedState, runtime: Any) -> dict[str, Any]:  # noqa: ARG002 - theirs to name
        """Give the run an id."""
        return {_RUN: new_event_id()}

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], _Result]) -> _Result:
        """Run the tool when its call is permitted; else the verdict's sentence is its result."""
        started = self._started(request)
        if started is None:
            return handler(request)
        if not started.verdict.permitted:
            return _refusal(request, started.verdict)
        try:
            result = handler(request)
        except BaseException as error:
            started.failed(error)
            raise
        started.over(self._outcome_of(result))
        return result

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[_Result]]
    ) -> _Result:
        """As `wrap_tool_call`, of an agent that runs asynchronously."""
        started = self._started(request)
        if started is None:
            return await handler(request)
        if not started.verdict.permitted:
            return _refusal(request, started.verdict)
        try:
            result = await handler(request)
        except BaseException as error:
            started.failed(error)
            raise
        started.over(self._outcome_of(result))
        return result

    def _outcome_of(self, result: _Result) -> str | None:
        if not isinstance(result, ToolMessage):
            # A command of the graph: what it does is the graph's affair, and may be anything.
            return type(result).__name__
        given = outcome_of(result.content, self._outcome)
        return f"failed: {given}" if result.status == "error" else given

    def _started(self, request: ToolCallRequest) -> Started | None:
        """The call with its verdict; None for arguments that the tool itself turns down."""
        try:
            arguments = _arguments(request)
        except ValidationError:
            return None
        call = request.tool_call
        return self._conversation(request).started(call["name"], arguments, call_id=call["id"])

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
