"""`seamwatch tiers`: how systems stand to their tier of the risk policy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(tiers)


def tiers(
    short: Annotated[bool, typer.Option("--short", help="only systems that do not hold to a tier")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one object a system")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Say which systems hold to their tier of the risk policy in force, and what the others are short of.

    Models and agents are to have a tier, and so is whatever is seen in traffic and declared by nobody. Exit 1 when any
    system does not hold to one. What an approval that falls short allowed is a violation of the clause `approval`.

    Example: seamwatch tiers --short
    """
    from console.asking import auditor, print_lines
    from console.tables import print_note, print_table, print_text
    from seamwatch.settings import load_settings
    from sinks.store.questions.rows import records
    from sinks.store.questions.tiers import covered
    from sinks.store.questions.tiers import tiers as standing

    now = load_settings().clock().now()
    with auditor(data) as store:
        known = standing(store, now)
    rows = [one for one in known if one.state != "held"] if short else known
    if as_json:
        print_lines(records(rows))
    else:
        print_table(
            ("SYSTEM", "OWNER", "TIER", "AI ACT", "POLICY", "STATE"),
            ((one.system, one.owner, one.tier, one.ai_act, ", ".join(one.policies), one.state) for one in rows),
            empty="no system is short of its tier"
            if known
            else "no risk policy is in force, so nothing is held to one",
        )
        for one in rows:
            for text in one.short_of:
                print_text(f"{one.system} {text}")
    if known:
        print_note(covered(known), aside=as_json)
    raise typer.Exit(any(one.state != "held" for one in known))
