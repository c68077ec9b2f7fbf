"""`seamwatch replay`: judge a history of events by contracts, with no broker and no store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.lines import Complaints, Progress
from seamwatch.errors import UsageError
from seamwatch.instants import parse_instant

if TYPE_CHECKING:
    from streams.history.gathering import History


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(replay)


def replay(
    events: Annotated[
        list[str],
        typer.Argument(
            help="NDJSON, Avro or Parquet files, also gzipped, or - for standard input", metavar="EVENTS..."
        ),
    ],
    contracts: Annotated[Path, typer.Option(help="folder of contracts and the documents they name")],
    now: Annotated[str | None, typer.Option(help="advance the clock to this time (RFC 3339)")] = None,
    record_type: Annotated[
        str | None, typer.Option("--type", help="record type of Avro or Parquet rows that do not say theirs")
    ] = None,
) -> None:
    """Judge history offline: violations as NDJSON on standard output, one object an episode in its last state.

    Exit 0 when there are none, 1 when there are any (or lines that hold no event; they are named and left out).

    Example: seamwatch replay --contracts contracts/ history.ndjson
    """
    from seamwatch.documents import Estate
    from seamwatch.judging.text import violation_line
    from seamwatch.wire.schemas import INPUT_TYPES, nearest
    from streams.history.gathering import History
    from streams.plan import Plan
    from streams.replay import judged

    if record_type is not None and record_type not in INPUT_TYPES:
        raise UsageError(f"--type: {record_type!r} is no type of event{nearest(record_type, INPUT_TYPES)}")
    try:
        until = None if now is None else parse_instant(now)
    except ValueError as error:
        raise UsageError(f"--now: {error}") from None
    estate = Estate.load(contracts)
    if unsigned := _unsigned(contracts):
        print(f"note: not signed, judged all the same: {', '.join(unsigned)}", file=sys.stderr)
    complaints = Complaints()
    found = False
    with History([Plan(estate)]) as history:
        _gather(events, history, complaints, record_type)
        progress = Progress(f"of {history.events} events judged so far")
        for violation in judged(estate, history, until, progress=progress.tell):
            found = True
            print(violation_line(violation))
    raise typer.Exit(1 if found or complaints.count else 0)


def _unsigned(folder: Path) -> list[str]:
    # Signatures lie beside the file they sign.
    files = sorted(path for ending in ("*.yaml", "*.yml") for path in folder.rglob(ending))
    return [
        path.name
        for path in files
        if not path.with_name(f"{path.name}.sig").exists() and b"kind: Contract" in path.read_bytes()
    ]


def _gather(files: list[str], history: History, complaints: Complaints, record_type: str | None) -> None:
    from streams.history.files import chunks_of_files

    size = sum(Path(name).stat().st_size for name in files if Path(name).is_file())
    progress, done = Progress("events read so far"), 0

    def read(count: int) -> None:
        nonlocal done
        done = count

    for name, frame in chunks_of_files(files, complaints.add, record_type=record_type, read=read):
        history.add(name, frame)
        progress.tell(history.events, done / size if size else None)
    complaints.finish()
