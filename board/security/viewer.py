"""The viewer: who looks at the board, what they may see, and as whom they may speak. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from seamwatch.documents import Person

AUDITOR: Final = "auditor"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who signed in. ``person`` is the id of a Person document; None for who has not said who they are.

    ``how``: by the one-time ``link`` of this machine's `up`, by an ``oidc`` provider, or by a ``token`` for the API.
    ``session`` is a random text that is the same for as long as the session lasts; ``until`` (micros) is its end.
    """

    person: str | None
    how: Literal["link", "oidc", "token"]
    session: str
    until: int
    scopes: tuple[str, ...] = ("read", "answer")

    def may_see_everything(self, persons: Mapping[str, Person]) -> bool:
        """Whether raw bytes, attributes, arguments and SQL are shown: to auditors, and to who runs this machine.

        Whoever has the link has the data folder, and with it the auditor's password, until they look as somebody.
        """
        if self.person is None:
            return self.how == "link"
        known = persons.get(self.person)
        return known is not None and AUDITOR in known.roles

    def team(self, persons: Mapping[str, Person], teams: Collection[str]) -> str | None:
        """The team whose systems alone they may see; None for who may see those of all.

        Held to where the board has a store for their ``teams``; an auditor is held to none.
        """
        known = persons.get(self.person) if self.person is not None else None
        if known is None or known.team not in teams or self.may_see_everything(persons):
            return None
        return known.team

    def may_answer(self) -> bool:
        """Whether they may speak for the person whom they are."""
        return self.person is not None and "answer" in self.scopes
