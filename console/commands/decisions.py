"""`seamwatch decisions`: what was decided and called, and under which version of which contract."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sinks.store import Store

SHOWN = 100


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(decisions)


def decisions(
    system: Annotated[str | None, typer.Option(help="only of this system")] = None,
    version: Annotated[str | None, typer.Option(help="only of this version of it")] = None,
    cohort: Annotated[str | None, typer.Option(help="only of this cohort")] = None,
    contract: Annotated[str | None, typer.Option(help="only what this contract governed")] = None,
    contract_version: Annotated[
        str | None, typer.Option(help="only what this version of it governed, by the time of the event")
    ] = None,
    since: Annotated[str | None, typer.Option(help="decided since: a duration (24h) or a time (RFC 3339)")] = None,
    until: Annotated[str | None, typer.Option(help="decided before: a duration back from now, or a time")] = None,
    limit: Annotated[int, typer.Option(min=1, help="at most so many, the latest first")] = SHOWN,
    as_json: Annotated[bool, typer.Option("--json", help="one object a decision or tool call")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """List decisions and tool calls, the latest first, each once, with the contracts in force when it was made.

    When there are more than --limit, it says so (with --json on standard error).

    Example: seamwatch decisions --contract eligibility-data --contract-version 2 --since 7d
    """
    from console.asking import auditor, print_lines
    from console.moments import moment_of
    from console.names import demand_known
    from console.tables import print_note
    from seamwatch.errors import UsageError

    if contract_version is not None and contract is None:
        raise UsageError("--contract-version is of a contract: name it with --contract")
    given = {"system": system, "version": version, "cohort": cohort}
    conditions = [f"{name} = {{{name}:String}}" for name, value in given.items() if value is not None]
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for name, sign, text in (("since", ">=", since), ("until", "<", until)):
        if (moment := moment_of(f"--{name}", text)) is not None:
            conditions.append(f"event_time {sign} fromUnixTimestamp64Micro({{{name}:Int64}}, 'UTC')")
            values[name] = str(moment)
    with auditor(data) as store:
        if contract is not None:
            conditions += _governed(store, contract, contract_version, values)
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        rows = store.rows(
            f"SELECT * FROM decided_under {where} ORDER BY event_time DESC, event_id LIMIT {limit + 1}", values
        )
        if not rows:
            demand_known(store, **given, contract=contract, contract_version=contract_version)
    if as_json:
        print_lines(rows[:limit])
    else:
        _print(rows[:limit])
    if len(rows) > limit:
        print_note(f"the latest {limit:,}; there are more: --limit shows them, or --until a time", aside=as_json)


def _governed(store: Store, contract: str, version: str | None, values: dict[str, Any]) -> list[str]:
    """The conditions of what a contract governed; its time and systems are asked for, so that nothing else is read."""
    values["contract"] = contract
    named = "contract = {contract:String}"
    if version is not None:
        values["contract_version"] = version
        named += " AND version = {contract_version:String}"
    (term,) = store.rows(
        f"SELECT min(valid_from) AS start, max(valid_to) AS end FROM contract_clauses WHERE {named}", values
    )
    patterns = store.rows(f"SELECT DISTINCT arrayJoin(covers) AS pattern FROM contract_clauses WHERE {named}", values)
    seen = store.rows("SELECT DISTINCT CAST(system, 'String') AS system FROM traffic")
    covered = [row["system"] for row in seen if any(fnmatchcase(row["system"], each["pattern"]) for each in patterns)]
    values |= {"start": term["start"], "end": term["end"], "systems": covered}
    made = (
        "startsWith(under, concat({contract:String}, '@'))"
        if version is None
        else "under = concat({contract:String}, '@', {contract_version:String})"
    )
    return [
        f"arrayExists(under -> {made}, contracts)",
        "system IN {systems:Array(String)}",
        "event_time >= {start:DateTime64(6, 'UTC')}",
        "event_time < {end:DateTime64(6, 'UTC')}",
    ]


def _print(rows: list[dict[str, Any]]) -> None:
    from console.asking import micros_of
    from console.tables import print_table
    from seamwatch.judging.wording import millis_text

    print_table(
        ("EVENT", "AT (UTC)", "SYSTEM", "VERSION", "SAID", "SCORE", "UNDER"),
        (
            (
                row["event_id"],
                millis_text(micros_of(row["event_time"]) or 0),
                row["system"],
                row["version"],
                f"{row['tool']}: {row['decision']}" if row["tool"] else row["decision"] or "no decision",
                "" if row["score"] is None else f"{row['score']:g}",
                ", ".join(row["contracts"]) or "no contract",
            )
            for row in rows
        ),
        empty="nothing was decided",
    )
