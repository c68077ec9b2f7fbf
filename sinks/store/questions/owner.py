"""Who is on the hook for a system, how they are reached, and which contracts bind it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sinks.store.questions.rows import columns, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Owner:
    """A system and who owns it; empty texts where nobody does, or nothing is declared."""

    system: str
    type: str
    owner: str
    name: str
    channels: tuple[str, ...]
    team: str
    contracts: tuple[str, ...]
    escalation: tuple[str, ...]
    registered: bool

    @property
    def reached_by(self) -> tuple[str, ...]:
        """The channels of the owner; the console where they name none."""
        return self.channels or (("console",) if self.owner else ())


@dataclass(frozen=True, slots=True)
class Binding:
    """A contract that covers a system now; ``document`` is its JSON."""

    contract: str
    version: str
    seam: str
    document: str

    @property
    def escalation(self) -> list[dict[str, Any]]:
        """Who is paged when, step by step, as the contract has it."""
        return json.loads(self.document).get("escalation") or []


_OWNER: Final = f"SELECT {columns(Owner)} FROM owners WHERE system = {{system:String}}"
_BINDINGS: Final = """
SELECT covered.contract AS contract, covered.version AS version, covered.seam AS seam, documents.document AS document
FROM covered INNER JOIN documents
ON documents.id = covered.contract AND documents.version = covered.version AND documents.kind = 'Contract'
WHERE covered.system = {system:String} ORDER BY contract
"""


def owner(store: Store, system: str) -> Owner | None:
    """Who owns a system; None when it is neither declared nor seen."""
    return next(iter(rows(store, Owner, _OWNER, {"system": system})), None)


def bindings(store: Store, system: str) -> list[Binding]:
    """The contracts that cover a system, by id."""
    return rows(store, Binding, _BINDINGS, {"system": system})
