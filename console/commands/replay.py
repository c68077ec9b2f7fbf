"""`seamwatch replay`: judge a history of events by contracts, with no broker and no store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from seamwatch.errors import RecordError, UsageError
from seamwatch.instants import parse_instant

_SHOWN_ERRORS = 20


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
    history = _History(events)
    violations = judge_history(estate, history.records(), until)
    for violation in violations:
        print(violation_line(violation))
    raise typer.Exit(1 if violations or history.bad else 0)


def _unsigned(folder: Path) -> list[str]:
    # Signatures lie beside the file they sign.
    files = sorted(path for ending in ("*.yaml", "*.yml") for path in folder.rglob(ending))
    return [
        path.name
        for path in files
        if not path.with_name(f"{path.name}.sig").exists() and b"kind: Contract" in path.read_bytes()
    ]


class _History:
    """The records of some files, and how many lines held none."""

    def __init__(self, files: list[str]) -> None:
        self._files = files
        self.bad = 0

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        from seamwatch.wire.text import read_lines

        for name in self._files:
            for line in read_lines(_lines(name), name, make_ids=True):
                if line.error is None:
                    yield line.type, line.record
                else:
                    self._complain(line.error)
        if self.bad > _SHOWN_ERRORS:
            print(f"and {self.bad - _SHOWN_ERRORS} more lines that hold no event", file=sys.stderr)

    def _complain(self, error: RecordError) -> None:
        self.bad += 1
        if self.bad <= _SHOWN_ERRORS:
            print(error, file=sys.stderr)


def _lines(name: str) -> Iterator[bytes]:
    if name == "-":
        yield from sys.stdin.buffer
        return
    try:
        with Path(name).open("rb") as file:
            yield from file
    except OSError as error:
        raise UsageError(
            f"{name}: cannot be read: {error.strerror}; give NDJSON files or - for standard input"
        ) from None
