"""A conversation as the agent's code sees it: what it asks before it acts, and what came of the act.

Asks the engine and reports; the rules are elsewhere. What runs within a conversation that was entered (``with``)
finds it by `Guard.current`, in its tasks too; a thread finds it when what it runs was `Conversation.carried`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ParamSpec, Self, TypeVar

from seamwatch.guard.engine import Call, Engine, Judged
from seamwatch.guard.verdict import Verdict, demand

P = ParamSpec("P")
R = TypeVar("R")

_entered: ContextVar[tuple[Conversation, ...]] = ContextVar("seamwatch_conversations", default=())


def current(engine: Engine) -> Conversation | None:
    """The conversation entered last, of those that are the engine's."""
    return next((talk for talk in reversed(_entered.get()) if talk.asks(engine)), None)


REPORTED_WITHIN = 2.0
"""Seconds after which a call is reported without its outcome: well within the lateness that the stream allows."""


@dataclass(slots=True)
class Act:
    """An act under way; ``outcome`` is reported with it when it is over."""

    verdict: Verdict
    outcome: str | None = None


class Started:
    """A call as a hook sees it: its ``verdict``, and how it is told what came of it. Reported once."""

    def __init__(self, engine: Engine, judged: Judged, within: float) -> None:
        self._engine = engine
        self._judged = judged
        self.verdict = judged.verdict
        self._number: int | None = None
        if judged.verdict.permitted:
            self._number = engine.overdue.after(within, lambda: engine.report_while(judged, None))
        else:
            engine.report(judged)

    def over(self, outcome: str | None) -> None:
        """The call is over; ``outcome`` says in words what the tool answered. Raises RecordError if strict."""
        if self._number is not None and self._engine.overdue.cancel(self._number):
            self._engine.report(self._judged, outcome)

    def failed(self, error: BaseException) -> None:
        """The call ended by an exception, whose type is told: its message may hold anything."""
        if self._number is not None and self._engine.overdue.cancel(self._number):
            self._engine.report_while(self._judged, f"failed: {type(error).__name__}")


class Conversation:
    """One conversation of the guarded system, by its ``trace`` (None: acts outside any conversation)."""

    def __init__(self, engine: Engine, trace: str | None) -> None:
        self._engine = engine
        self.trace = trace

    def check(self, tool: str, arguments: Mapping[str, Any] | str | None = None, **more: Any) -> Verdict:
        """The verdict on a call that the agent asks for, which is reported at once.

        ``arguments`` is a mapping, or one JSON object as text. More can be said of the call: ``call_id`` (the same
        call asked again is counted once), ``confidence``, ``resource``, ``authorisation``, ``attributes``,
        ``parent_id`` and ``reviewed_by`` (who decided, after an escalation).

        Raises TypeError for what a call does not have, and RecordError from an emitter that is ``strict``.
        """
        judged = self._engine.judge_call(Call(tool=tool, arguments=arguments, trace=self.trace, **more))
        self._engine.report(judged)
        return judged.verdict

    def require(self, tool: str, arguments: Mapping[str, Any] | str | None = None, **more: Any) -> Verdict:
        """As `check`; raises Denied or Escalated when the call may not happen now."""
        return demand(self.check(tool, arguments, **more))

    @contextmanager
    def act(self, tool: str, arguments: Mapping[str, Any] | str | None = None, **more: Any) -> Iterator[Act]:
        """Around a call: as `require`, but what is permitted is reported when it is over, with its outcome.

        An exception is reported as ``failed: <its type>`` and goes on. What is over only after the allowed lateness
        reaches the stream late.
        """
        judged = self._engine.judge_call(Call(tool=tool, arguments=arguments, trace=self.trace, **more))
        if not judged.verdict.permitted:
            self._engine.report(judged)
            demand(judged.verdict)
        under_way = Act(judged.verdict)
        try:
            yield under_way
        except BaseException as error:
            self._engine.report_while(judged, under_way.outcome or f"failed: {type(error).__name__}")
            raise
        self._engine.report(judged, under_way.outcome)

    def decide(self, *, reviewed_by: str | None = None, **fields: Any) -> Verdict:
        """The verdict on a decision of the model (an inference), by the clauses that speak of decisions.

        ``fields`` are those of an inference. One that is denied is not made, and neither counted nor reported.
        Raises TypeError for a field that an inference does not have.
        """
        judged = self._engine.judge_decision(self.trace, fields, reviewed_by)
        self._engine.report(judged)
        return judged.verdict

    def started(
        self, tool: str, arguments: Mapping[str, Any] | str | None = None, within: float = REPORTED_WITHIN, **more: Any
    ) -> Started:
        """The verdict on a call that begins now if it is permitted; for hooks, which see the tool's answer.

        A call that is not permitted is reported at once; a permitted one when `Started.over` says what came of it, or
        after ``within`` seconds without that, or when the process ends.
        """
        judged = self._engine.judge_call(Call(tool=tool, arguments=arguments, trace=self.trace, **more))
        return Started(self._engine, judged, within)

    def carried(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function (``async`` ones too), which runs in this conversation whatever thread calls it.

        A thread begins outside any conversation, even one that is started inside: give it what was carried. Tasks,
        and what `asyncio.to_thread` runs, are inside by themselves.
        """
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
                with self:
                    return await function(*args, **kwargs)

            return awaited  # type: ignore[return-value]

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            with self:
                return function(*args, **kwargs)

        return called

    def asks(self, engine: Engine) -> bool:
        """Whether its acts are that engine's to judge."""
        return self._engine is engine

    def __enter__(self) -> Self:
        _entered.set((*_entered.get(), self))
        return self

    def __exit__(self, *_: object) -> None:
        entered = list(_entered.get())
        # The last of them: one conversation may be entered in several threads, and in one several times.
        entered.reverse()
        entered.remove(self)
        _entered.set(tuple(reversed(entered)))
