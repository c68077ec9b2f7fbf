"""Escalation lists of contracts with the rotas that they name, in the form in which they are judged and shown.

Looks up; who of a rota is asked when is `seamwatch.judging.patterns.ladder`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from seamwatch.documents.contract import Contract
from seamwatch.documents.rota import Rota
from seamwatch.judging.model.facts import Violation
from seamwatch.judging.model.seam import EscalationList, RotaStep, Step
from seamwatch.judging.patterns.ladder import asked, ladder


def escalation_list(
    contract: Contract, rota_of: Callable[[str], Rota | None], otherwise: str | None = None
) -> EscalationList:
    """Whom a contract names to be paged, in order; empty where it names nobody.

    In place of a rota that no document has, ``otherwise`` is asked, if there is anybody: a document that was withdrawn
    or cannot be read leaves no breach without a person.
    """
    return tuple(_steps(contract, rota_of, otherwise))


def _steps(
    contract: Contract, rota_of: Callable[[str], Rota | None], otherwise: str | None
) -> Iterator[Step | RotaStep]:
    for step in contract.escalation:
        if step.person is not None:
            yield Step(step.person, step.acknowledge_within)
        elif (rota := rota_of(step.rota or "")) is not None:
            yield RotaStep(rota, step.acknowledge_within)
        elif otherwise is not None:
            yield RotaStep(_Otherwise(otherwise), step.acknowledge_within)


@dataclass(frozen=True, slots=True)
class _Otherwise:
    """Who is on call in place of a rota that is not there."""

    person: str

    @property
    def members(self) -> tuple[str, ...]:
        return (self.person,)

    def on_call(self, _at: int) -> str:
        return self.person


def ladder_of(violation: Violation, first: str | None, listed: EscalationList) -> tuple[Step, ...]:
    """Who must act for a violation, in order, as the documents of now say; ``first``: who had to first.

    The judge keeps the order of when it opened. It is another where a rota was changed for that time since.
    """
    at = violation.opened_at
    steps = asked(listed, at)
    return ladder(listed, at, first if steps and first != steps[0].person else None)
