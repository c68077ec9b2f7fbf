"""Announcements: which of them say something new, what each change is called, and which a withdrawal takes back.

A change_id that is announced again with other content is another change: whoever agreed to the one has not agreed to
the other. One that is only repeated is the same change. What is withdrawn is announced no longer, so that announcing it
again is new. Pure; what an answer is to is for the clauses to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.wording import quoted
from seamwatch.signatures import change_digest, change_signed_by

_SHOWN = 12
_MOST = 1_000
_NAMED_AGAIN: Final = re.compile(rf"@[0-9a-f]{{{_SHOWN}}}$")


class Said(NamedTuple):
    """One change that was announced: the digest of what was, by whom, what it is called, and when (micros).

    Of what an earlier release remembered no more is known than the first two.
    """

    change_id: str
    digest: str
    by: str = ""
    name: str = ""
    at: int = 0

    @property
    def called(self) -> str:
        """Its name."""
        return self.name or self.change_id


Announced = tuple[Said, ...]
"""The changes that were announced, oldest first."""


def announced(known: Announced, record: Mapping[str, Any]) -> tuple[Announced, str | None]:
    """What is known with the change of an announcement, and its name; None in place of that when it is known already.

    The first change of an id is called by the id, as it always was; others by the id, `@` and the first twelve digits
    of their digest. The newest 1,000 are remembered.
    """
    change_id, digest = str(record["change_id"]), change_digest(record)
    if any((said.change_id, said.digest) == (change_id, digest) for said in known):
        return known, None
    first = all(said.change_id != change_id for said in known)
    name = change_id if first else f"{change_id}@{digest[:_SHOWN]}"
    return (*known, Said(change_id, digest, record["announced_by"], name, int(record["event_time"])))[-_MOST:], name


def change_id_of(name: str) -> str:
    """The id in the name of a change; a name that is no more than an id is taken for itself."""
    return _NAMED_AGAIN.sub("", name)


def words(change_id: str, name: str) -> str:
    """A change by name, for a sentence."""
    return change_id if name == change_id else f"{name} (announced again with other content)"


def may_withdraw(seam: Seam, person: str, by: str) -> bool:
    """Whether a person may withdraw what ``by`` announced: it is theirs, or they sign for a party of the contract."""
    return person == by or person in seam.signatories


def why_unproven(seam: Seam, record: Mapping[str, Any]) -> str | None:
    """Why a withdrawal cannot be taken for that of the person it names; None when it can.

    They are a person of the documents and, where they have published keys, have signed it.
    """
    person = record["announced_by"]
    if person not in seam.keys:
        return f"{person} is nobody that the documents know"
    if seam.keys[person] and not change_signed_by(record, person, seam.keys[person]):
        return f"it bears no valid signature of {person}"
    return None


def why_withdrawal_void(seam: Seam, announcers: tuple[str, ...], record: Mapping[str, Any]) -> str | None:
    """Why a withdrawal of what these persons announced takes nothing back; None when it does."""
    person = record["announced_by"]
    if not any(may_withdraw(seam, person, by) for by in announcers):
        may = " or ".join(dict.fromkeys((*filter(None, announcers), *seam.signatories)))
        return f"it is for {may} to withdraw it, not for {person}"
    return why_unproven(seam, record)


def withdrawn(seam: Seam, known: Announced, record: Mapping[str, Any]) -> tuple[Announced, Announced]:
    """What is still announced after a withdrawal, and what that takes back: nothing, if it is void.

    It takes back all that was announced under its change_id until then and that the person may withdraw.
    """
    mine = [said for said in known if said.change_id == record["change_id"] and said.at <= int(record["event_time"])]
    if why_withdrawal_void(seam, tuple(said.by for said in mine), record) is not None:
        return known, ()
    gone = tuple(said for said in mine if may_withdraw(seam, record["announced_by"], said.by))
    return tuple(said for said in known if said not in gone), gone


def withdrawn_text(record: Mapping[str, Any], said: Said) -> str:
    """What ends with a withdrawal, for a sentence that says why it did."""
    why = f": {quoted(record['summary'])}" if record.get("summary") else ""
    return f"{record['system']}: {record['announced_by']} withdrew {record['kind']} change {said.called}{why}"
