"""The state codec: keyed state to and from its bytes in the state topic.

The bytes outlive a release: the names in them stay as they are, and what another release has added is passed over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from seamwatch.clauses import kinds
from seamwatch.engine.episodes import Episode
from seamwatch.engine.keyed_state import KeyedState, WaitingEvent
from seamwatch.engine.spent import Spent
from seamwatch.engine.unjudged import KIND, UnjudgedState
from seamwatch.engine.watermarks import LONG_AGO
from seamwatch.judging.model.facts import Fact


@cache
def _state_adapter(kind: str) -> TypeAdapter[Any]:
    state_type: type[Any] = UnjudgedState if kind == KIND else kinds()[kind].state_type
    nullable: Any = state_type | None
    return TypeAdapter(nullable)


@cache
def _episodes_adapter() -> TypeAdapter[tuple[Episode, ...]]:
    return TypeAdapter(tuple[Episode, ...])


@cache
def _waiting_adapter() -> TypeAdapter[tuple[WaitingEvent, ...]]:
    return TypeAdapter(tuple[WaitingEvent, ...])


@cache
def _spent_adapter() -> TypeAdapter[tuple[Spent, ...]]:
    return TypeAdapter(tuple[Spent, ...])


@cache
def _early_adapter() -> TypeAdapter[tuple[Fact, ...]]:
    return TypeAdapter(tuple[Fact, ...])


@dataclass(frozen=True, slots=True)
class _Head:
    """The plain fields of keyed state, as they are saved."""

    kind: str
    version: str
    deadline: int | None = None
    wake: int | None = None
    historic: bool = False
    heard: int = 0
    of_outcomes: bool = False
    last: int = LONG_AGO


_SAVED_AS = {
    "kind": "kind",
    "version": "version",
    "deadline": "deadline",
    "wake": "wake",
    "backfill": "historic",
    "received_at": "heard",
    "of_outcomes": "of_outcomes",
    "last": "last",
}
"""The fields of keyed state, and their names in the bytes."""


@cache
def _head_adapter() -> TypeAdapter[_Head]:
    return TypeAdapter(_Head)


class UnreadableState(ValueError):
    """Bytes that are no keyed state of this release.

    ``left`` is what could be read of them, the episodes, open and over, to be gone on with.
    """

    def __init__(self, why: str, left: KeyedState | None = None) -> None:
        super().__init__(why)
        self.left = left


def write_state(state: KeyedState) -> bytes:
    """The state as JSON."""
    parts = (
        json.dumps({name: getattr(state, field) for field, name in _SAVED_AS.items()}).encode(),
        _episodes_adapter().dump_json(state.episodes),
        _waiting_adapter().dump_json(state.waiting),
        _early_adapter().dump_json(state.early),
        _spent_adapter().dump_json(state.spent),
        _state_adapter(state.kind).dump_json(state.of_clause),
    )
    return b'{"head":%b,"episodes":%b,"waiting":%b,"held":%b,"spent":%b,"state":%b}' % parts


def kind_written(value: bytes) -> str | None:
    """The clause kind of a state's JSON, without reading all of it; None of what is no state."""
    if not value.startswith(_BEFORE_KIND):
        return None
    kind, end, _ = value[len(_BEFORE_KIND) : len(_BEFORE_KIND) + 100].partition(b'"')
    return kind.decode(errors="replace") if end else None


_BEFORE_KIND = b'{"head":{"kind": "'
"""How the JSON of every state begins: `write_state` writes its head first, and of that the kind."""


def read_state(value: bytes) -> KeyedState:
    """The state of such JSON; fields that another release has added are passed over.

    Raises UnreadableState for all else. Where the episodes can be read, it has those and nothing else: they stay open,
    and are acknowledged and climb, while the clause is judged anew.
    """
    try:
        saved = json.loads(value)
        head = _head_adapter().validate_python(saved["head"])
        if head.kind != KIND and head.kind not in kinds():
            raise UnreadableState(f"there is no clause kind {head.kind!r} here")
        episodes = _episodes_adapter().validate_python(saved["episodes"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise error if isinstance(error, UnreadableState) else UnreadableState(_why(error)) from error
    plain = {field: getattr(head, name) for field, name in _SAVED_AS.items()}
    try:
        return KeyedState(
            of_clause=_read_of_clause(head.kind, saved["state"], value),
            episodes=episodes,
            waiting=_waiting_adapter().validate_python(saved.get("waiting", ())),
            early=_early_adapter().validate_python(saved.get("held", ())),
            spent=_spent_adapter().validate_python(saved.get("spent", ())),
            **plain,
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        spent = _spent_of(saved)
        left = KeyedState(**{**plain, "deadline": None, "wake": None}, episodes=episodes, spent=spent)
        raise UnreadableState(_why(error), left if episodes or spent else None) from error


def _spent_of(saved: dict[str, Any]) -> tuple[Spent, ...]:
    """The names that are spent, as far as they can be read: none of them is to be given to another episode."""
    try:
        return _spent_adapter().validate_python(saved.get("spent", ()))
    except ValueError:
        return ()


def _read_of_clause(kind: str, saved: Any, value: bytes) -> Any:
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
