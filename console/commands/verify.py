"""`seamwatch verify`: hold the record to its signed checkpoints, as anybody can who has the public key and SELECT."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from seamwatch.settings import Settings
    from sinks.blocks import Decode
    from sinks.ledger.notes import VerifierKey
    from sinks.ledger.proofs import Proven


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
    proof: Annotated[
        Path | None, typer.Option(help="file that `seamwatch evidence` wrote: check it alone, with access to nothing")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="only what was committed from this time on (RFC 3339 or a date)", metavar="T")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Verify the whole record: signatures, roots, positions, and every typed column against its raw bytes.

    Every table and view is held to what the migrations make it. Reads only. Exit 1 when anything is wrong, with the
    first row of each fault. Only checkpoints that were kept
    elsewhere show that the newest rows were cut off together with their checkpoints; see docs/ledger.md. With --since
    rows are read up from the last signed checkpoint before that time, and what was committed earlier is not looked at.

    With --proof only that file is checked, and what its event says is printed: exit 1 when the proof does not hold, 2
    when the file is no proof.

    Example: seamwatch verify --key ledger.key.pub
    """
    import os
    from functools import partial

    from console.asking import auditor_as_it_is
    from console.commands.lines import Progress
    from console.reach import reach
    from seamwatch.settings import load_settings
    from seamwatch.wire.topics import Topics
    from sinks.ledger.verify import Verifier
    from sinks.ledger.workers import Workers
    from sinks.migrate import cluster_of

    settings = load_settings(data=data)
    keys = _keys(key, settings)
    if proof is not None:
        _verify_proof(proof, keys, as_json)
        return
    notes = [_read(file) for file in checkpoints or ()]
    start = _time(since)
    system = reach(data)
    decode = partial(_decode, settings)
    with auditor_as_it_is(data) as store, Workers(system.auditor, decode, os.cpu_count() or 1) as workers:
        tell = Progress("rows verified").tell
        cluster = cluster_of(system.auditor, settings.cluster)
        report = Verifier(store, keys, Topics(system.prefix), workers, notes, start, tell, cluster).run()
    if as_json:
        found = [finding.line() for finding in report.findings]
        counts = {
            "rows": report.rows,
            "dropped": report.dropped,
            "partitions": report.partitions,
            "checkpoints": report.checkpoints,
        }
        print(json.dumps({**counts, "findings": found}))
    else:
        for finding in report.findings:
            print(finding)
        if report.dropped:
            print(f"{report.dropped} rows were removed by retention: verified by the hashes that they left")
        print(
            f"{report.rows} rows in {report.partitions} topic partitions, {report.checkpoints} signed checkpoints: "
            + (f"{len(report.findings)} found wrong" if report.findings else "all as signed")
        )
    raise typer.Exit(1 if report.findings else 0)


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


def _keys(files: list[Path] | None, settings: Settings) -> list[VerifierKey]:
    from console.reach import LEDGER_KEY_FILE
    from seamwatch.errors import UsageError
    from sinks.ledger.keys import public_file, read_verifiers

    own = public_file(settings.data / LEDGER_KEY_FILE)
    if not files and not own.exists():
        raise UsageError("name the ledger's public key: --key FILE (its owner has it, in <key file>.pub)")
    return read_verifiers(files or [own])


def _verify_proof(file: Path, keys: list[VerifierKey], as_json: bool) -> None:
    from seamwatch.errors import UsageError
    from sinks.ledger.proofs import prove, read_proof

    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read as a proof: {error.strerror}") from error
    said = _said(prove(read_proof(content), keys))
    if as_json:
        print(json.dumps(said, ensure_ascii=False))
        return
    print(f"{said['topic']}, partition {said['partition']}, offset {said['offset']}, at {said['broker_time']}")
    print(f"  signed for   record {said['index']} of {said['tree_size']} in {said['origin']}")
    if said["record"] is None:
        print("  no schema    the value cannot be read; --json has its bytes")
    for name, value in (said["record"] or {}).items():
        if value not in (None, [], {}):
            print(f"  {name:<12} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


def _said(proven: Proven) -> dict[str, Any]:
    """What is proven, for JSON: bytes in base64, times as RFC 3339."""
    from base64 import b64encode

    from seamwatch.instants import format_instant
    from seamwatch.wire.schemas import RECORD_TYPES, schema

    def plain(value: Any) -> Any:
        if isinstance(value, bytes):
            return b64encode(value).decode()
        if isinstance(value, dict):
            return {name: plain(each) for name, each in value.items()}
        return [plain(each) for each in value] if isinstance(value, list | tuple) else value

    entry, kind, record = proven.entry, proven.record_type, plain(proven.record)
    if record is not None and kind in RECORD_TYPES:
        times = {field.name for field in schema(kind).fields if field.time}
        record = {
            name: format_instant(value) if name in times and isinstance(value, int) else value
            for name, value in record.items()
        }
    return {
        "origin": proven.checkpoint.origin,
        "tree_size": proven.checkpoint.size,
        "index": proven.index,
        "topic": entry.topic,
        "partition": entry.partition,
        "offset": entry.offset,
        "broker_time": format_instant(entry.timestamp * 1000),
        "key": plain(entry.key),
        "headers": plain(entry.headers),
        "value": plain(entry.value),
        "type": kind,
        "record": record,
    }


def _read(file: Path) -> str:
    from seamwatch.errors import UsageError

    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read as a checkpoint: {error}") from error
