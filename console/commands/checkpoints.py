"""`seamwatch checkpoints`: the newest signed checkpoint of every topic partition, in one file to be kept elsewhere."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(checkpoints)


def checkpoints(
    out: Annotated[
        Path | None, typer.Option(help="file to write, or to bring up to date  [default: standard output]")
    ] = None,
    key: Annotated[
        list[Path] | None, typer.Option(help="file of public keys, one a line  [default: that of the data folder]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="with --out: one JSON object of what was done")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Write the newest signed checkpoint of every topic partition into one file, to be kept where no writer of rows is.

    `seamwatch verify --checkpoints FILE` holds the record to it, and so finds what vanished together with all that the
    store said of it. A file that is there is brought up to date: a checkpoint in it is replaced only by one that goes
    on from it; where the store has less, or another history, it stays, and that is told. Exit 1 then, 0 otherwise.

    Example: seamwatch checkpoints --key ledger.key.pub --out /mnt/elsewhere/checkpoints.txt
    """
    from console.asking import auditor_as_it_is
    from console.ledger import kept_in, verifier_keys
    from seamwatch.errors import UsageError
    from seamwatch.settings import load_settings
    from sinks.ledger.kept import join_notes, update

    keys = verifier_keys(key, load_settings(data=data))
    before = [] if out is None or not out.exists() else kept_in(out, keys)
    with auditor_as_it_is(data) as store:
        done = update(store, keys, before)
    for line in done.wrong:
        print(line, file=sys.stderr)
    if out is None:
        print(join_notes(done.kept), end="")
        raise typer.Exit(1 if done.wrong else 0)
    try:
        beside = out.with_name(f"{out.name}.new")
        beside.write_text(join_notes(done.kept), "utf-8")
        beside.replace(out)  # whole or not at all: the old one is worth as much as the new one
    except OSError as error:
        raise UsageError(f"{out}: cannot be written: {error.strerror}") from error
    if as_json:
        print(json.dumps({"checkpoints": len(done.kept), "newer": done.newer, "wrong": done.wrong}, ensure_ascii=False))
    else:
        print(f"{len(done.kept)} checkpoints are in {out}, {done.newer} newer than before")
    raise typer.Exit(1 if done.wrong else 0)
