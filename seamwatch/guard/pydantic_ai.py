"""The hook for Pydantic AI: a capability that asks the guard before any tool of an agent runs.

    agent = Agent("…", capabilities=[GuardedTools(guard)])

What is not permitted does not run, and the model reads why in the tool's place. Needs ``seamwatch[guard-pydantic-ai]``.
"""

from __future__ import annotations

from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.capabilities import AbstractCapability, WrapToolExecuteHandler
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.tools import ToolDefinition

from seamwatch.guard.answers import Outcome, answered, outcome_of
from seamwatch.guard.guard import Guard


class GuardedTools(AbstractCapability[Any]):
    """Checks every call of a tool, with the arguments as they were validated.

    The conversation is the guard's that was entered, or else the run's ``conversation_id``, which goes on with the
    message history. A call has no confidence here, so `human_review` finds nothing to review.

    A permitted call is reported with what the tool answered, made into text by ``outcome`` (its first 500 characters
    unless told otherwise), or without it when the tool takes longer than two seconds.
    """

    def __init__(self, guard: Guard, *, outcome: Outcome = answered) -> None:
        self._guard = guard
        self._outcome = outcome

    async def wrap_tool_execute(
        self,
        ctx: RunContext[Any],
        *,
        call: ToolCallPart,
        tool_def: ToolDefinition,  # noqa: ARG002 - the framework names it
        args: dict[str, Any],
        handler: WrapToolExecuteHandler,
    ) -> Any:
        """Run the tool when its call is permitted; else the verdict's sentence is its result."""
        talk = self._guard.current
        if talk.trace is None and ctx.conversation_id:
            talk = self._guard.conversation(ctx.conversation_id)
        started = talk.started(call.tool_name, args, call_id=call.tool_call_id)
        if not started.verdict.permitted:
            return started.verdict.sentence
        try:
            answer = await handler(args)
        except BaseException as error:
            started.failed(error)
            raise
        started.over(outcome_of(answer, self._outcome))
        return answer
