"""`seamwatch verify`: hold the record to its signed checkpoints, as anybody can who has the public key and SELECT."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(verify)


def verify(
    key: Annotated[
        list[Path] | None, typer.Option(help="file of public keys, one a line  [default: that of the data folder]")
    ] = None,
    checkpoints: Annotated[
        list[Path] | None, typer.Option(help="file of a checkpoint that was kept elsewhere; may be given again")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Verify the whole record: signatures, roots, positions, and every typed column against its raw bytes.

    Reads only. Exit 1 when anything is wrong, with the first row of each fault. Only checkpoints that were kept
    elsewhere show that the newest rows were cut off together with their checkpoints; see docs/ledger.md.

    Example: seamwatch verify --key ledger.key.pub
    """
    from console.asking import auditor
    from console.commands.lines import Progress
    from console.reach import LEDGER_KEY_FILE, reach
    from seamwatch.errors import UsageError
    from seamwatch.settings import load_settings
    from seamwatch.wire.codec import codec_of
    from seamwatch.wire.topics import Topics
    from sinks.ledger.keys import public_file, read_verifiers
    from sinks.ledger.verify import Verifier
    from sinks.record import decoding

    settings = load_settings(data=data)
    own = public_file(settings.data / LEDGER_KEY_FILE)
    if not key and not own.exists():
        raise UsageError("name the ledger's public key: --key FILE (its owner has it, in <key file>.pub)")
    keys = read_verifiers(key or [own])
    notes = [_read(file) for file in checkpoints or ()]
    with auditor(data) as store:
        decode = decoding(codec_of(settings), settings.clock())
        topics = Topics(reach(data).prefix)
        report = Verifier(store, keys, topics, decode, notes, Progress("rows verified").tell).run()
    if as_json:
        found = [finding.line() for finding in report.findings]
        counts = {"rows": report.rows, "partitions": report.partitions, "checkpoints": report.checkpoints}
        print(json.dumps({**counts, "findings": found}))
    else:
        for finding in report.findings:
            print(finding)
        print(
            f"{report.rows} rows in {report.partitions} topic partitions, {report.checkpoints} signed checkpoints: "
            + (f"{len(report.findings)} found wrong" if report.findings else "all as signed")
        )
    raise typer.Exit(1 if report.findings else 0)


def _read(file: Path) -> str:
    from seamwatch.errors import UsageError

    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read as a checkpoint: {error}") from error
