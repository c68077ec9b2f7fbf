"""The guard of one system: made of a folder of documents, it gives conversations, and wraps the agent's tools.

    guard = Guard.load("contracts/", system="order-agent", version="7", emitter=emitter)
    with guard.conversation("chat-81") as talk:
        talk.require("refund", {"amount": 40, "currency": "EUR"})

Holds no rules: the clauses are judged by `seamwatch.guard.engine`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Literal, ParamSpec, TypeVar, overload

from seamwatch.clock import Clock, SystemClock
from seamwatch.documents import Estate
from seamwatch.errors import UsageError
from seamwatch.guard.conversation import Conversation, current
from seamwatch.guard.engine import Engine, Options
from seamwatch.guard.plan import Unchecked
from seamwatch.guard.tools import guarded
from seamwatch.sdk.reporter import Reporter
from seamwatch.wire.events import new_event_id

if TYPE_CHECKING:
    from seamwatch.guard.suspensions import Suspensions

P = ParamSpec("P")
R = TypeVar("R")

CONVERSATIONS = 10_000
LARGEST = 256 * 1024


class Guard:
    """Checks what one system does before it does it. Safe to share between threads and tasks.

    - ``version``, ``config_digest``: of the system that runs here; reported with every act.
    - ``emitter``: reports every act that was asked for, allowed or not; None reports nothing.
    - ``clock``: None for the emitter's, or the machine's without one. An act's event time is when it was checked.
    - ``uncovered``: what becomes of acts while no contract covers the system.
    - ``conversations``: how many are remembered at most; the one silent longest is forgotten first.
    - ``largest``: bytes of arguments that are judged at most; a call with more is denied.
    - ``suspensions``: what is suspended is denied (`seamwatch.guard.Suspensions`); None asks nobody.
    """

    def __init__(
        self,
        estate: Estate,
        *,
        system: str,
        version: str,
        config_digest: str | None = None,
        emitter: Reporter | None = None,
        clock: Clock | None = None,
        uncovered: Literal["denied", "allowed"] = "denied",
        conversations: int = CONVERSATIONS,
        largest: int = LARGEST,
        suspensions: Suspensions | None = None,
    ) -> None:
        if not system or not version:
            raise UsageError("a guard needs the id of its system and the version that runs: system=…, version=…")
        if uncovered not in ("denied", "allowed"):
            raise UsageError(f"uncovered={uncovered!r}: it is 'denied' or 'allowed'")
        if conversations < 1 or largest < 1:
            raise UsageError("conversations and largest are at least 1")
        options = Options(system, version, config_digest, uncovered, conversations, largest)
        own = clock or (emitter.clock if emitter else SystemClock())
        self._engine = Engine(estate, options, emitter, own, suspensions)
        if suspensions is not None:
            suspensions.start()

    @classmethod
    def load(
        cls,
        folder: Path | str,
        *,
        system: str,
        version: str,
        config_digest: str | None = None,
        emitter: Reporter | None = None,
        clock: Clock | None = None,
        uncovered: Literal["denied", "allowed"] = "denied",
        conversations: int = CONVERSATIONS,
        largest: int = LARGEST,
        suspensions: Suspensions | None = None,
    ) -> Guard:
        """The guard of a system by the documents of a folder. Raises DocumentError, naming every error in them."""
        return cls(
            Estate.load(Path(folder)),
            system=system,
            version=version,
            config_digest=config_digest,
            emitter=emitter,
            clock=clock,
            uncovered=uncovered,
            conversations=conversations,
            largest=largest,
            suspensions=suspensions,
        )

    def reload(self, folder: Path | str) -> None:
        """Judge by the folder as it is now; what is remembered stays.

        Raises DocumentError, and then nothing changes.
        """
        self._engine.replace_estate(Estate.load(Path(folder)))

    @property
    def covered(self) -> bool:
        """Whether a contract covers the system."""
        return self._engine.plan.covered

    @property
    def unchecked(self) -> tuple[Unchecked, ...]:
        """The clauses in force that cannot be checked before an act, and so are left to the stream."""
        return self._engine.plan.unchecked

    def conversation(self, trace: str | None = None) -> Conversation:
        """The conversation of that ``trace_id``, or a new one. Raises UsageError when the id is no text."""
        if trace is None:
            return Conversation(self._engine, new_event_id())
        if not isinstance(trace, str) or not trace:
            raise UsageError(f"trace={trace!r}: a conversation's id is text, and not empty")
        return Conversation(self._engine, trace)

    @property
    def current(self) -> Conversation:
        """The conversation that was entered here (``with``); where none was, what is outside any conversation."""
        return current(self._engine) or Conversation(self._engine, None)

    @overload
    def tool(self, function: Callable[P, R], /) -> Callable[P, R]: ...

    @overload
    def tool(
        self, name: str | None = None, /, *, without: Collection[str] = (), answers: bool = False
    ) -> Callable[[Callable[P, R]], Callable[P, R]]: ...

    def tool(
        self, given: Callable[P, R] | str | None = None, /, *, without: Collection[str] = (), answers: bool = False
    ) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
        """Wrap a function that the agent calls: it runs only when the call is permitted (``async`` ones too).

        As ``@guard.tool``, or ``@guard.tool("name", …)`` where the tool is not called as the function is. Judged are
        all arguments but those named in ``without``, in the conversation that was entered (`current`). What is not
        permitted raises Denied or Escalated; with ``answers`` the verdict's sentence is the result, for the model.
        """

        def require(tool: str, arguments: dict[str, object]) -> object:
            return self.current.require(tool, arguments)

        if callable(given):
            return guarded(given, require, None, without, answers=answers)
        return lambda function: guarded(function, require, given, without, answers=answers)
