"""`seamwatch replay`: judge a history of events by contracts, with no broker and no store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from console.commands.lines import Complaints, Progress, lines_of
from seamwatch.errors import UsageError
from seamwatch.instants import parse_instant


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(replay)


def replay(
    events: Annotated[list[str], typer.Argument(help="NDJSON files, or - for standard input", metavar="EVENTS...")],
    contracts: Annotated[Path, typer.Option(help="folder of contracts and the documents they name")],
    now: Annotated[str | None, typer.Option(help="advance the clock to this time (RFC 3339)")] = None,
) -> None:
    """Judge history offline: violations as NDJSON on standard output, one object an episode in its last state.

    Exit 0 when there are none, 1 when there are any (or lines that hold no event; they are named and left out).

    Example: seamwatch replay --contracts contracts/ history.ndjson
    """
    from seamwatch.documents import Estate
    from seamwatch.judging.text import violation_line
    from streams.replay import replay as judge_history

    try:
        until = None if now is None else parse_instant(now)
    except ValueError as error:
        raise UsageError(f"--now: {error}") from None
    estate = Estate.load(contracts)
    if unsigned := _unsigned(contracts):
        print(f"note: not signed, judged all the same: {', '.join(unsigned)}", file=sys.stderr)
    complaints = Complaints()
    violations = judge_history(estate, _records(events, complaints), until)
    for violation in violations:
        print(violation_line(violation))
    raise typer.Exit(1 if violations or complaints.count else 0)


def _unsigned(folder: Path) -> list[str]:
    # Signatures lie beside the file they sign.
    files = sorted(path for ending in ("*.yaml", "*.yml") for path in folder.rglob(ending))
    return [
        path.name
        for path in files
        if not path.with_name(f"{path.name}.sig").exists() and b"kind: Contract" in path.read_bytes()
    ]


def _records(files: list[str], complaints: Complaints) -> Iterator[tuple[str, dict[str, Any]]]:
    from seamwatch.wire.text import read_lines

    progress, read = Progress("events read so far"), 0
    for name in files:
        for line in read_lines(lines_of(name), name, make_ids=True):
            if line.error is None:
                read += 1
                progress.tell(read)
                yield line.type, line.record
            else:
                complaints.add(line.error)
    complaints.finish()
