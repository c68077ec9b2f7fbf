"""What was agreed in clauses of a kind, version by version, and which attestations count; for questions about both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sinks.store.questions.rows import Micros, columns, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Agreed:
    """A clause of a published contract in one version; ``agreed`` is the clause as JSON, in force in that time."""

    contract: str
    clause: str
    agreed: str
    valid_from: Micros
    valid_to: Micros


COUNTED: Final = "event_id IN (SELECT acknowledgement_id FROM verdict WHERE of = 'attestation' AND counted)"
"""The condition by which an attestation is one that counts, as the judge said."""

_AGREED: Final = f"SELECT {columns(Agreed)} FROM contract_clauses WHERE kind = {{kind:String}} ORDER BY valid_from"


def agreed_in(store: Store, kind: str) -> list[Agreed]:
    """The clauses of a kind that any published contract has or had, the earliest first."""
    return rows(store, Agreed, _AGREED, {"kind": kind})
