"""Who answers for a system: a named person, those who signed its thresholds, those who are paged. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

from seamwatch.documents.following import unsigned_by
from seamwatch.documents.handover import why_nothing
from seamwatch.durations import DAY, HOUR, SECOND, format_duration
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.remedies import NOBODY_NAMED
from sinks.store.questions.readiness.row import Said, no, not_known, yes
from sinks.store.questions.rotas import unreachable

if TYPE_CHECKING:
    from seamwatch.clauses import Clause
    from seamwatch.documents import Contract
    from sinks.store.questions.readiness.known import Known

_NUMBERS: Final = ("min", "max", "max_error", "max_lag", "below", "floor", "at_least", "shares", "tolerate")
"""Terms of clauses that say what number still holds."""
REVIEWED_WITHIN: Final = 90 * DAY
"""So lately those who deploy have looked at the contract."""


@dataclass(frozen=True, slots=True)
class _First:
    """The first step of a list: a person, or else a rota, and how long they have to acknowledge (micros)."""

    person: str
    rota: str | None
    acknowledge_within: int


_UNDECLARED: Final = "no document declares it"


def declare(known: Known) -> str:
    """What to do about a system that nobody declared."""
    return f"write a System document for {known.system} (`seamwatch contracts new System`) and publish it"


def drill_command(known: Known) -> str:
    """The command by which a drill of it is held."""
    who = NOBODY_NAMED if known.declared is None else known.declared.owner
    return f"seamwatch drill {quote(known.system)} --as {quote(who)} --scenario SCENARIO"


def quality(known: Known) -> Said:
    """A person who is known owns it: not a team, and nobody whose document is missing."""
    declared = known.declared
    if declared is None:
        return no(f"{_UNDECLARED}, so nobody answers for it", declare(known))
    person = known.estate.persons.get(declared.owner)
    if person is None:
        remedy = f"write a Person document for {declared.owner}, or name another 'owner' in System/{known.system}"
        return no(f"its owner {declared.owner} is nobody whom the documents know", remedy)
    if (why := why_nothing(person.name)) is not None:
        return no(f"its owner is {person.id}, whose name {why}", f"write the 'name' of Person/{person.id}")
    return yes(f"{person.id} ({person.name}) owns it, by System/{known.system}")


def thresholds(known: Known) -> Said:
    """Every contract in force for it that states numbers is signed by both sides, who are two."""
    stating = {contract.key: list(_numeric(contract)) for contract in known.agreed}
    stated = [contract for contract in known.agreed if stating[contract.key]]
    if not stated:
        which = ", ".join(contract.key for contract in known.agreed) or "no contract that anybody wrote covers it"
        return no(
            f"{which}: no clause states a number",
            "agree on one (`seamwatch contracts new signal`), and have both sides sign it",
        )
    faults = [fault for contract in stated if (fault := _unsigned(known, contract)) is not None]
    if faults:
        first = next(contract for contract in stated if _unsigned(known, contract) is not None)
        return no(
            "; ".join(faults),
            f"have both sides sign {first.id} {first.version} (`seamwatch contracts sign`), and publish it",
        )
    told = (f"{c.key} ({', '.join(stating[c.key])}) by {' and '.join(c.signatories)}" for c in stated)
    return yes(f"signed: {'; '.join(told)}")


def _numeric(contract: Contract) -> Iterator[str]:
    for clause in contract.clauses:
        if terms := [name for name in _NUMBERS if _is_number(clause, name)]:
            yield f"{clause.id}: {', '.join(terms)}"


def _is_number(clause: Clause, name: str) -> bool:
    value: Any = getattr(clause, name, None)
    return bool(value) if isinstance(value, dict) else isinstance(value, int | float) and not isinstance(value, bool)


def _unsigned(known: Known, contract: Contract) -> str | None:
    lacking = unsigned_by(contract, known.estate.signatures.get(contract.key, ()), known.estate.persons)
    if lacking:
        return f"{contract.key} is not signed by {', '.join(lacking)}"
    if len(contract.signatories) < 2:
        return f"{contract.key} is signed by {contract.signatories[0]} for both sides"
    return None


def paged(known: Known) -> Said:
    """Whoever is first on each list has a channel, and has acknowledged a page in the time that they had.

    Where that is a rota, it is who is on call by it now, and everybody who may be on call by it has a channel.
    """
    first = list(dict.fromkeys(_first(known)))
    if not first:
        return no("nobody is paged: no escalation list, no owner", declare(known))
    found = [
        _acknowledges(known, step.person, step.acknowledge_within) if step.rota is None else _by_rota(known, step)
        for step in first
    ]
    worst = next((one for word in ("no", "not_known") for one in found if one.answer == word), None)
    evidence = "; ".join(one.evidence for one in found)
    return yes(evidence) if worst is None else Said(worst.answer, evidence, worst.remedy)


def _first(known: Known) -> Iterator[_First]:
    lists = [contract.escalation for contract in known.in_force if contract.escalation]
    for steps in lists:
        yield _First(steps[0].person or "", steps[0].rota, steps[0].acknowledge_within)
    if not lists and known.declared is not None:
        yield _First(known.declared.owner, None, HOUR)


def _by_rota(known: Known, step: _First) -> Said:
    rota = known.estate.rotas.get(step.rota or "")
    if rota is None:
        instead = "nobody" if known.declared is None else known.declared.owner
        told = f"rota {step.rota} is to be paged first, and no document declares it: {instead} is, in its place"
        return no(told, f"publish a Rota document of the id {step.rota}")
    if lacking := list(unreachable(known.estate, rota, known.now)):
        told = ", ".join(f"{person} {why}" for person, why in lacking)
        remedy = "; ".join(
            f"give Person/{person} 'channels' that wake them" if person in known.estate.persons
            else f"write a Person document for {person} with 'channels'"
            for person, _ in lacking
        )  # fmt: skip
        return no(f"rota {rota.id} is paged first, and of those who may be on call {told}", remedy)
    said = _acknowledges(known, rota.on_call(known.now), step.acknowledge_within)
    return Said(said.answer, f"by rota {rota.id}, {said.evidence}", said.remedy)


def _acknowledges(known: Known, name: str, within: int) -> Said:
    person, reached = known.estate.persons.get(name), known.reached.get(name)
    agreed = format_duration(within)
    if person is None or not person.channels:
        return no(
            f"{name} is paged first, and has no channel but the board",
            f"give Person/{name} 'channels' that wake them",
        )
    drill = f"hold a drill ({drill_command(known)})"
    if reached is None or not reached.asked:
        return not_known(f"{name} is paged first, has {agreed}, and was never paged", drill)
    if reached.fastest_seconds is None:
        return no(f"{name} was paged {reached.asked} times and never acknowledged", drill)
    told = f"{reached.fastest} at {moment_text(reached.fastest_at or 0)}, after {_took(reached.fastest_seconds)}"
    counts = f"of {reached.asked} pages {reached.answered} were acknowledged, the soonest {told}; agreed {agreed}"
    if reached.fastest_seconds * SECOND > within:
        return no(f"{name} was never in time: {counts}", drill)
    return yes(f"{name} is paged first: {counts}")


def _took(seconds: float) -> str:
    return format_duration(max(0, int(seconds * SECOND)))


def contract_reviewed(known: Known) -> Said:
    """Who signs for the consumer, who deploys it, has signed or reviewed each contract within 90 days."""
    if not known.agreed:
        return no("no contract that anybody wrote covers it", "write one (`seamwatch contracts new`) and sign it")
    found = [_looked_at(known, contract) for contract in known.agreed]
    refused = [one for one in found if one.answer == "no"]
    evidence = "; ".join(one.evidence for one in refused or found)
    return no(evidence, refused[0].remedy) if refused else yes(evidence)


def _looked_at(known: Known, contract: Contract) -> Said:
    consumer = contract.parties.consumer.signatory
    if consumer is None:
        return no(f"{contract.key} names nobody for its consumer", f"name a 'signatory' in {contract.key}")
    lines = known.estate.signatures.get(contract.key, ())
    signed = [line.at for line in lines if line.person == consumer and line.digest == contract.digest]
    if consumer in unsigned_by(contract, lines, known.estate.persons):
        signed = []
    attested = [one.at for one in known.contract_reviews if (one.contract, one.person) == (contract.id, consumer)]
    last = max((at for at in (*signed, *attested) if at <= known.now), default=None)
    remedy = (
        f"have {consumer} read it, and sign it, or attest that by a clause {{kind: review, of: contract, every: 90d}} "
        f"(seamwatch attest review)"
    )
    if last is None:
        return no(f"{consumer} has neither signed nor reviewed {contract.key}", remedy)
    how = "signed" if last in signed else "reviewed"
    text = f"{consumer} {how} {contract.key} at {moment_text(last)}"
    return yes(text) if known.now - last <= REVIEWED_WITHIN else no(f"{text}, and not since", remedy)
