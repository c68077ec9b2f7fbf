"""The folder of contracts that `up` publishes at the start and whenever it changes, and who is paged by default."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Final

from console.reachable import check_reachable, lacking, owner_problem
from seamwatch.documents.loading import read_folder
from seamwatch.errors import SeamwatchError, UnreachableError, UsageError
from seamwatch.settings import Settings
from stack.supervisor import Say

_LOOK_EVERY: Final = 1.0
_PUBLISH_AGAIN: Final = 30.0


def check_owner(owner: str, kafka: str, prefix: str) -> None:
    """Raise UsageError when no document that was published knows the default owner."""
    from streams.contracts import ContractsFollower

    follower = ContractsFollower(kafka, prefix)
    persons = follower.estate.persons
    follower.close()
    if (problem := owner_problem(owner, persons)) is not None:
        raise UsageError(f"{problem}; --contracts DIR publishes a folder")


class PublishedFolder:
    """A folder of contracts that is published at the start and whenever it changes."""

    def __init__(self, folder: Path, settings: Settings, say: Say) -> None:
        self._folder = folder
        self._settings = settings
        self._say = say
        self._seen: frozenset[tuple[str, int, int]] = frozenset()
        self._next_look = 0.0

    def check(self) -> None:
        """Read the folder. Raises DocumentError, and UsageError for a default owner whom it does not know."""
        from seamwatch.documents import Estate

        self._seen = self._snapshot()
        Estate.load(self._folder)
        check_reachable(self._folder, self._settings.default_owner)

    def publish(self, kafka: str) -> None:
        """Publish the folder as it is."""
        from streams.contracts import publish_folder

        self._seen = self._snapshot()
        check_reachable(self._folder, self._settings.default_owner)
        publish_folder(kafka, self._settings.prefix, self._folder, self._settings.clock())
        for line in lacking(read_folder(self._folder)[0], os.environ):
            self._say(line)

    def look(self, kafka: str) -> None:
        """Publish the folder if it has changed; a wrong document is told, and what was published stays in force."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK_EVERY
        snapshot = self._snapshot()
        if snapshot == self._seen:
            return
        before = self._seen
        try:
            self.publish(kafka)
        except UnreachableError as error:
            # The broker's fault, and not the folder's: as it is now, it is still to be published.
            self._seen = before
            self._next_look = time.monotonic() + _PUBLISH_AGAIN
            self._say(f"contracts not published, trying again: {error}")
        except SeamwatchError as error:
            self._seen = snapshot
            self._say(f"contracts not published: {error}")
        else:
            self._say(f"contracts published again from {self._folder}")

    def _snapshot(self) -> frozenset[tuple[str, int, int]]:
        found = []
        for path in self._folder.rglob("*"):
            with contextlib.suppress(OSError):  # an editor replaces files while we look
                if path.is_file() and path.suffix in {".yaml", ".yml", ".sig"}:
                    status = path.stat()
                    found.append((str(path), status.st_mtime_ns, status.st_size))
        return frozenset(found)
