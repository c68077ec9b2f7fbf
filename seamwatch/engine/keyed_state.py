"""Keyed state: what the judge keeps of one clause, system and part between two inputs.

Values only: `seamwatch.engine.process` decides what they hold, `seamwatch.engine.state_codec` writes
them as bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from seamwatch.documents.estate import END
from seamwatch.durations import MINUTE
from seamwatch.engine.episodes import Episode
from seamwatch.engine.spent import Spent
from seamwatch.engine.watermarks import LONG_AGO
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.patterns.windows import earliest

BACKFILL_WAIT = 5 * MINUTE
"""The rest of a backfill is waited for so long after the last input of it; then the clock takes over."""


class StateKey(NamedTuple):
    """Whose state it is. A tuple, because it is compared and looked up several times for each fact."""

    contract: str
    clause: str
    system: str
    part: str

    def text(self) -> str:
        """The key in the state topic."""
        return json.dumps([self.contract, self.clause, self.system, self.part], ensure_ascii=False)

    @classmethod
    def of(cls, text: str) -> StateKey:
        """The key of such text. Raises ValueError for other text."""
        names = json.loads(text)
        if not isinstance(names, list) or len(names) != 4 or not all(isinstance(name, str) for name in names):
            raise ValueError("its key is none of a clause's state")
        return cls(*names)


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """An event to be judged in its turn, by a version of the contract.

    ``ready``: the stream's time from which on its neighbours have had time to arrive.
    """

    event: ForwardedEvent
    version: str
    ready: int

    @property
    def turn(self) -> tuple[int, str]:
        """Its place among those that wait."""
        return int(self.event.record["event_time"]), self.event.record["event_id"]


class KeyedState(NamedTuple):
    """What is kept for one key: the clause's own state, its open episodes, and when to ask the clause again.

    A tuple, because one is made several times for each fact, and of a dataclass that takes three times as long.

    - ``of_clause``: what the clause itself remembers; ``deadline`` (event time) and ``wake`` (the stream's time) are
      when it wants to be asked again.
    - ``backfill``: its latest input came long after its time (a history loaded in bulk, a backlog), so that its event
      time is how far that backfill has got.
    - ``waiting``: events whose turn has not come, in order.
    - ``received_at``: the stream's time when it last received anything that its version has to judge.
    - ``last``: the event time of the latest input.
    - ``version``: the contract's version by which time is judged for it; ``until`` the event time at which another
      comes into force, and ``lateness`` how late events may be by its version: the documents say both.
    - ``early``: facts of later versions, which wait for theirs to come into force.
    - ``of_outcomes``: it looks at outcomes, of which some may wait for their decisions: its event time waits with them.
    - ``spent``: the names of episodes that are over.
    """

    kind: str
    version: str
    of_clause: Any = None
    episodes: tuple[Episode, ...] = ()
    deadline: int | None = None
    wake: int | None = None
    backfill: bool = False
    received_at: int = 0
    waiting: tuple[WaitingEvent, ...] = ()
    of_outcomes: bool = False
    last: int = LONG_AGO
    early: tuple[Fact, ...] = ()
    until: int = END
    lateness: int = 0
    spent: tuple[Spent, ...] = ()

    @property
    def due_at(self) -> int | None:
        """The event time at which it is due."""
        if self.until == END and not self.waiting and not self.spent:
            return self.deadline
        until = None if self.until == END else self.until
        spent = (one.until for one in self.spent)
        return earliest(self.deadline, self.waiting[0].turn[0] if self.waiting else None, until, *spent)

    @property
    def wake_at(self) -> int | None:
        """The stream's time at which it, an episode's clock to acknowledge, or an event that waits is due."""
        if not self.episodes and not self.waiting:
            return self.wake
        clocks = (episode.escalate_at for episode in self.episodes)
        return earliest(self.wake, *clocks, *(waiting.ready for waiting in self.waiting))

    @property
    def backfill_until(self) -> int:
        """The stream's time from which on the rest of a backfill is waited for no more."""
        return self.received_at + BACKFILL_WAIT

    def received(self, last: int, received_at: int, *, backfill: bool, of_outcomes: bool) -> KeyedState:
        """The state when something was received: of event time ``last``, at the stream's time ``received_at``."""
        # Written out, here and below: `_replace` takes twice as long, and these are made for each fact.
        return KeyedState(
            self.kind, self.version, self.of_clause, self.episodes, self.deadline, self.wake, backfill, received_at,
            self.waiting, of_outcomes, last, self.early, self.until, self.lateness, self.spent,
        )  # fmt: skip

    def judged(
        self,
        kind: str,
        of_clause: Any,
        episodes: tuple[Episode, ...],
        deadline: int | None,
        wake: int | None,
        spent: tuple[Spent, ...],
    ) -> KeyedState:
        """The state after a judgement."""
        return KeyedState(
            kind, self.version, of_clause, episodes, deadline, wake, self.backfill, self.received_at, self.waiting,
            self.of_outcomes, self.last, self.early, self.until, self.lateness, spent,
        )  # fmt: skip

    def by_version(self, until: int, lateness: int) -> KeyedState:
        """The state with what the documents say of its version."""
        return KeyedState(
            self.kind, self.version, self.of_clause, self.episodes, self.deadline, self.wake, self.backfill,
            self.received_at, self.waiting, self.of_outcomes, self.last, self.early, until, lateness, self.spent,
        )  # fmt: skip

    @property
    def empty(self) -> bool:
        """Whether there is nothing left to remember."""
        return not self.spent and self.idle

    @property
    def idle(self) -> bool:
        """Whether nothing is left but names that are spent: it begins anew with the next input."""
        return self.of_clause is None and not self.episodes and not self.waiting and not self.early
