"""A conversation as the agent's code sees it: what it asks before it acts, and what came of the act.

Asks the engine and reports; the rules are elsewhere. What runs within a conversation that was entered (``with``)
finds it by `Guard.current`, in its tasks too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any, Self

from seamwatch.guard.engine import Call, Engine
from seamwatch.guard.verdict import Verdict, demand

_entered: ContextVar[tuple[Conversation, ...]] = ContextVar("seamwatch_conversations", default=())


def current(engine: Engine) -> Conversation | None:
    """The conversation entered last, of those that are the engine's."""
    return next((talk for talk in reversed(_entered.get()) if talk.asks(engine)), None)


@dataclass(slots=True)
class Act:
    """An act under way; ``outcome`` is reported with it when it is over."""

    verdict: Verdict
    outcome: str | None = None


class Conversation:
    """One conversation of the guarded system, by its ``trace`` (None: acts outside any conversation)."""

    def __init__(self, engine: Engine, trace: str | None) -> None:
        self._engine = engine
        self.trace = trace
        self._tokens: list[Token[tuple[Conversation, ...]]] = []

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

    def asks(self, engine: Engine) -> bool:
        """Whether its acts are that engine's to judge."""
        return self._engine is engine

    def __enter__(self) -> Self:
        self._tokens.append(_entered.set((*_entered.get(), self)))
        return self

    def __exit__(self, *_: object) -> None:
        _entered.reset(self._tokens.pop())
