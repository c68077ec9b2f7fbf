"""`seamwatch acknowledgements`: how long each person who was asked took to answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(acknowledgements)


def acknowledgements(
    system: Annotated[str | None, typer.Option(help="only this system")] = None,
    person: Annotated[str | None, typer.Option(help="only this person")] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="only what nobody has answered yet")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one object a question and person")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Say who was asked about which change or violation, and how long each took; the latest first.

    Exit 0, whoever still waits: whether an answer is late is for the contract's clock (`seamwatch violations`).

    Example: seamwatch acknowledgements --waiting
    """
    from console.asking import ago, auditor, micros_of, print_lines
    from console.names import demand_known
    from console.tables import print_table
    from seamwatch.durations import format_duration
    from seamwatch.settings import load_settings

    now = load_settings().clock().now()
    asked = {"system": system, "person": person}
    conditions = [f"{name} = {{{name}:String}}" for name, value in asked.items() if value is not None]
    conditions += ["answered_at IS NULL"] if waiting else []
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    with auditor(data) as store:
        rows = store.rows(
            f"SELECT * FROM acknowledgement_latency {where}ORDER BY asked_at DESC, reference, person",
            {name: value for name, value in asked.items() if value is not None},
        )
        if not rows:
            demand_known(store, **asked)
    if as_json:
        print_lines(rows)
        return

    def answered(row: dict[str, Any]) -> str:
        if row["answered_at"] is None:
            return f"waits {format_duration(max(0, now - (micros_of(row['asked_at']) or now)))}"
        return f"{row['answer']} after {format_duration(int(row['latency_seconds'] * 1_000_000))}"

    print_table(
        ("PERSON", "ANSWER", "OF", "REFERENCE", "SYSTEM", "ASKED"),
        (
            (row["person"], answered(row), row["of"], row["reference"], row["system"], ago(row["asked_at"], now))
            for row in rows
        ),
        empty="nobody waits for an answer" if waiting else "nobody was asked anything",
    )
