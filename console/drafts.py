"""Drafts: a change in a file, as one event that `emit` would take, which people sign before it is announced.

Reads, signs and writes the file; what must be signed, and sending it, are the commands'.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from console.signing import sign_as
from seamwatch.errors import UsageError
from seamwatch.instants import format_instant
from seamwatch.signatures import change_bytes
from seamwatch.wire.text import read_lines


def read_draft(file: Path) -> dict[str, Any]:
    """The drafted ``config_change``. Raises UsageError, or RecordError that names the file, when there is none."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read: {error}") from None
    # A draft is one event, as `emit` takes it, on as many lines as reads well.
    (line, *_) = [*read_lines([" ".join(text.split("\n"))], str(file)), None]
    if line is None:
        raise UsageError(f"{file}: there is no draft in it")
    record_type, record = line.whole()
    if record_type != "config_change":
        raise UsageError(f"{file}: it is no change, but {record_type}")
    return {name: value for name, value in record.items() if value is not None or name in ("from_value", "to_value")}


def write_draft(file: Path, record: dict[str, Any], *, new: bool = True) -> None:
    """Write a draft: to a new file, or in the place of one. Raises UsageError when that cannot be."""
    shown = {"type": "config_change", **record}
    for name in ("event_time", "effective_at"):
        shown[name] = format_instant(record[name])
    text = json.dumps(shown, ensure_ascii=False, indent=2) + "\n"
    try:
        if new:
            with file.open("x", encoding="utf-8") as out:
                out.write(text)
            return
        # Replaced whole: a signature that was there is never lost half-way.
        beside = file.with_name(f".{file.name}.new")
        beside.write_text(text, "utf-8")
        beside.replace(file)
    except FileExistsError:
        raise UsageError(f"{file} exists: a draft is never written over; name another file") from None
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror}") from None


def add_signature(record: dict[str, Any], person: str, keys: Mapping[str, str], file: Path) -> None:
    """Put a person's signature under a change, in the place of their earlier one. Raises UsageError as `sign_as`."""
    if not keys:
        raise UsageError(f"{person} has published no key, so nobody could verify the signature")
    key_id, signature = sign_as(change_bytes(record), person, keys, file)
    others = [entry for entry in record["signatures"] if entry["person"] != person]
    record["signatures"] = [*others, {"person": person, "key_id": key_id, "signature": signature}]
