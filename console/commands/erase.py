"""`seamwatch erase`: destroy the key by which one person's data are sealed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from seamwatch.sdk.subject_keys import Erasure, SubjectKeys


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(erase)


def erase(
    subject: Annotated[
        str | None, typer.Argument(help="the pseudonym that the events carry", metavar="SUBJECT")
    ] = None,
    by: Annotated[str | None, typer.Option(help="who does it; your login, unless given", metavar="PERSON")] = None,
    keys: Annotated[
        Path | None, typer.Option(help="the file of keys  [default: SEAMWATCH_SUBJECT_KEYS]", metavar="FILE")
    ] = None,
    key_id: Annotated[
        str | None, typer.Option(help="name the key by its id instead, as --list shows it of another copy of the file")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="only list what was destroyed so far")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one object an erasure")] = False,
) -> None:
    """Make a person's sealed attributes and arguments unreadable, wherever they are: destroy their key. For good.

    No row is touched, so the ledger still verifies. What backups of the key file mean is in docs/erasure.md. Exit 1
    when there is no key of this subject: nothing was sealed for them, or it is destroyed already.

    Example: SEAMWATCH_SUBJECT_KEYS=/var/lib/scoring/subject-keys seamwatch erase p-81 --by ada
    """
    from console.who import login
    from seamwatch.errors import SealError, UsageError
    from seamwatch.sdk.subject_keys import open_subject_keys
    from seamwatch.settings import load_settings

    settings = load_settings(subject_keys=keys)
    file = open_subject_keys(settings.subject_keys)
    if listed:
        _print(file.erasures(), as_json)
        return
    if (subject is None) == (key_id is None):
        raise UsageError("name the SUBJECT whose key is to be destroyed, or its key by --key-id, or give --list")
    named = subject if key_id is None else _subject(file, key_id)
    erasure = None if named is None else file.erase(named, by or login(), settings.clock().now())
    if erasure is None:
        raise SealError(
            f"there is no key of {subject or key_id!r}: nothing was sealed for them here, or it is destroyed already"
        )
    _print([erasure], as_json)


def _subject(file: SubjectKeys, key_id: str) -> str | None:
    """Whose key this is, if it is here."""
    from seamwatch.errors import UsageError
    from seamwatch.sealing import SubjectKey

    try:
        found = file.find(bytes.fromhex(key_id))
    except ValueError:
        raise UsageError(f"--key-id {key_id}: write it as `seamwatch erase --list` shows it, in hexadecimal") from None
    return found.subject if isinstance(found, SubjectKey) else None


def _print(erasures: list[Erasure], as_json: bool) -> None:
    from console.asking import print_lines
    from console.tables import print_table
    from seamwatch.instants import format_instant

    lines = [
        {"key_id": each.key_id.hex(), "person": each.person, "erased_at": format_instant(each.erased_at)}
        for each in erasures
    ]
    if as_json:
        print_lines(lines)
    else:
        print_table(("DESTROYED KEY", "BY", "AT"), (list(line.values()) for line in lines), empty="nothing was erased")
