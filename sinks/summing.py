"""Summing: asks the store what a scheduled summary says beside its sentence, so that its message is whole.

Read-only, in threads, and for some seconds at most: whoever sends the message sends it then with what is known, and it
says what could not be read. Fits `seamwatch.delivering.Complete`. What is asked is `sinks.store.questions`'.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import structlog

from seamwatch.clock import Clock
from seamwatch.delivering import asking_nobody
from seamwatch.documents import Estate
from seamwatch.errors import StoreError, UnreachableError
from seamwatch.judging.model.facts import Violation
from seamwatch.summed import PART, WHOLE, Broken, Owes, Summed, by_urgency, unread
from sinks.store.client import Store
from sinks.store.questions.broken import Stretch, broke, stretch_of
from sinks.store.questions.owing import PARTS, Asking
from sinks.store.questions.summaries import summary_of

_log = structlog.get_logger("streams.page.stage")

ASK_SECONDS: Final = 10.0
"""So long a summary waits for the store's answers unless told otherwise."""
TURN_SECONDS: Final = 60.0
"""So long it waits, before that, for those that are due at the same time."""
LISTED: Final = 10
_LAG_SECONDS: Final = 2.5
"""So long the store may need to record a summary that was made just now."""
_LOOK_SECONDS: Final = 0.25
_AT_ONCE: Final = 4
_BROKE: Final = "what broke"
_BEHIND: Final = (
    "The store did not have this summary yet when it was asked, so what happened last may be missing from what it says."
)


@dataclass(slots=True)
class _Reading:
    """What one summary asks, and what is known so far: a thread writes it, and whoever waits takes what is there."""

    url: str
    seconds: float
    due: Violation
    estate: Estate
    stretch: Stretch
    now: int
    given_up: threading.Event = field(default_factory=threading.Event)
    broken: Broken | None = None
    owed: dict[str, list[Owes]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    is_behind: bool = False
    is_away: bool = False

    def read(self) -> None:
        """Ask everything, part by part, until it is given up."""
        with Store(self.url, timeout=self.seconds, reading=True) as store:
            try:
                self.is_behind = not self._is_recorded(store)
                for name, ask in self._steps(store):
                    if self.given_up.is_set():
                        return
                    self._ask(name, ask)
            except StoreError as error:
                self.failed[_BROKE] = "the store refused"
                _log.warning("the store refused a summary", notice=self.due.violation_id, why=str(error))
            except UnreachableError as error:
                self.is_away = True
                _log.warning("the store was not reached for a summary", notice=self.due.violation_id, why=str(error))

    def _is_recorded(self, store: Store) -> bool:
        """Whether the store has the summary itself, which the judge has only just made: if not, it lags."""
        until = time.monotonic() + _LAG_SECONDS
        while summary_of(store, self.due.violation_id) is None:
            if time.monotonic() >= until or self.given_up.wait(_LOOK_SECONDS):
                return False
        return True

    def _steps(self, store: Store) -> Iterator[tuple[str, Callable[[], None]]]:
        system, stretch = self.due.system, self.stretch

        def ask_what_broke() -> None:
            self.broken = broke(store, system, stretch.since, stretch.until, LISTED)

        yield _BROKE, ask_what_broke
        asking = Asking(store, self.estate, system, self.now)
        for name, part in PARTS:
            yield name, lambda name=name, part=part: self.owed.update({name: list(part(asking))})  # type: ignore[misc]

    def _ask(self, name: str, ask: Callable[[], None]) -> None:
        try:
            ask()
        except UnreachableError:
            raise
        except StoreError as error:
            self.failed[name] = "the store refused"
            _log.warning("the store refused a part of a summary", part=name, why=str(error))
        except Exception:  # noqa: BLE001 - what one part makes of the record must not keep the others from being told
            self.failed[name] = "it could not be made out"
            _log.exception("a part of a summary failed", part=name, notice=self.due.violation_id)

    @property
    def has_answers(self) -> bool:
        """Whether the store has said anything: if it has, it is slow, and neither away nor hanging."""
        return self.broken is not None or bool(self.owed) or bool(self.failed)

    def summed(self) -> Summed:
        """What is known by now."""
        broken, owed, failed = self.broken, dict(self.owed), dict(self.failed)
        silence = "the store was not reached" if self.is_away else f"the store took longer than {self.seconds:g} s"
        lacking = {
            name: failed.get(name, silence)
            for name in (_BROKE, *(name for name, _ in PARTS))
            if name in failed or (name not in owed if name != _BROKE else broken is None)
        }
        if broken is None and not owed:
            return unread(next(iter(lacking.values())))
        told = by_urgency([one for some in owed.values() for one in some], self.now)
        overdue = sum(one.is_overdue(self.now) for one in told)
        why = [_BEHIND] if self.is_behind else []
        for reason in dict.fromkeys(lacking.values()):
            names = ", ".join(name for name, of in lacking.items() if of == reason)
            why.append(f"Not read: {names}; {reason}.")
        return Summed(
            PART if why else WHOLE, self.stretch.since, self.stretch.until, self.now, broken,
            tuple(told[:LISTED]) if owed else None, len(told), overdue, tuple(why),
        )  # fmt: skip


class Summing:
    """Completes summaries from a store, whose address is one that only reads; without one it says so."""

    def __init__(self, url: str | None, clock: Clock, seconds: float = ASK_SECONDS) -> None:
        """``seconds``: how long a summary waits for the answers."""
        self._url = url
        self._clock = clock
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="summary")
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._away_at = float("-inf")

    async def __call__(self, due: Violation, estate: Estate) -> Summed:
        """What a summary that is due says beside its sentence, after some seconds at most. Raises nothing."""
        if self._url is None:
            return await asking_nobody(due, estate)
        begun = time.monotonic()
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            return unread(f"many summaries are due at once, and its turn did not come within {TURN_SECONDS:g} s")
        try:
            if self._away_at >= begun:
                # It was waited for meanwhile, in vain: none waits for its turn only to find the same.
                return unread("the store did not answer")
            return await self._read(self._url, due, estate)
        finally:
            self._turn.release()

    async def _read(self, url: str, due: Violation, estate: Estate) -> Summed:
        stretch = stretch_of(estate, due.contract, due.clause, due.system, due.opened_at)
        reading = _Reading(url, self._seconds, due, estate, stretch, self._clock.now())
        try:
            async with asyncio.timeout(self._seconds):
                await asyncio.get_running_loop().run_in_executor(self._threads, reading.read)
        except TimeoutError:
            pass  # what is known by now is told
        finally:
            reading.given_up.set()
        if reading.is_away or not reading.has_answers:
            self._away_at = time.monotonic()
        return reading.summed()
