"""`seamwatch stale`: the decisions that were made on data older than agreed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(stale)


def stale(
    system: Annotated[str | None, typer.Option(help="only this system")] = None,
    since: Annotated[str | None, typer.Option(help="decided since: a duration (24h) or a time (RFC 3339)")] = None,
    limit: Annotated[int, typer.Option(min=1, help="at most so many, the latest first")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="one object a decision")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """List the decisions made on data older than agreed, the latest first, and by which clause.

    Exit 1 when there are any. When they are more than --limit, it says how many there are in all (with --json on
    standard error). So it does of decisions that do not say how old their data is, though a clause asks for it.

    Example: seamwatch stale --system eligibility --since 2026-03-01T00:00:00Z
    """
    from console.asking import auditor, print_lines
    from console.moments import moment_of
    from console.names import demand_known
    from console.tables import print_note, print_table

    conditions, values = [], dict[str, Any]()
    if system is not None:
        conditions.append("system = {system:String}")
        values["system"] = system
    if since is not None:
        conditions.append("event_time >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')")
        values["since"] = moment_of("--since", since)
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    with auditor(data) as store:
        rows = store.rows(
            f"SELECT * FROM stale_decisions {where}ORDER BY event_time DESC, event_id, contract, clause "
            "LIMIT {limit:UInt32}",
            {**values, "limit": limit},
        )
        if not rows:
            demand_known(store, system=system)
        (all_of_them,) = store.rows(f"SELECT count() AS found FROM stale_decisions {where}", values)
        (ageless,) = store.rows(f"SELECT count() AS found FROM decisions {_ageless(conditions)}", values)
    more = f"{len(rows)} of {all_of_them['found']:,}; --limit shows more" if all_of_them["found"] > len(rows) else ""
    if as_json:
        print_lines(rows)
    else:
        print_table(
            ("DECISION", "SYSTEM", "AT", "DATA", "AGREED", "BY", "SAID"),
            (
                (
                    row["event_id"],
                    row["system"],
                    str(row["event_time"])[:19],
                    _age(row),
                    _agreed(row),
                    f"{row['contract']}/{row['clause']}",
                    f"{row['decision'] or 'no decision'}",
                )
                for row in rows
            ),
            empty="no decision was made on data older than agreed",
        )
    if more:
        print_note(more, aside=as_json)
    if ageless["found"]:
        told = f"{ageless['found']:,} decisions under a clause on the age of data do not say how old theirs is"
        print_note(told, aside=as_json)
    raise typer.Exit(bool(rows))


def _ageless(conditions: list[str]) -> str:
    """Of the same decisions those whose age an agreed clause asks for, and which do not say it."""
    asked = (
        "system IN (SELECT covered.system FROM covered INNER JOIN contract_clauses AS agreed "
        "ON covered.contract = agreed.contract AND covered.version = agreed.version "
        "WHERE agreed.kind = 'freshness' AND JSONExtractString(agreed.agreed, 'of') = 'inference')"
    )
    return f"WHERE {' AND '.join([*conditions, 'data_as_of IS NULL', asked])}"


def _age(row: dict[str, Any]) -> str:
    from seamwatch.durations import format_duration

    return (
        "age unknown" if row["age_seconds"] is None else f"{format_duration(int(row['age_seconds'] * 1_000_000))} old"
    )


def _agreed(row: dict[str, Any]) -> str:
    from seamwatch.durations import format_duration

    if row["because"] == "dataset":
        return f"{row['dataset']} was in breach"
    return f"at most {format_duration(int(row['max_lag_seconds'] * 1_000_000))}"
