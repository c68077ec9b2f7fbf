"""Waits for the record: what somebody sent a moment ago is on its topic, and a moment later in the store.

Asks the broker only where the store has no answer, and waits only while records that were there when it was asked are
not in the store. Reading only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from sinks.store.client import Store
    from statements.running import RunningSystem

_Answer = TypeVar("_Answer")

PATIENCE: Final = 15.0
_AGAIN_SECONDS: Final = 0.2


def once_recorded(
    store: Store, system: RunningSystem, names: Sequence[str], ask: Callable[[], _Answer], patience: float = PATIENCE
) -> _Answer:
    """What ``ask`` finds in the store; an empty answer is the last word only when the store holds all of the topics.

    ``names`` are topics without their prefix (``violations`` stands for those of all kinds). Waits for at most
    ``patience`` seconds; then, and where the broker cannot be asked, what the store says is all there is.
    """
    answer = ask()
    if answer or patience <= 0:
        return answer
    until = time.monotonic() + patience
    sought = _beyond(store, system, names)
    # What was stored since it was asked above is not sought any more.
    answer = ask()
    while not answer and sought and time.monotonic() < until:
        time.sleep(_AGAIN_SECONDS)
        sought = _left(store, sought)
        answer = ask()
    return answer


def _beyond(store: Store, system: RunningSystem, names: Sequence[str]) -> dict[tuple[str, int], int]:
    """By topic and partition the last offset that the store does not hold yet."""
    from bus.tail import tail
    from seamwatch.errors import UnreachableError, UsageError
    from seamwatch.wire.topics import Topics
    from sinks.store.positions import recorded

    try:
        read = tail(system.kafka, Topics(system.prefix), names, since=recorded(store))
        return {(message.topic, message.partition): message.offset for message in read}
    except (UnreachableError, UsageError):
        # No broker was named, or it is away, or has no such topic: nothing says that there is more to come.
        return {}


def _left(store: Store, sought: dict[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    from sinks.store.positions import recorded

    held = recorded(store)
    return {place: offset for place, offset in sought.items() if held.get(place, 0) <= offset}
