"""What the commands of the ledger share: its public keys, files of checkpoints, and proofs as a person reads them."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seamwatch.errors import ProofError, UsageError

if TYPE_CHECKING:
    from bus.partitions import Partition
    from seamwatch.settings import Settings
    from sinks.ledger.format.notes import VerifierKey
    from sinks.ledger.format.proofs import Proven
    from sinks.ledger.kept import Kept


def verifier_keys(files: list[Path] | None, settings: Settings) -> list[VerifierKey]:
    """The public keys in these files, or else the one of the data folder. Raises UsageError when there is none."""
    from console.reach import LEDGER_KEY_FILE
    from sinks.ledger.format.keys import public_file, read_verifiers

    own = public_file(settings.data / LEDGER_KEY_FILE)
    if not files and not own.exists():
        raise UsageError("name the ledger's public key: --key FILE (its owner has it, in <key file>.pub)")
    return read_verifiers(files or [own])


def kept_in(file: Path, keys: list[VerifierKey]) -> list[tuple[Partition, Kept]]:
    """The checkpoints that a file holds. Raises UsageError when it cannot be read, ProofError for one that is none."""
    from sinks.ledger.kept import read_kept

    try:
        return read_kept(file.read_text("utf-8"), keys)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read as checkpoints: {error}") from error
    except ProofError as error:
        raise ProofError(f"{file}: {error}") from error


def print_proven(proven: Proven, *, as_json: bool) -> None:
    """Print what a proof proves."""
    said = _said(proven)
    if as_json:
        print(json.dumps(said, ensure_ascii=False))
        return
    print(f"{said['topic']}, partition {said['partition']}, offset {said['offset']}, at {said['broker_time']}")
    print(f"  signed for   record {said['index']} of {said['tree_size']} in {said['origin']}")
    if said["record"] is None:
        print("  no schema    the value cannot be read; --json has its bytes")
    for name, value in (said["record"] or {}).items():
        if value not in (None, [], {}, ""):
            print(f"  {name:<12} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


def _said(proven: Proven) -> dict[str, Any]:
    """What is proven, for JSON: bytes in base64, times as RFC 3339."""
    from seamwatch.instants import format_instant
    from seamwatch.record_types import RECORD_TYPES
    from seamwatch.wire.schemas import schema

    entry, kind, record = proven.entry, proven.record_type, _plain(proven.record)
    if record is not None and (kind in RECORD_TYPES or kind == "document"):
        times = {"published_at"} if kind == "document" else {f.name for f in schema(kind).fields if f.time}
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
        "key": _plain(entry.key),
        "headers": _plain(entry.headers),
        "value": _plain(entry.value),
        "type": kind,
        "record": record,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
