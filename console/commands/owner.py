"""`seamwatch owner`: who is on the hook for a system, and how they are reached."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sinks.store import Store


_EPISODES = 5


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(owner)


def owner(
    system: Annotated[str, typer.Argument(help="a system's id", metavar="SYSTEM")],
    as_json: Annotated[bool, typer.Option("--json", help="one object")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Name the owner of a system, their channels, the contracts that bind it, who is paged when, and what is open.

    Exit 1 when nobody owns it, or it is neither declared nor seen.

    Example: seamwatch owner credit-risk
    """
    from console.asking import auditor
    from console.names import names, unknown

    with auditor(data) as store:
        found = store.rows("SELECT * FROM owners WHERE system = {system:String}", {"system": system})
        if not found:
            raise unknown("system", system, names(store, "system"))
        answer = _answer(store, found[0])
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        _print(answer)
    raise typer.Exit(not answer["owner"])


def _answer(store: Store, row: dict[str, Any]) -> dict[str, Any]:
    contracts = store.rows(
        "SELECT covered.contract AS contract, covered.version AS version, covered.seam AS seam, "
        "documents.document AS document FROM covered INNER JOIN documents "
        "ON documents.id = covered.contract AND documents.version = covered.version AND documents.kind = 'Contract' "
        "WHERE covered.system = {system:String} ORDER BY contract",
        {"system": row["system"]},
    )
    episodes = store.rows(
        "SELECT violation_id, severity, state, summary, person, acknowledged_by FROM violations "
        "WHERE system = {system:String} AND state != 'resolved' ORDER BY opened_at DESC, violation_id",
        {"system": row["system"]},
    )
    return {
        "system": row["system"],
        "type": row["type"],
        "registered": row["registered"],
        "owner": row["owner"] or None,
        "name": row["name"] or None,
        "channels": row["channels"] or (["console"] if row["owner"] else []),
        "team": row["team"] or None,
        "contracts": [
            {
                "contract": contract["contract"],
                "version": contract["version"],
                "seam": contract["seam"],
                "escalation": json.loads(contract["document"]).get("escalation") or [],
            }
            for contract in contracts
        ],
        "open": episodes,
    }


def _print(answer: dict[str, Any]) -> None:
    from console.tables import print_text

    def line(name: str, told: str) -> None:
        print_text(f"{name:<11} {told}", indent="  ", further=" " * 14)

    print_text(
        f"{answer['system']}  {answer['type'] or 'unknown type'}{'' if answer['registered'] else ', UNREGISTERED'}"
    )
    if answer["owner"]:
        line("owner", f"{answer['name'] or answer['owner']} ({answer['owner']}), by {', '.join(answer['channels'])}")
    else:
        line("owner", "nobody: declare it in a System document with an owner")
    if answer["team"]:
        line("team", answer["team"])
    if not answer["contracts"]:
        line("contracts", "none; the defaults apply")
    for contract in answer["contracts"]:
        line("contract", f"{contract['contract']}@{contract['version']} ({contract['seam']})")
        for number, step in enumerate(contract["escalation"], 1):
            within = step.get("acknowledge_within", "1h")
            print_text(f"{number}. {step['person']} acknowledges within {within}", indent=" " * 4, further=" " * 7)
    for episode in answer["open"][:_EPISODES]:
        acting = (
            f"taken on by {episode['acknowledged_by']}"
            if episode["acknowledged_by"]
            else f"{episode['person'] or 'nobody'} must act"
        )
        line("open", f"{episode['violation_id']}  {episode['severity']}, {acting}: {episode['summary']}")
    if len(answer["open"]) > _EPISODES:
        line(
            "",
            f"and {len(answer['open']) - _EPISODES:,} more: `seamwatch violations --open --system {answer['system']}`",
        )
