"""Withdrawals: what the parties of a contract are told when it, or a version of it, is withdrawn.

Notices only, for the pager; what becomes of what is open, the judge says (`seamwatch.engine.withdrawn`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from seamwatch.documents import Contract, Estate
from seamwatch.documents.escalating import escalation_list
from seamwatch.documents.estate import Term
from seamwatch.judging.model.facts import WITHDRAWN, Notice
from seamwatch.judging.model.identity import identity
from seamwatch.judging.patterns.ladder import asked
from seamwatch.judging.patterns.wording import moment_text


def withdrawal_notices(estate: Estate, gone: Collection[str], now: int, by: str | None = None) -> Iterator[Notice]:
    """One notice for each contract of which versions are withdrawn, and each person who is told (``now`` in micros).

    ``estate`` is what was published before; ``gone`` holds the keys of the documents that are withdrawn; ``by`` is who
    withdraws them, None where that was not said.
    """
    withdrawn = f"was withdrawn by {by} at {moment_text(now)}" if by else f"was withdrawn at {moment_text(now)}"
    unsaid = "" if by else ", not said by whom"
    by_contract: dict[str, list[Term]] = {}
    for term in estate.terms:
        if term.contract.key in gone:
            by_contract.setdefault(term.contract.id, []).append(term)
    for name, terms in by_contract.items():
        left = [contract.version for contract in estate.versions_of(name) if contract.key not in gone]
        last = terms[-1].contract
        said = (
            f"{_versions(terms)} of contract {name} {withdrawn}{unsaid}"
            if left
            else f"contract {name} {withdrawn}, as a whole{unsaid}"
        )
        said += (
            f"; in force in its place is version {left[-1]}"
            if left
            else f": nothing of it binds {', '.join(last.covers)} any more, and what was open of it is not resolved"
        )
        published = [f"{term.contract.key} {term.published_at}" for term in terms]
        for person in _addressees(estate, last, now):
            yield Notice(
                notice_id=identity("withdrawn", *published, person),
                type="summary",
                contract=name,
                contract_version=last.version,
                contract_digest=last.digest,
                clause="",
                kind=WITHDRAWN,
                system=last.covers[0],
                slice=None,
                person=person,
                summary=said,
                due_at=now,
                detected_at=now,
            )


def _versions(terms: list[Term]) -> str:
    names = [term.contract.version for term in terms]
    return f"version {names[0]}" if len(names) == 1 else f"each of the versions {', '.join(names)}"


def _addressees(estate: Estate, contract: Contract, now: int) -> tuple[str, ...]:
    """Who signs for both sides; where a side names nobody, the owners of what the contract covers as well."""
    people = list(contract.signatories)
    if contract.parties.provider.signatory is None or contract.parties.consumer.signatory is None:
        people += [system.owner for system in estate.systems.values() if contract.covers_system(system.id)]
        people += [step.person for step in asked(escalation_list(contract, estate.rotas.get), now)[:1]]
    return tuple(dict.fromkeys(people))
