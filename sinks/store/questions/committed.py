"""Where the states of an episode are on record, and which signed checkpoint of the ledger covers them.

It tells what the store says of itself and verifies nothing: `seamwatch verify` does, with the public key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sinks.store.questions.rows import Micros, rows

if TYPE_CHECKING:
    from sinks.store.client import Store

_MOST: Final = 10


@dataclass(frozen=True, slots=True)
class State:
    """A state of an episode, and where it lies."""

    state: str
    step: int
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Commit:
    """The range of offsets in which a row was committed; ``size``: the leaves of its tree with that range."""

    first_offset: int
    next_offset: int
    size: int
    committed_at: Micros


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed checkpoint of the tree of so many leaves."""

    tree_size: int
    created_at: Micros


@dataclass(frozen=True, slots=True)
class Committed:
    """A state with its commit, None while there is none, and the first checkpoint that covers it, None likewise."""

    state: State
    commit: Commit | None
    signed: Signed | None


_STATES: Final = """
SELECT state, step, topic, partition, offset FROM violation
WHERE violation_id = {violation:String} ORDER BY broker_time DESC, offset DESC LIMIT {most:UInt32}
"""
_PLACE: Final = "topic = {topic:String} AND partition = {partition:Int32}"
_COMMIT: Final = f"""
SELECT first_offset, next_offset, size, committed_at FROM ledger_commit
WHERE {_PLACE} AND first_offset <= {{offset:Int64}} AND next_offset > {{offset:Int64}} LIMIT 1
"""
_SIGNED: Final = f"""
SELECT tree_size, created_at FROM checkpoint WHERE {_PLACE} AND tree_size >= {{size:UInt64}}
ORDER BY tree_size, created_at LIMIT 1
"""


def committed(store: Store, violation_id: str) -> list[Committed]:
    """The newest ten states of an episode, the newest first. Asked as a reader who may see the ledger (the auditor)."""
    return [_placed(store, state) for state in rows(store, State, _STATES, {"violation": violation_id, "most": _MOST})]


def _placed(store: Store, state: State) -> Committed:
    place = {"topic": state.topic, "partition": state.partition}
    commit = next(iter(rows(store, Commit, _COMMIT, {**place, "offset": state.offset})), None)
    if commit is None:
        return Committed(state, None, None)
    return Committed(state, commit, next(iter(rows(store, Signed, _SIGNED, {**place, "size": commit.size})), None))


def standing(one: Committed) -> str:
    """How far one state is proven, by what the store says."""
    where = f"{one.state.topic}[{one.state.partition}], offset {one.state.offset}"
    if one.commit is None:
        return f"{where}: on record, and not committed to the ledger yet"
    if one.signed is None:
        return f"{where}: in the ledger, and no signed checkpoint covers it yet"
    return f"{where}: in the ledger, covered by the signed checkpoint of {one.signed.tree_size:,} records"
