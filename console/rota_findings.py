"""What `seamwatch doctor` finds of rotas: those that would reach nobody, and those by which nobody is paged. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from console.finding import Finding
from console.naming import some_of

if TYPE_CHECKING:
    from seamwatch.documents import Estate
    from sinks.store.questions.rotas import OnCall

_TOLD: Final = 3


def rota_findings(estate: Estate, now: int) -> Iterator[Finding]:
    """One for each fault, or one for all rotas where there is none; nothing where there are no rotas."""
    from sinks.store.questions.rotas import standing

    found = standing(estate, now)
    faults = [fault for one in found for fault in _faults(estate, one)]
    yield from faults
    if found and not faults:
        told = [f"{one.rota}: {one.person}, until {one.local(one.until)}" for one in found[:_TOLD]]
        more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
        yield Finding("rotas", "ok", f"on call now by {'; by '.join(told)}{more}")


def _faults(estate: Estate, one: OnCall) -> Iterator[Finding]:
    from sinks.store.questions.rotas import unreachable, unread

    rota = estate.rotas.get(one.rota)
    if rota is None:
        named = f", which {', '.join(one.contracts)} names" if one.contracts else ""
        yield Finding("rotas", "problem", f"{one.rota}{named}: {'; '.join(one.problems)}")
        return
    lacking = list(unreachable(estate, rota, one.at))
    unknown = [person for person, _ in lacking if person not in estate.persons]
    silent = [person for person, _ in lacking if person in estate.persons]
    if why := unread(estate, one.rota):
        yield Finding("rotas", "problem", f"{one.rota}: {why[0]}")
    if unknown:
        said = f"no document knows {some_of(unknown)}, so that nobody can be told when it is their turn"
        yield Finding("rotas", "problem", f"{one.rota}: {said}; publish a Person document, or take them out")
    if silent:
        said = f"{some_of(silent)} may be on call and have no channel: they are told on the pager's output"
        yield Finding("rotas", "note", f"{one.rota}: {said}")
    if not one.contracts:
        said = "no list of a contract in force names it, so that nobody is paged by it"
        yield Finding("rotas", "note", f"{one.rota}: {said}")
