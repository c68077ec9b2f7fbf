"""Who signed which version of a contract and when, and who must and has not."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from seamwatch.instants import format_instant
from sinks.store.questions.rows import Micros, columns, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Signature:
    """One who signed a version, or must (``signed`` 0); ``person`` None where a party names nobody."""

    contract: str
    version: str
    person: str | None
    roles: tuple[str, ...]
    signed: int
    key_id: str | None
    signed_at: Micros | None


_SIGNATURES: Final = f"""
SELECT {columns(Signature)} FROM contract_signatures
WHERE concat(contract, '@', version) IN {{names:Array(String)}} ORDER BY contract, signed_at, person
"""


def signatures(store: Store, contracts: Collection[str]) -> list[Signature]:
    """The signatures under contracts, each named as ``id@version``; those of one version beside one another."""
    return rows(store, Signature, _SIGNATURES, {"names": list(contracts)}) if contracts else []


def signed(under: Iterable[Signature]) -> str:
    """Who signed one version, as what and when, and who must and has not."""
    there, lacking = [], []
    for one in under:
        roles = ", ".join(one.roles)
        if one.signed:
            there.append(f"{one.person} ({roles}) at {_instant(one.signed_at)}")
        else:
            lacking.append(f"{one.person or 'nobody named'} ({roles})")
    return ", ".join(there) + (f"; NOT BY {', '.join(lacking)}" if lacking else "")


def by_contract(found: Iterable[Signature]) -> dict[str, list[Signature]]:
    """The signatures under each version, as ``id@version``, of those that anybody signed."""
    under: dict[str, list[Signature]] = {}
    for one in found:
        under.setdefault(f"{one.contract}@{one.version}", []).append(one)
    return {name: those for name, those in under.items() if any(one.signed for one in those)}


def _instant(moment: Micros | None) -> str | None:
    return None if moment is None else format_instant(moment)
