"""`seamwatch decisions`: what was decided and called, and under which version of which contract."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sinks.store.questions.decisions import Decided

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
    from console.tables import print_note
    from seamwatch.errors import UsageError
    from sinks.store.questions.decisions import Wanted
    from sinks.store.questions.decisions import decisions as asked
    from sinks.store.questions.names import demand_known
    from sinks.store.questions.rows import records

    if contract_version is not None and contract is None:
        raise UsageError("--contract-version is of a contract: name it with --contract")
    given = {"system": system, "version": version, "cohort": cohort}
    wanted = Wanted(
        **given,
        contract=contract,
        contract_version=contract_version,
        since=moment_of("--since", since),
        until=moment_of("--until", until),
    )
    with auditor(data) as store:
        rows = asked(store, wanted, limit + 1)
        if not rows:
            demand_known(store, **given, contract=contract, contract_version=contract_version)
    if as_json:
        print_lines(records(rows[:limit]))
    else:
        _print(rows[:limit])
    if len(rows) > limit:
        print_note(f"the latest {limit:,}; there are more: --limit shows them, or --until a time", aside=as_json)


def _print(rows: Sequence[Decided]) -> None:
    from console.tables import print_table
    from seamwatch.judging.patterns.wording import millis_text

    print_table(
        ("EVENT", "AT (UTC)", "SYSTEM", "VERSION", "SAID", "SCORE", "UNDER"),
        (
            (
                row.event_id,
                millis_text(row.event_time),
                row.system,
                row.version,
                f"{row.tool}: {row.decision}" if row.tool else row.decision or "no decision",
                "" if row.score is None else f"{row.score:g}",
                ", ".join(row.contracts) or "no contract",
            )
            for row in rows
        ),
        empty="nothing was decided",
    )
