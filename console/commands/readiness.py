"""`seamwatch readiness`: ten questions about each system, answered by the documents and the record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(readiness)


def readiness(
    system: Annotated[
        str | None, typer.Argument(help="which system; all that are declared or were seen when absent")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one object a system and question")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Answer ten questions about whether a system can be relied on: yes, no or not known, with evidence and remedy.

    A person named for its quality; a runbook that a drill has tested; numeric thresholds that both sides signed; the
    inventory, with lineage and risk class; reviews on schedule; whether a silent swap would be seen within 48 hours;
    who is paged, and whether they ever acknowledged in time; whether an address that may only read gets its decisions;
    permissions reviewed; the contract reviewed within 90 days by those who deploy.

    Exit 1 when any answer is no. What is not known is told, and is no yes: whoever must have all yes counts them.

    Example: seamwatch readiness credit-model
    """
    from console.asking import auditor, print_lines
    from console.tables import print_note, print_table
    from seamwatch.settings import load_settings
    from sinks.store.questions import readiness as questions
    from sinks.store.questions.estate import estate_on_record
    from sinks.store.questions.names import demand_known
    from sinks.store.questions.rows import records

    settings = load_settings(data=data)
    with auditor(data) as store:
        demand_known(store, system=system)
        estate = estate_on_record(store, signed_only=settings.follows_signed_only)
        found = questions.readiness(store, estate, settings.clock().now(), None if system is None else [system])
    if as_json:
        print_lines(records(found))
    else:
        print_table(
            ("SYSTEM", "QUESTION", "ANSWER", "EVIDENCE", "REMEDY"),
            (
                (one.system, one.asks, questions.answer_text(one.answer), one.evidence, one.remedy or "-")
                for one in found
            ),
            empty="no system is declared, and none was seen",
        )
    for name in dict.fromkeys(one.system for one in found):
        print_note(f"{name}: {questions.tally(one for one in found if one.system == name)}", aside=as_json)
    if estate.problems:
        print_note(
            f"{len(estate.problems)} published documents cannot be used, and count for no answer: "
            + "; ".join(estate.problems[:5]),
            aside=as_json,
        )
    raise typer.Exit(any(one.answer == "no" for one in found))
