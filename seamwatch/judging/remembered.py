"""What a judge remembers: its entries, found by key, by the id of an open episode, and by when they are due.

Knows which entries are dirty and of which there are too many. It judges nothing, and lets go of nothing by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from seamwatch.judging.agenda import Agenda
from seamwatch.judging.crowd import Crowd
from seamwatch.judging.entries import Entry, EntryKey, write_entry
from seamwatch.judging.facts import Violation
from seamwatch.judging.strangers import Strangers
from seamwatch.judging.stream_time import StreamTime


class Remembered:
    """The entries of one partition of measurements."""

    def __init__(self, time: StreamTime, is_stranger: Callable[[EntryKey], bool], *, saved: bool) -> None:
        """``saved``: whether they go to a state topic; a history's are written nowhere, and must not pile up dirty."""
        self._time = time
        self._is_stranger = is_stranger
        self._saved = saved
        self._entries: dict[EntryKey, Entry] = {}
        self._agenda = Agenda(self._entries)
        self._episodes: dict[str, EntryKey] = {}
        self._dirty: set[EntryKey] = set()
        self._crowd = Crowd()
        self.strangers = Strangers()

    def __contains__(self, key: EntryKey) -> bool:
        return key in self._entries

    def __getitem__(self, key: EntryKey) -> Entry:
        return self._entries[key]

    def get(self, key: EntryKey) -> Entry | None:
        """The entry of that key, if there is one."""
        return self._entries.get(key)

    def items(self) -> list[tuple[EntryKey, Entry]]:
        """All entries as they are now, in the order in which they were begun."""
        return list(self._entries.items())

    def violations(self) -> Iterator[Violation]:
        """The latest state of every open episode."""
        for entry in self._entries.values():
            for episode in entry.episodes:
                yield episode.violation

    def of_violation(self, violation_id: str) -> EntryKey | None:
        """The entry with the open episode of that id."""
        return self._episodes.get(violation_id)

    def keep(self, key: EntryKey, entry: Entry) -> None:
        """Remember the entry as it is now; an empty one is forgotten."""
        before = self._entries.get(key)
        if before is not None and before.episodes:
            for episode in before.episodes:
                self._episodes.pop(episode.violation.violation_id, None)
        if self._saved:
            self._dirty.add(key)
        if entry.state is None and entry.empty:
            self._entries.pop(key, None)
            self._crowd.gone(key)
            self.strangers.gone(key)
            return
        self._entries[key] = entry
        self._crowd.heard(key, entry.last)
        if self._is_stranger(key):
            self.strangers.heard(key, entry.kind, entry.last)
        for episode in entry.episodes:
            self._episodes[episode.violation.violation_id] = key
        self._agenda.schedule(key, before, entry, self._time)

    def restore(self, key: EntryKey, entry: Entry) -> None:
        """Remember an entry that is saved already."""
        self.keep(key, entry)
        self._dirty.discard(key)

    def place(self, key: EntryKey, entry: Entry) -> None:
        """Put it in the place of the one of that key: its version's terms have changed, not what is to be saved."""
        before, self._entries[key] = self._entries[key], entry
        self._agenda.schedule(key, before, entry, self._time)

    def take_dirty(self) -> dict[str, bytes | None]:
        """What changed since the last call, for the state topic; None deletes."""
        dirty: dict[str, bytes | None] = {}
        for key in sorted(self._dirty):
            entry = self._entries.get(key)
            dirty[key.text()] = None if entry is None else write_entry(entry)
        self._dirty.clear()
        return dirty

    def look_at(self, when: int, key: EntryKey) -> None:
        """Have the entry be due when the clock shows this time."""
        self._agenda.at(when, key)

    def take_due(self) -> list[EntryKey]:
        """The keys whose time has come, in order; some of them may be gone by now."""
        return self._agenda.take_due(self._time)

    def too_many(self, key: EntryKey, most: int) -> list[EntryKey]:
        """Which to let go of, of the same clause and system, when more than so many are remembered."""
        return self._crowd.too_many(key, most)
