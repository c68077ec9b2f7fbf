"""Subjects' keys: one key a person, kept apart from the record, so that destroying it erases what it sealed.

`SubjectKeys` is the seam: a key service of one's own takes the place of the file by these four methods. The file is
SQLite, for the processes of one machine. What becomes of its backups is in docs/erasure.md: a key is destroyed when
every copy of it is.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from seamwatch.errors import SealError, UsageError
from seamwatch.sealing import SubjectKey

_WAIT_SECONDS: Final = 5.0
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS subject_key (subject TEXT PRIMARY KEY, key_id BLOB NOT NULL UNIQUE, key BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS erasure (key_id BLOB PRIMARY KEY, person TEXT NOT NULL, erased_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS erasure_record (key_id BLOB PRIMARY KEY, reason TEXT, recorded_at INTEGER);
"""
# In a table of its own, for emitters of an earlier release read `erasure` from the same file as they knew it.
_ERASURES: Final = """
SELECT key_id, person, erased_at, reason, recorded_at FROM erasure LEFT JOIN erasure_record USING (key_id)
"""


@dataclass(frozen=True, slots=True)
class Erasure:
    """A key was destroyed: by whom, when (microseconds) and why. Whose it was, nothing says any more.

    ``recorded_at`` is when the broker took the record of it; None as long as it did not.
    """

    key_id: bytes
    person: str
    erased_at: int
    reason: str | None = None
    recorded_at: int | None = None


class SubjectKeys(Protocol):
    """Where subjects' keys are kept. May be called from several threads."""

    def key_of(self, subject: str) -> SubjectKey:
        """The key of a subject, made when there is none. Raises SealError when it can be neither read nor made."""

    def find(self, key_id: bytes) -> SubjectKey | Erasure | None:
        """The key of this id, or that it was destroyed; None when it is not known here."""

    def erase(self, subject: str, person: str, now: int) -> Erasure | None:
        """Destroy a subject's key; None when there is none. Once it returns, the key MUST be nowhere to be read."""

    def erasures(self) -> list[Erasure]:
        """What was destroyed, the oldest first."""


class SubjectKeyFile:
    """Keys in one SQLite file, mode 0600, made when it is first used; for the processes of one machine.

    A key is looked up each time, some 20 µs, so that one that was destroyed seals nothing more in any process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = -1

    def key_of(self, subject: str) -> SubjectKey:
        """The key of a subject, made when there is none: that is a write to disk."""
        with self._open() as connection:
            found = _read(connection, "subject = ?", subject)
            if found is None:
                made = SubjectKey.make(subject)
                # Of two processes that make one at once, the first one's stays.
                connection.execute(
                    "INSERT OR IGNORE INTO subject_key VALUES (?, ?, ?)", (subject, made.key_id, made.key)
                )
                found = _read(connection, "subject = ?", subject)
            assert found is not None
            return found

    def find(self, key_id: bytes) -> SubjectKey | Erasure | None:
        """The key of this id, or that it was destroyed; None when it is not known here."""
        with self._open() as connection:
            found = _read(connection, "key_id = ?", key_id)
            if found is not None:
                return found
            row = connection.execute(f"{_ERASURES} WHERE key_id = ?", (key_id,)).fetchone()
            return None if row is None else Erasure(*row)

    def erase(self, subject: str, person: str, now: int, reason: str | None = None) -> Erasure | None:
        """Destroy a subject's key: its bytes are overwritten in the file, and in the journal of the change.

        The erasure is then one to be recorded (`unrecorded`), which is up to the caller.
        """
        with self._open() as connection:
            # Exclusive until the connection is closed: nobody can need the journal that is overwritten below.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA journal_mode = PERSIST")
            connection.execute("BEGIN EXCLUSIVE")
            found = _read(connection, "subject = ?", subject)
            erasure = None if found is None else Erasure(found.key_id, person, now, reason)
            if erasure is not None:
                connection.execute("DELETE FROM subject_key WHERE subject = ?", (subject,))
                connection.execute("INSERT INTO erasure VALUES (?, ?, ?)", (erasure.key_id, person, now))
                connection.execute("INSERT INTO erasure_record VALUES (?, ?, NULL)", (erasure.key_id, reason))
            connection.execute("COMMIT")
            _overwrite(self._path.with_name(self._path.name + "-journal"))
            connection.execute("PRAGMA journal_mode = DELETE")
            self._close()
        return erasure

    def erasures(self) -> list[Erasure]:
        """What was destroyed, the oldest first."""
        with self._open() as connection:
            rows = connection.execute(f"{_ERASURES} ORDER BY erased_at, key_id").fetchall()
        return [Erasure(*row) for row in rows]

    def unrecorded(self) -> list[Erasure]:
        """What was destroyed and no broker has taken a record of, the oldest first; also by an earlier release."""
        return [each for each in self.erasures() if each.recorded_at is None]

    def note_recorded(self, key_id: bytes, now: int) -> None:
        """Note that the broker has the record of an erasure."""
        with self._open() as connection:
            connection.execute(
                "INSERT INTO erasure_record VALUES (?, NULL, ?) "
                "ON CONFLICT (key_id) DO UPDATE SET recorded_at = excluded.recorded_at",
                (key_id, now),
            )

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            self._close()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None or self._process != os.getpid():
                    # A connection must not be used across a fork; the parent's is left to the parent.
                    self._connection, self._process = _connected(self._path), os.getpid()
                yield self._connection
            except (sqlite3.Error, OSError) as error:
                self._close()
                raise SealError(f"the subjects' keys in {self._path} cannot be used: {error}") from error

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and self._process == os.getpid():
            connection.close()


def _connected(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    # Without isolation level each statement is a transaction of its own, on disk when it returns.
    connection = sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA secure_delete = ON")
    connection.executescript(_TABLES)
    return connection


def _read(connection: sqlite3.Connection, condition: str, value: str | bytes) -> SubjectKey | None:
    row = connection.execute(f"SELECT subject, key_id, key FROM subject_key WHERE {condition}", (value,)).fetchone()
    return None if row is None else SubjectKey(*row)


def _overwrite(file: Path) -> None:
    """Overwrite what a journal still holds of the page that the key was on."""
    if file.exists():
        with file.open("r+b") as journal:
            journal.write(bytes(file.stat().st_size))
            journal.flush()
            os.fsync(journal.fileno())


def open_subject_keys(path: Path | None) -> SubjectKeyFile:
    """The keys that SEAMWATCH_SUBJECT_KEYS names. Raises UsageError when it names none, or a file that is not there."""
    if path is None or not path.exists():
        why = "names no file" if path is None else f"is {path}, which is not there"
        raise UsageError(f"SEAMWATCH_SUBJECT_KEYS {why}: set it to the file that the emitters seal with")
    return SubjectKeyFile(path)
