"""`seamwatch emit`: events from NDJSON files to the topics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from console.lines import Complaints, Progress, lines_of, named


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(emit)


def emit(
    files: Annotated[list[str], typer.Argument(help="NDJSON files, or - for standard input", metavar="FILE...")],
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="the counts as one JSON object")] = False,
) -> None:
    """Publish events, one JSON object a line, and wait until the broker has them.

    A line that holds no event is named on standard error and left out; the others are sent. Exit 1 if there was one.

    Example: seamwatch emit history.ndjson
    """
    from console.naming import counted
    from console.reach import reach
    from seamwatch.errors import RecordError
    from seamwatch.sdk.publisher import Publisher
    from seamwatch.settings import load_settings
    from seamwatch.wire.codec import codec_of
    from seamwatch.wire.text import read_lines
    from seamwatch.wire.topics import Topics

    system = reach(data)
    codec = codec_of(load_settings())
    codec.publish_schemas()
    publisher = Publisher(system.kafka, Topics(system.prefix), codec)
    complaints = Complaints()
    progress = Progress("events sent so far")
    try:
        for name in files:
            for line in read_lines(lines_of(name), name):
                try:
                    publisher.send(*line.whole())
                except RecordError as error:
                    complaints.add(named(error, f"{name}:{line.number}"))
                progress.tell(publisher.delivered)
    finally:
        # Whatever ends it, a file that cannot be read among it: what was read before is sent, and told of.
        sent = publisher.finish()
        complaints.finish()
        if as_json:
            print(json.dumps({"sent": sent, "left_out": complaints.count}))
        else:
            left_out = f", {counted(complaints.count, 'line')} left out" if complaints.count else ""
            print(f"{counted(sent, 'event')} sent{left_out}")
    raise typer.Exit(1 if complaints.count else 0)
