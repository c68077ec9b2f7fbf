"""What the judge remembers of one clause, system and part: its entry, and the entry's bytes in the state topic.

Values and their JSON; `seamwatch.judging.judge` decides what they hold.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from seamwatch.clauses import kinds
from seamwatch.documents.estate import END
from seamwatch.durations import MINUTE
from seamwatch.judging.episodes import Episode
from seamwatch.judging.facts import Fact, ForwardedEvent
from seamwatch.judging.spent import Spent
from seamwatch.judging.stream_time import LONG_AGO
from seamwatch.judging.unjudged import KIND, UnjudgedState
from seamwatch.judging.windows import earliest

HELD = 5 * MINUTE
"""A history is waited for so long after the last word of it; then the clock takes over."""


class EntryKey(NamedTuple):
    """Whose state an entry is. A tuple, because it is compared and looked up several times for each fact."""

    contract: str
    clause: str
    system: str
    part: str

    def text(self) -> str:
        """The key in the state topic."""
        return json.dumps([self.contract, self.clause, self.system, self.part], ensure_ascii=False)

    @classmethod
    def of(cls, text: str) -> EntryKey:
        """The key of such text. Raises ValueError for other text."""
        names = json.loads(text)
        if not isinstance(names, list) or len(names) != 4 or not all(isinstance(name, str) for name in names):
            raise ValueError("its key is none of an entry")
        return cls(*names)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event of a history, to be judged in its turn by a version of the contract.

    ``ready``: the stream's time from which on its neighbours have had time to arrive.
    """

    event: ForwardedEvent
    version: str
    ready: int

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands in line."""
        return int(self.event.record["event_time"]), self.event.record["event_id"]


class Entry(NamedTuple):
    """One clause's state for one system and part, with its open episodes and when to ask it again.

    A tuple, because one is made several times for each fact, and of a dataclass that takes three times as long.

    - ``historic``: what it last heard of came long after its time (a history loaded in bulk, a backlog), so that its
      clock is how far that history has got; ``waiting`` are such events whose turn has not come, in order.
    - ``heard``: the stream's time when it last heard of anything that its version has to judge.
    - ``last``: the event time of the latest that it heard of.
    - ``version``: the contract's version by which time is judged for it; ``until`` the event time at which another
      comes into force, and ``lateness`` how late events may be by its version: the documents say both.
    - ``held``: facts of later versions, which wait for theirs to come into force.
    - ``of_outcomes``: it looks at outcomes, of which some may wait for their decisions: its clock waits with them.
    - ``spent``: the names of episodes that are over.
    """

    kind: str
    version: str
    state: Any = None
    episodes: tuple[Episode, ...] = ()
    deadline: int | None = None
    wake: int | None = None
    historic: bool = False
    heard: int = 0
    waiting: tuple[Waiting, ...] = ()
    of_outcomes: bool = False
    last: int = LONG_AGO
    held: tuple[Fact, ...] = ()
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
        return earliest(self.deadline, self.waiting[0].place[0] if self.waiting else None, until, *spent)

    @property
    def held_until(self) -> int:
        """The stream's time from which on a history is waited for no more."""
        return self.heard + HELD

    @property
    def wake_at(self) -> int | None:
        """The stream's time at which it, an episode's clock to acknowledge, or an event that waits is due."""
        if not self.episodes and not self.waiting:
            return self.wake
        clocks = (episode.escalate_at for episode in self.episodes)
        return earliest(self.wake, *clocks, *(waiting.ready for waiting in self.waiting))

    def heard_of(self, last: int, heard: int, *, historic: bool, of_outcomes: bool) -> Entry:
        """The entry when it has heard of something: of event time ``last``, at the stream's time ``heard``."""
        # Written out, here and below: `_replace` takes twice as long, and these are made for each fact.
        return Entry(
            self.kind, self.version, self.state, self.episodes, self.deadline, self.wake, historic, heard, self.waiting,
            of_outcomes, last, self.held, self.until, self.lateness, self.spent,
        )  # fmt: skip

    def judged(
        self,
        kind: str,
        state: Any,
        episodes: tuple[Episode, ...],
        deadline: int | None,
        wake: int | None,
        spent: tuple[Spent, ...],
    ) -> Entry:
        """The entry after a judgement."""
        return Entry(
            kind, self.version, state, episodes, deadline, wake, self.historic, self.heard, self.waiting,
            self.of_outcomes, self.last, self.held, self.until, self.lateness, spent,
        )  # fmt: skip

    def placed(self, until: int, lateness: int) -> Entry:
        """The entry with what the documents say of its version."""
        return Entry(
            self.kind, self.version, self.state, self.episodes, self.deadline, self.wake, self.historic, self.heard,
            self.waiting, self.of_outcomes, self.last, self.held, until, lateness, self.spent,
        )  # fmt: skip

    @property
    def empty(self) -> bool:
        """Whether there is nothing left to remember."""
        return not self.spent and self.idle

    @property
    def idle(self) -> bool:
        """Whether nothing is left but names that are spent: it begins anew with what it hears next."""
        return self.state is None and not self.episodes and not self.waiting and not self.held


