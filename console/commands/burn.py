"""`seamwatch burn`: how fast what each contract tolerates is used up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sinks.store.questions.burn import Burn


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(burn)


def burn(
    contract: Annotated[str | None, typer.Argument(help="only this contract")] = None,
    system: Annotated[str | None, typer.Option(help="only this system")] = None,
    at: Annotated[str | None, typer.Option(help="as of a time (RFC 3339), or a duration ago (24h); else now")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one object a clause, system and cohort")] = False,
    textfile: Annotated[
        Path | None,
        typer.Option(help="also write the rates there for a textfile collector of Prometheus", metavar="FILE"),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Say of every clause in force how fast what it tolerates is used up, the gravest first.

    1× is just as much as is agreed. Exit 1 when any burns: above 1 over the last hour and six hours (fast), or over the
    last day and three days (slow), or with data older than agreed. What cannot be told is `unknown`, not well, and is
    counted below, or with --json on standard error; clauses that tolerate nothing are named below.

    Example: seamwatch burn credit-decisions
    """
    from console.asking import auditor, print_lines
    from console.moments import moment_of
    from console.tables import print_note
    from seamwatch.settings import load_settings
    from sinks.store.questions.burn import burn_record, burning
    from sinks.store.questions.names import demand_known

    with auditor(data) as store:
        now = moment_of("--at", at) or load_settings().clock().now()
        found = burning(store, now, contract, system)
        if not found:
            demand_known(store, contract=contract, system=system)
    if textfile is not None:
        from console.burn_rates import write

        write(textfile, found, now)
    if as_json:
        print_lines(map(burn_record, found))
    else:
        _print(found, contract, system)
    if unknown := sum(one.verdict == "unknown" for one in found):
        are = "1 is" if unknown == 1 else f"{unknown} are"
        print_note(f"of {len(found)} {are} unknown: nothing says that they are well", aside=as_json)
    raise typer.Exit(any(one.burns for one in found))


def _print(found: Sequence[Burn], contract: str | None, system: str | None) -> None:
    """The clauses that tolerate something as a table, the others by name."""
    from console.tables import print_table, print_text

    of = "" if contract is None else f" of {contract}"
    for_ = "" if system is None else f" for {system}"
    shown = [one for one in found if one.verdict != "no tolerance"]
    print_table(
        ("CONTRACT/CLAUSE", "SYSTEM", "TOLERATES", "1 H", "6 H", "24 H", "3 D", "BURN"),
        map(_row, shown),
        empty=f"no clause{of} is in force{for_} that tolerates anything",
    )
    others = dict.fromkeys(f"{one.contract}/{one.clause}" for one in found if one.verdict == "no tolerance")
    if others:
        print_text(f"no tolerance is agreed by {', '.join(others)}")


def _row(one: Burn) -> tuple[str, ...]:
    from sinks.store.questions.burn import agreed_text, rates_text, said

    cohort = "" if one.cohort is None else f", cohort {one.cohort}"
    verdict = one.verdict.upper() if one.burns else one.verdict
    why = f": {said(one)}" if one.verdict == "unknown" else ""
    return (
        f"{one.contract}/{one.clause}",
        f"{one.system}{cohort}",
        agreed_text(one),
        *rates_text(one),
        f"{verdict}{why}",
    )
