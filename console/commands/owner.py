"""`seamwatch owner`: who is on the hook for a system, and how they are reached."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seamwatch.judging.model.facts import Violation
    from sinks.store.questions.owner import Binding, Owner
    from sinks.store.questions.rotas import OnCall
    from sinks.store.questions.suspended import SuspendedNow

_EPISODES = 5
_OF_ROTA = ("person", "since", "until", "why", "next_person")
_OF_EPISODE = ("violation_id", "severity", "state", "summary", "person", "acknowledged_by")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(owner)


def owner(
    system: Annotated[str, typer.Argument(help="a system's id", metavar="SYSTEM")],
    as_json: Annotated[bool, typer.Option("--json", help="one object")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Name the owner of a system, their channels, the contracts that bind it, who is paged when, and what is open.

    Where a list names a rota, who is on call by it now, until when and who follows. And what of it is suspended.

    Exit 1 when nobody owns it, or it is neither declared nor seen.

    Example: seamwatch owner credit-risk
    """
    from console.asking import auditor
    from seamwatch.settings import load_settings
    from sinks.store.questions.episodes import Wanted, episodes
    from sinks.store.questions.estate import estate_shown
    from sinks.store.questions.names import names, unknown
    from sinks.store.questions.owner import bindings
    from sinks.store.questions.owner import owner as owner_of
    from sinks.store.questions.rotas import standing_by_id
    from sinks.store.questions.suspended import suspended_now

    now = load_settings().clock().now()
    with auditor(data) as store:
        found = owner_of(store, system)
        if found is None:
            raise unknown("system", system, names(store, "system"))
        contracts = bindings(store, system)
        unresolved = episodes(store, Wanted(system, unresolved=True))
        stopped = suspended_now(store, now, system)
        by_rota = any(step.get("rota") for contract in contracts for step in contract.escalation)
        rotas = standing_by_id(estate_shown(store), now) if by_rota else {}
    if as_json:
        print(json.dumps(_record(found, contracts, unresolved, stopped, rotas), ensure_ascii=False))
    else:
        _print(found, contracts, unresolved, stopped, rotas)
    raise typer.Exit(not found.owner)


def _record(
    found: Owner,
    contracts: Sequence[Binding],
    unresolved: Sequence[Violation],
    stopped: Sequence[SuspendedNow],
    rotas: Mapping[str, OnCall],
) -> dict[str, Any]:
    from sinks.store.questions.rows import records

    return {
        "system": found.system,
        "type": found.type,
        "registered": found.registered,
        "owner": found.owner or None,
        "name": found.name or None,
        "channels": list(found.reached_by),
        "team": found.team or None,
        "contracts": [
            {
                "contract": contract.contract,
                "version": contract.version,
                "seam": contract.seam,
                "escalation": [_step_record(step, rotas) for step in contract.escalation],
            }
            for contract in contracts
        ],
        "suspended": records(stopped),
        "open": [{name: getattr(episode, name) for name in _OF_EPISODE} for episode in unresolved],
    }


def _step_record(step: Mapping[str, Any], rotas: Mapping[str, OnCall]) -> dict[str, Any]:
    """A step as the contract has it, and who is on call where it is by a rota."""
    from sinks.store.questions.rows import record

    if not step.get("rota"):
        return dict(step)
    one = rotas.get(step["rota"])
    told = {} if one is None else record(one)
    return {**step, "on_call": {name: told.get(name) for name in _OF_ROTA}}


def _print(
    found: Owner,
    contracts: Sequence[Binding],
    unresolved: Sequence[Violation],
    stopped: Sequence[SuspendedNow],
    rotas: Mapping[str, OnCall],
) -> None:
    from console.tables import print_text
    from sinks.store.questions.episodes import acting
    from sinks.store.questions.rotas import who_text
    from sinks.store.questions.suspended import sentence

    def line(name: str, text: str) -> None:
        print_text(f"{name:<11} {text}", indent="  ", further=" " * 14)

    print_text(f"{found.system}  {found.type or 'unknown type'}{'' if found.registered else ', UNREGISTERED'}")
    if found.owner:
        line("owner", f"{found.name or found.owner} ({found.owner}), by {', '.join(found.reached_by)}")
    else:
        line("owner", "nobody: declare it in a System document with an owner")
    if found.team:
        line("team", found.team)
    if not contracts:
        line("contracts", "none; the defaults apply")
    for contract in contracts:
        line("contract", f"{contract.contract}@{contract.version} ({contract.seam})")
        for number, step in enumerate(contract.escalation, 1):
            within = step.get("acknowledge_within", "1h")
            who = f"rota {step['rota']}: {who_text(rotas.get(step['rota']))};" if step.get("rota") else step["person"]
            print_text(f"{number}. {who} acknowledges within {within}", indent=" " * 4, further=" " * 7)
    for each in stopped:
        line("suspended", sentence(each))
    for episode in unresolved[:_EPISODES]:
        line("open", f"{episode.violation_id}  {episode.severity}, {acting(episode)}: {episode.summary}")
    if len(unresolved) > _EPISODES:
        line("", f"and {len(unresolved) - _EPISODES:,} more: `seamwatch violations --open --system {found.system}`")
