"""`seamwatch topics`: the topics on the broker."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(name="topics", help="The topics on the broker.", no_args_is_help=True)
    group.callback()(_topics)  # without one, typer would take the group's only command for the group
    group.command()(create)
    app.add_typer(group)


def _topics() -> None:
    """The topics on the broker."""


def create(
    partitions: Annotated[
        int | None, typer.Option(help="partitions of the topics; default SEAMWATCH_PARTITIONS")
    ] = None,
    replication: Annotated[int, typer.Option(help="copies of each partition; -1 for the broker's default")] = -1,
    alter: Annotated[
        bool,
        typer.Option("--alter", help="set what differs in existing topics as it must be; never partitions"),
    ] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one object a topic")] = False,
) -> None:
    """Create the topics that are missing. Safe to repeat; changes nothing that exists, unless with --alter.

    A topic that is not as it must be, made by an earlier version say, is told with what differs; exit 1 when one stays
    so.

    Example: KAFKA_BOOTSTRAP_SERVERS=kafka.example.org:9092 seamwatch topics create --partitions 12
    """
    from bus.topics import create_topics
    from console.reach import reach
    from seamwatch.settings import load_settings

    settings = load_settings(partitions=partitions)
    system = reach(data)
    reports = create_topics(system.kafka, system.prefix, settings.partitions, replication, alter=alter)
    for report in reports:
        if as_json:
            print(json.dumps(asdict(report)))
        else:
            print(f"{report.outcome:<9}  {report.name}  {'; '.join(report.differences)}".rstrip())
    raise typer.Exit(any(report.outcome == "different" for report in reports))
