"""State records: what one judge keeps, to and from the records of the state topic.

What cannot be read stops nothing and is lost by nobody: it goes aside, and what can be gone on with of it, its open
episodes, is gone on with. What another release has added to a record is passed over.
"""

from __future__ import annotations

from collections.abc import Callable

from seamwatch.engine.answers import Answers
from seamwatch.engine.aside import Aside
from seamwatch.engine.keyed_state import KeyedState, StateKey
from seamwatch.engine.state_codec import UnreadableState, read_state
from seamwatch.engine.state_store import StateStore
from seamwatch.engine.watermarks import Watermarks

RESERVED = "\x00"
"""What begins so is the key of no clause's state."""


class StateRecords:
    """The records of one partition."""

    def __init__(self, watermarks: Watermarks, early: Answers, states: StateStore) -> None:
        self._watermarks = watermarks
        self._early = early
        self._states = states
        self.aside = Aside()

    def restore(self, key: str, value: bytes, by_version: Callable[[StateKey, KeyedState], KeyedState]) -> None:
        """Take back one record. Raises nothing. ``by_version`` adds what the documents say of a state's version."""
        try:
            if key.startswith(RESERVED):
                if not any(own.restore(key, value) for own in (self._watermarks, self._early, self.aside)):
                    self.aside.put(key, value, "there is nothing of that name here")
                return
            state_key = StateKey.of(key)
            self._states.restore(state_key, by_version(state_key, read_state(value)))
        except UnreadableState as error:
            self.aside.put(key, value, str(error))
            if error.left is not None:
                self._states.restore(StateKey.of(key), by_version(StateKey.of(key), error.left))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            self.aside.put(key, value, str(error))

    def take_dirty(self) -> dict[str, bytes | None]:
        """What changed since the last call; None deletes."""
        dirty = self._states.take_dirty()
        changed = {**dirty, **self._early.saved(), **self._watermarks.saved(marks=bool(dirty))}
        return {**changed, **self.aside.beside(changed, self._watermarks.now)}
