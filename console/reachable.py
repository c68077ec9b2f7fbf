"""Whether those who are to be paged can be: the channels of Person documents, and the default owner of the settings.

What a document alone can tell is `seamwatch.documents`' to say; here it is held to the notification services that the
pager knows, and to the environment. Sends nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from seamwatch.channel_urls import missing, scheme_of
from seamwatch.documents import Person
from seamwatch.documents.problems import Problem
from seamwatch.documents.references import Read
from seamwatch.errors import DocumentError, UsageError


def channel_problems(documents: Sequence[Read]) -> Iterator[Problem]:
    """Channels by which nobody can be told, each at its line."""
    for read in documents:
        channels = read.written.content.get("channels") if read.kind == Person.kind_name else None
        for index, url in enumerate(channels if isinstance(channels, list) else ()):
            if isinstance(url, str) and (why := _unusable(url)) is not None:
                yield read.error(("channels", index), f"person {read.id!r} cannot be paged by this: {why}")


def owner_problem(owner: str | None, persons: Collection[str]) -> str | None:
    """Why the default owner cannot be paged: no document knows them; None when one does, or none is set."""
    if owner is None or owner in persons:
        return None
    close = difflib.get_close_matches(owner, persons, n=1, cutoff=0.85)
    hint = f": did you mean {close[0]!r}?" if close else ": publish one, or name somebody who has one"
    return f"SEAMWATCH_DEFAULT_OWNER={owner}: no Person document has this id, so that nobody could be paged{hint}"


def check_reachable(documents: Sequence[Read], folder: Path, owner: str | None) -> None:
    """Check the documents of a folder that are to be published.

    Raises DocumentError with every channel that cannot be used, one a line; UsageError for an unknown default owner.
    """
    if problems := sorted(channel_problems(documents)):
        raise DocumentError("\n".join(map(str, problems)))
    if (problem := owner_problem(owner, persons_of(documents))) is not None:
        raise UsageError(f"{problem} ({folder})")


def lacking(documents: Sequence[Read], environment: Mapping[str, str]) -> Iterator[str]:
    """Who cannot be told by a channel, because the environment lacks what it refers to, in words without secrets."""
    for read in documents:
        for url in read.document.channels if isinstance(read.document, Person) else ():
            if absent := missing(url, environment):
                scheme = scheme_of(url) or "a"
                yield f"{read.id} cannot be paged by their {scheme} channel: the environment has no {', '.join(absent)}"


def persons_of(documents: Sequence[Read]) -> set[str]:
    """The ids of the persons among documents."""
    return {read.id for read in documents if read.kind == Person.kind_name and read.id is not None}


def _unusable(url: str) -> str | None:
    from sinks.channels.services import unusable

    return unusable(url)
