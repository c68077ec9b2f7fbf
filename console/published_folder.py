"""The folder of contracts that `up` publishes at the start and whenever it changes, and who is paged by default."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from console.naming import some_of
from console.reachable import check_reachable, lacking, owner_problem
from seamwatch.broker import Address
from seamwatch.errors import SeamwatchError, UnreachableError, UsageError
from seamwatch.settings import Settings
from stack.supervisor import Say

if TYPE_CHECKING:
    from bus.documents import ContractsFollower
    from seamwatch.documents.loading import Loaded

_LOOK_EVERY: Final = 1.0
_PUBLISH_AGAIN: Final = 30.0


def check_owner(owner: str, kafka: Address, prefix: str) -> None:
    """Raise UsageError when no document that was published knows the default owner."""
    from bus.documents import ContractsFollower

    follower = ContractsFollower(kafka, prefix)
    persons = follower.estate.persons
    follower.close()
    if (problem := owner_problem(owner, persons)) is not None:
        raise UsageError(f"{problem}; --contracts DIR publishes a folder")


class PublishedFolder:
    """A folder of contracts that is published at the start and whenever it changes."""

    def __init__(self, folder: Path, settings: Settings, say: Say) -> None:
        from seamwatch.documents.loading import Folder

        self._folder = folder
        self._documents = Folder(folder)
        self._settings = settings
        self._say = say
        self._follower: ContractsFollower | None = None
        self._seen: frozenset[tuple[str, int, int]] = frozenset()
        self._next_look = 0.0
        self._gone: tuple[str, ...] = ()
        self._unsigned: tuple[str, ...] = ()

    def check(self) -> None:
        """Read the folder. Raises DocumentError, and UsageError for a default owner whom it does not know."""
        self._load().estate()

    def publish(self, kafka: Address) -> None:
        """Publish the folder as it is."""
        from bus.documents import ContractsFollower, publish

        loaded = self._load()
        if self._follower is None:
            self._follower = ContractsFollower(
                kafka, self._settings.prefix, required=self._settings.follows_signed_only
            )
        done = publish(self._follower, loaded, self._settings.clock(), signed=self._settings.follows_signed_only)
        if done.gone and done.gone != self._gone:
            self._say(
                f"gone from {self._folder}, and in force still: {some_of(done.gone)}; "
                f"`seamwatch contracts publish {self._folder} --withdraw --as PERSON` ends that"
            )
        self._gone = done.gone
        if done.unsigned and done.unsigned != self._unsigned:
            self._say(
                f"published, and not signed by all who must: {some_of(done.unsigned)}; `seamwatch contracts verify "
                f"{self._folder} --published` says more, and SEAMWATCH_SIGNED=required refuses it"
            )
        self._unsigned = done.unsigned
        if done.signed:
            self._say(f"published with further signatures: {some_of(done.signed)}")
        for line in lacking(loaded.reads, os.environ):
            self._say(line)

    def close(self) -> None:
        """Follow the topic no longer."""
        if self._follower is not None:
            self._follower.close()
            self._follower = None

    def _load(self) -> Loaded:
        self._seen = self._snapshot()
        loaded = self._documents.load()
        if not loaded.errors:
            check_reachable(loaded.reads, self._folder, self._settings.default_owner)
        return loaded

    def look(self, kafka: Address) -> None:
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
        from seamwatch.documents.files import stamps_below

        return stamps_below(self._folder, (".yaml", ".yml", ".sig"))
