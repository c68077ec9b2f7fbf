"""`seamwatch silences`: which pages are held back, by whom and why, and what opened meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(silences)


def silences(
    system: Annotated[str | None, typer.Option(help="only of this system")] = None,
    over: Annotated[bool, typer.Option("--over", help="also those that are over")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one object a silence")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """List the silences in force, the latest first: until when, who asked, why, and how many episodes opened meanwhile.

    Exit 1 when there are any.

    Example: seamwatch silences --over
    """
    from console.asking import auditor, print_lines
    from console.naming import counted
    from console.tables import print_text
    from seamwatch.judging.patterns.wording import moment_text
    from sinks.store.questions.names import demand_known
    from sinks.store.questions.rows import record
    from sinks.store.questions.silences import silences as of

    with auditor(data) as store:
        found = of(store, system, over=over)
        if not found:
            demand_known(store, system=system)
    if as_json:
        print_lines(map(record, found))
    else:
        for one in found:
            ends = f"over since {moment_text(one.ends)}" if one.over else f"until {moment_text(one.ends)}"
            print_text(f"{one.silence}  {one.system}, {one.contract}#{one.clause or '*'}  {ends}", further=" " * 9)
            print_text(one.summary, indent=" " * 9)
            told = f", of {one.untold} of which nobody was told" if one.untold else ""
            print_text(f"{counted(one.episodes, 'episode')} opened meanwhile{told}", indent=" " * 9)
        if not found:
            print("no silences")
    raise typer.Exit(any(not one.over for one in found))
