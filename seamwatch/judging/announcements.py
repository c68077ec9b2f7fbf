"""Announcements: which of them say something new, and what each change is called that one change_id stands for.

A change_id that is announced again with other content is another change: whoever agreed to the one has not agreed to
the other. One that is only repeated is the same change. Pure; what an answer is to is for the clauses to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from seamwatch.signatures import change_digest

Announced = tuple[tuple[str, str], ...]
"""The changes that were announced, oldest first: change_id, and the digest of what was announced."""
_SHOWN = 12
_MOST = 1_000
_NAMED_AGAIN: Final = re.compile(rf"@[0-9a-f]{{{_SHOWN}}}$")


def announced(known: Announced, record: Mapping[str, Any]) -> tuple[Announced, str | None]:
    """What is known with the change of an announcement, and its name; None in place of that when it is known already.

    The first change of an id is called by the id, as it always was; others by the id, `@` and the first twelve digits
    of their digest. The newest 1,000 are remembered.
    """
    change_id, digest = str(record["change_id"]), change_digest(record)
    if (change_id, digest) in known:
        return known, None
    first = all(earlier != change_id for earlier, _ in known)
    return (*known, (change_id, digest))[-_MOST:], change_id if first else f"{change_id}@{digest[:_SHOWN]}"


def change_id_of(name: str) -> str:
    """The id in the name of a change; a name that is no more than an id is taken for itself."""
    return _NAMED_AGAIN.sub("", name)


def words(change_id: str, name: str) -> str:
    """A change by name, for a sentence."""
    return change_id if name == change_id else f"{name} (announced again with other content)"