@cache
def _state_adapter(kind: str) -> TypeAdapter[Any]:
    state_type: type[Any] = UnjudgedState if kind == KIND else kinds()[kind].state_type
    nullable: Any = state_type | None
    return TypeAdapter(nullable)


@cache
def _episodes_adapter() -> TypeAdapter[tuple[Episode, ...]]:
    return TypeAdapter(tuple[Episode, ...])


@cache
def _waiting_adapter() -> TypeAdapter[tuple[Waiting, ...]]:
    return TypeAdapter(tuple[Waiting, ...])


@cache
def _spent_adapter() -> TypeAdapter[tuple[Spent, ...]]:
    return TypeAdapter(tuple[Spent, ...])


@cache
def _held_adapter() -> TypeAdapter[tuple[Fact, ...]]:
    return TypeAdapter(tuple[Fact, ...])


@dataclass(frozen=True, slots=True)
class _Head:
    """The plain fields of an entry, as they are saved."""

    kind: str
    version: str
    deadline: int | None = None
    wake: int | None = None
    historic: bool = False
    heard: int = 0
    of_outcomes: bool = False
    last: int = LONG_AGO


_HEAD = tuple(_Head.__slots__)


@cache
def _head_adapter() -> TypeAdapter[_Head]:
    return TypeAdapter(_Head)


class UnreadableEntry(ValueError):
    """Bytes that are no entry of this release.

    ``episodes`` is an entry of what could be read of its episodes, open and over, to be gone on with.
    """

    def __init__(self, why: str, episodes: Entry | None = None) -> None:
        super().__init__(why)
        self.episodes = episodes


def write_entry(entry: Entry) -> bytes:
    """The entry as JSON."""
    parts = (
        json.dumps({name: getattr(entry, name) for name in _HEAD}).encode(),
        _episodes_adapter().dump_json(entry.episodes),
        _waiting_adapter().dump_json(entry.waiting),
        _held_adapter().dump_json(entry.held),
        _spent_adapter().dump_json(entry.spent),
        _state_adapter(entry.kind).dump_json(entry.state),
    )
    return b'{"head":%b,"episodes":%b,"waiting":%b,"held":%b,"spent":%b,"state":%b}' % parts


def read_entry(value: bytes) -> Entry:
    """The entry of such JSON; fields that another release has added are passed over.

    Raises UnreadableEntry for all else. Where the episodes can be read, it has an entry with them and nothing else:
    they stay open, and are acknowledged and climb, while the clause is judged anew.
    """
    try:
        saved = json.loads(value)
        head = _head_adapter().validate_python(saved["head"])
        if head.kind != KIND and head.kind not in kinds():
            raise UnreadableEntry(f"there is no clause kind {head.kind!r} here")
        episodes = _episodes_adapter().validate_python(saved["episodes"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise error if isinstance(error, UnreadableEntry) else UnreadableEntry(_why(error)) from error
    plain = {name: getattr(head, name) for name in _HEAD}
    try:
        return Entry(
            state=_read_state(head.kind, saved["state"], value),
            episodes=episodes,
            waiting=_waiting_adapter().validate_python(saved.get("waiting", ())),
            held=_held_adapter().validate_python(saved.get("held", ())),
            spent=_spent_adapter().validate_python(saved.get("spent", ())),
            **plain,
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        spent = _spent_of(saved)
        left = Entry(**{**plain, "deadline": None, "wake": None}, episodes=episodes, spent=spent)
        raise UnreadableEntry(_why(error), left if episodes or spent else None) from error


def _spent_of(saved: dict[str, Any]) -> tuple[Spent, ...]:
    """The names that are spent, as far as they can be read: none of them is to be given to another episode."""
    try:
        return _spent_adapter().validate_python(saved.get("spent", ()))
    except ValueError:
        return ()


def _read_state(kind: str, saved: Any, value: bytes) -> Any:
    adapter = _state_adapter(kind)
    state = adapter.validate_python(saved)
    # What this release wrote is the same again; only of another's is it asked what has become of its fields.
    if not value.endswith(b'"state":%b}' % adapter.dump_json(state)):
        _demand_same_shape(saved, adapter.dump_python(state, mode="json"), "state")
    return state


def _demand_same_shape(saved: Any, read: Any, path: str) -> None:
    """Raise ValueError where members are unknown and others missing: they have been renamed, or mean another thing.

    A release that is older lacks some, a newer one has more; each by itself is passed over.
    """
    if isinstance(saved, dict) and isinstance(read, dict):
        unknown, missing = saved.keys() - read.keys(), read.keys() - saved.keys()
        if unknown and missing:
            raise ValueError(f"{path} has {', '.join(sorted(unknown))}, and lacks {', '.join(sorted(missing))}")
        for name in saved.keys() & read.keys():
            _demand_same_shape(saved[name], read[name], f"{path}.{name}")
    elif isinstance(saved, list) and isinstance(read, list):
        for number, (one, other) in enumerate(zip(saved, read, strict=False)):
            _demand_same_shape(one, other, f"{path}.{number}")


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"it lacks {error}" if isinstance(error, KeyError) else str(error)
