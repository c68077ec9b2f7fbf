"""State records: what one judge remembers, to and from the records of the state topic.

What cannot be read stops nothing and is lost by nobody: it goes aside, and what can be gone on with of it, its open
episodes, is gone on with. What another release has added to a record is passed over.
"""

from __future__ import annotations

from collections.abc import Callable

from seamwatch.judging.answers import Answers
from seamwatch.judging.aside import Aside
from seamwatch.judging.entries import Entry, EntryKey, UnreadableEntry, read_entry
from seamwatch.judging.remembered import Remembered
from seamwatch.judging.stream_time import StreamTime

RESERVED = "\x00"
"""What begins so is no entry's key."""


class StateRecords:
    """The records of one partition."""

    def __init__(self, time: StreamTime, early: Answers, entries: Remembered) -> None:
        self._time = time
        self._early = early
        self._entries = entries
        self.aside = Aside()

    def restore(self, key: str, value: bytes, placed: Callable[[EntryKey, Entry], Entry]) -> None:
        """Take back one record. Raises nothing. ``placed`` gives an entry what the documents say of its version."""
        try:
            if key.startswith(RESERVED):
                if not any(known.restore(key, value) for known in (self._time, self._early, self.aside)):
                    self.aside.put(key, value, "there is nothing of that name here")
                return
            entry_key = EntryKey.of(key)
            self._entries.restore(entry_key, placed(entry_key, read_entry(value)))
        except UnreadableEntry as error:
            self.aside.put(key, value, str(error))
            if error.episodes is not None:
                self._entries.restore(EntryKey.of(key), placed(EntryKey.of(key), error.episodes))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            self.aside.put(key, value, str(error))

    def take_dirty(self) -> dict[str, bytes | None]:
        """What changed since the last call; None deletes."""
        dirty = self._entries.take_dirty()
        changed = {**dirty, **self._early.saved(), **self._time.saved(marks=bool(dirty))}
        return {**changed, **self.aside.beside(changed, self._time.now)}
