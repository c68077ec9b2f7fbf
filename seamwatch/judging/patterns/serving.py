"""Serving: from when on, and until when, an announced version or configuration digest may serve.

A version is announced by the `to_value` of a `model` change, a digest by the `config_digest` of any change; neither
says anything of the other, and a threshold or a prompt is neither. Values in, values out; the traffic is followed by
`seamwatch.judging.patterns.unannounced`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from seamwatch.judging.model.facts import Fact

VERSION: Final = "version"
DIGEST: Final = "config_digest"
DECLARED: Final = "declared"
"""Ends the name of the measures of values that a document declares."""

ANNOUNCED_KEPT: Final = 1_000
_LONGEST_VALUE: Final = 256
_NEVER: Final = 2**62


@dataclass(frozen=True, slots=True)
class Announcement:
    """A value that a change announces. ``name`` is what the change is called; empty where nobody is asked about it.

    ``replaced`` is when the same change was announced again with another time, ``withdrawn`` when it was withdrawn.
    """

    field: str
    value: str
    change_id: str
    name: str
    by: str
    at: int
    effective_at: int
    replaced: int | None = None
    withdrawn: int | None = None

    def stands_at(self, at: int) -> bool:
        """Whether it has neither been withdrawn by then, nor been replaced before it took effect."""
        effect = max(self.at, self.effective_at)
        replaced = self.replaced is not None and self.replaced <= at and self.replaced < effect
        return not replaced and (self.withdrawn is None or self.withdrawn > at)


Announcements = tuple[Announcement, ...]


def announces(record: Mapping[str, Any], name: str) -> Announcements:
    """The values that an announcement names: a version, a digest, both or neither, of 256 characters at most."""
    version = record.get("to_value") if record["kind"] == "model" else None
    return tuple(
        Announcement(
            field, value, record["change_id"], name, record["announced_by"], int(record["event_time"]),
            int(record["effective_at"]),
        )
        for field, value in ((VERSION, version), (DIGEST, record.get("config_digest")))
        if value and len(value) <= _LONGEST_VALUE
    )  # fmt: skip


def with_announced(known: Announcements, more: Announcements) -> Announcements:
    """The announcements with further ones, the newest 1,000; what is only repeated is known already."""
    left = list(known)
    for new in more:
        if any(_same(old, new) and old.effective_at == new.effective_at for old in left):
            continue
        left = [
            replace(old, replaced=new.at) if _same(old, new) and old.replaced is None and old.at <= new.at else old
            for old in left
        ]
        left.append(new)
    return tuple(sorted(left, key=lambda a: (a.at, a.change_id, a.field, a.value))[-ANNOUNCED_KEPT:])


def _same(old: Announcement, new: Announcement) -> bool:
    if old.withdrawn is not None and old.withdrawn < new.at:
        return False
    return (old.field, old.value, old.change_id) == (new.field, new.value, new.change_id)


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms one value may serve: its announcements, those of an earlier release, and who has answered.

    What a document declares may serve unless an announcement says that it is to serve later.
    ``answered`` says when all who must have had answered, and None while somebody has not.
    """

    announcements: Announcements
    announced_before: Sequence[int]
    answered: Callable[[Announcement], int | None]
    declared: bool = False

    def begins(self, announcement: Announcement) -> int:
        """From when on it lets the value serve; far ahead while that is not known, or never comes."""
        answered = self.answered(announcement)
        if answered is None:
            return _NEVER
        begins = max(announcement.at, announcement.effective_at, answered)
        replaced = announcement.replaced is not None and announcement.replaced < begins
        withdrawn = announcement.withdrawn is not None and announcement.withdrawn < begins
        return _NEVER if replaced or withdrawn else begins

    def said(self, fact: Fact) -> list[Announcement]:
        """Those that stood when the first event of a window came."""
        return [a for a in self.announcements if a.at <= fact.first_time and not self._over(a, fact)]

    def allows(self, fact: Fact) -> bool:
        """Whether nothing is to be said against the traffic of a window.

        What was withdrawn within the window is over with it, since nobody can tell its events apart.
        """
        if any(at <= fact.first_time for at in self.announced_before):
            return True
        said = self.said(fact)
        if any(self.begins(a) <= fact.first_time for a in said):
            return True
        return self.declared and not said

    def next_begin(self, after: int) -> int | None:
        """The first time after ``after`` from which on the value may serve, as far as is known."""
        times = [*(self.begins(a) for a in self.announcements), *self.announced_before]
        if self.declared:
            times += [a.withdrawn for a in self.announcements if a.withdrawn is not None and self._free_at(a.withdrawn)]
        return min((at for at in times if after < at < _NEVER), default=None)

    def _free_at(self, at: int) -> bool:
        """Whether all that had been announced by then was withdrawn."""
        return all(a.at > at or (a.withdrawn is not None and a.withdrawn <= at) for a in self.announcements)

    def _over(self, announcement: Announcement, fact: Fact) -> bool:
        if announcement.withdrawn is None:
            return False
        if self.declared:
            # From then on nothing is to be said against it: where the window began is what counts.
            return fact.first_time >= announcement.withdrawn
        return fact.window_start >= -(-announcement.withdrawn // fact.window) * fact.window
