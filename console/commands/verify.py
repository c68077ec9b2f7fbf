"""`seamwatch verify`: hold the record to its signed checkpoints, as anybody can who has the public key and SELECT."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from seamwatch.settings import Settings
    from sinks.decoding import Decode
    from sinks.ledger.format.notes import VerifierKey
    from sinks.ledger.format.proofs import Proven
    from sinks.ledger.verified import Verified


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(verify)


def verify(
    key: Annotated[
        list[Path] | None, typer.Option(help="file of public keys, one a line  [default: that of the data folder]")
    ] = None,
    checkpoints: Annotated[
        list[Path] | None, typer.Option(help="file of checkpoints that were kept elsewhere; may be given again")
    ] = None,
    proof: Annotated[
        Path | None, typer.Option(help="file that `seamwatch evidence` wrote: check it alone, with access to nothing")
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(help="dossier that `seamwatch evidence` wrote: check it alone, with access to nothing"),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="only what was committed from this time on (RFC 3339 or a date)", metavar="T")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Verify the whole record: signatures, roots, positions, and every typed column against its raw bytes.

    Every table and view is held to what the migrations make it. Reads only; a data folder, where there is one, keeps
    when the whole was verified last, for the board to tell. Exit 1 when anything is wrong, with the first row of each
    fault. Only checkpoints that were kept elsewhere (`seamwatch checkpoints`) show that the newest
    rows, or a whole topic, vanished together with their checkpoints; see docs/ledger.md. With --since rows are read up
    from the last signed checkpoint before that time, and what was committed earlier is not looked at.

    With --proof only that file is checked, and what its event says is printed: exit 1 when the proof does not hold, 2
    when the file is no proof. With --bundle only that dossier is checked, all of it (docs/dossiers.md): exit 1 with
    everything that does not hold.

    Example: seamwatch verify --key ledger.key.pub
    """
    import os
    from functools import partial

    from console.asking import auditor_as_it_is
    from console.dossier import check_dossier
    from console.ledger import print_proven, verifier_keys
    from console.lines import Progress
    from console.reach import reach
    from seamwatch.settings import load_settings
    from seamwatch.wire.topics import Topics
    from sinks.ledger.verified import Verified
    from sinks.ledger.verify.verifier import Verifier
    from sinks.ledger.verify.workers import Workers
    from sinks.store.migrate import cluster_of
    from sinks.store.positions import recorded

    settings = load_settings(data=data)
    keys = verifier_keys(key, settings)
    if bundle is not None:
        raise typer.Exit(0 if check_dossier(bundle, keys, as_json=as_json) else 1)
    if proof is not None:
        print_proven(_proven(proof, keys), as_json=as_json)
        return
    notes = _kept(checkpoints, keys)
    start = _time(since)
    system = reach(data)
    decode = partial(_decode, settings)
    with auditor_as_it_is(data) as store, Workers(system.auditor, decode, os.cpu_count() or 1) as workers:
        tell = Progress("rows verified").tell
        cluster = cluster_of(system.auditor, settings.cluster)
        begun, positions = settings.clock().now(), recorded(store)
        report = Verifier(store, keys, Topics(system.prefix), workers, notes, start, tell, cluster).run()
    if start is None:
        _keep(settings.data, Verified(begun, report.rows, len(report.findings), positions))
    if as_json:
        found = [finding.line() for finding in report.findings]
        counts = {
            "rows": report.rows,
            "dropped": report.dropped,
            "partitions": report.partitions,
            "checkpoints": report.checkpoints,
            "kept": len(notes),
        }
        print(json.dumps({**counts, "findings": found}))
    else:
        for finding in report.findings:
            print(finding)
        if report.dropped:
            print(f"{report.dropped} rows were removed by retention: verified by the hashes that they left")
        print(
            f"{report.rows} rows in {report.partitions} topic partitions, {report.checkpoints} signed checkpoints"
            + (f" and {len(notes)} kept elsewhere: " if notes else ": ")
            + (f"{len(report.findings)} found wrong" if report.findings else "all as signed")
        )
    raise typer.Exit(1 if report.findings else 0)


def _keep(folder: Path, verified: Verified) -> None:
    import sys

    from sinks.ledger.verified import keep

    try:
        keep(folder, verified)
    except OSError as error:
        print(f"the board is not told of it: {folder} cannot be written ({error.strerror})", file=sys.stderr)


def _decode(settings: Settings) -> Decode:
    """The decoding, as the recorder does it; made in each process that verifies."""
    from seamwatch.wire.codec import codec_of
    from sinks.decoding import decoding

    return decoding(codec_of(settings), settings.clock())


def _time(since: str | None) -> int | None:
    from seamwatch.errors import UsageError
    from seamwatch.instants import parse_instant

    try:
        return None if since is None else parse_instant(since)
    except ValueError as error:
        raise UsageError(f"--since: {error}") from None


def _proven(file: Path, keys: list[VerifierKey]) -> Proven:
    from seamwatch.errors import UsageError
    from sinks.ledger.format.proofs import prove, read_proof

    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read as a proof: {error.strerror}") from error
    return prove(read_proof(content), keys)


def _kept(files: list[Path] | None, keys: list[VerifierKey]) -> list[str]:
    """The notes in files of checkpoints."""
    from console.ledger import kept_in
    from seamwatch.errors import UsageError

    notes = []
    for file in files or ():
        found = kept_in(file, keys)
        if not found:
            raise UsageError(f"{file}: holds no checkpoint; `seamwatch checkpoints` writes such a file")
        notes += [each.note for _, each in found]
    return notes
