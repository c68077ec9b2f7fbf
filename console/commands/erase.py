"""`seamwatch erase`: destroy the key by which one person's data are sealed, and put that on record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from seamwatch.sdk.subject_keys import Erasure, SubjectKeyFile, SubjectKeys


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(erase)


def erase(
    subject: Annotated[
        str | None, typer.Argument(help="the pseudonym that the events carry", metavar="SUBJECT")
    ] = None,
    by: Annotated[str | None, typer.Option(help="who does it; your login, unless given", metavar="PERSON")] = None,
    reason: Annotated[
        str | None, typer.Option(help="why, not saying whom it concerns: it is kept for ever", metavar="TEXT")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(help="the file of keys  [default: SEAMWATCH_SUBJECT_KEYS]", metavar="FILE")
    ] = None,
    key_id: Annotated[
        str | None, typer.Option(help="name the key by its id instead, as --list shows it of another copy of the file")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="only list what was destroyed so far")] = False,
    record: Annotated[
        bool, typer.Option("--record", help="only put on record what was destroyed and is not on record yet")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one object an erasure")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Make a person's sealed attributes and arguments unreadable, wherever they are: destroy their key. For good.

    No row is touched, so the ledger still verifies. The id of the key, who destroyed it, when and why go on record; not
    whose it was. What backups of the key file mean is in docs/erasure.md. Exit 1 when there is no key of this subject:
    nothing was sealed for them, or it is destroyed already. Exit 3 when the key is destroyed and no broker took the
    record of it: `--record` sends it later, as does the next erasure.

    Example: SEAMWATCH_SUBJECT_KEYS=/var/lib/scoring/subject-keys seamwatch erase p-81 --by ada --reason "request 114"
    """
    from console.who import login
    from seamwatch.errors import SealError, UsageError
    from seamwatch.sdk.subject_keys import open_subject_keys
    from seamwatch.settings import load_settings

    settings = load_settings(subject_keys=keys)
    file = open_subject_keys(settings.subject_keys)
    if (subject is not None) + (key_id is not None) + listed + record != 1:
        raise UsageError(
            "name the SUBJECT whose key is to be destroyed, or its key by --key-id, or give --list or --record"
        )
    if listed:
        _print(file.erasures(), as_json)
        return
    if record:
        waiting = [each.key_id for each in file.unrecorded()]
        why = _record(file, data)
        _print([each for each in file.erasures() if each.key_id in waiting], as_json)
        _demand_recorded(why)
        return
    named = subject if key_id is None else _subject(file, key_id)
    if named is not None and reason is not None and named in reason:
        raise UsageError("--reason names the subject: it is kept for ever, so say why without saying whom it concerns")
    erasure = None if named is None else file.erase(named, by or login(), settings.clock().now(), reason)
    if erasure is None:
        raise SealError(
            f"there is no key of {subject or key_id!r}: nothing was sealed for them here, or it is destroyed already"
        )
    # Destroyed first, and whether or not anybody can be told: that is what the person has a right to.
    why = _record(file, data)
    _print([each for each in file.erasures() if each.key_id == erasure.key_id], as_json)
    _demand_recorded(why)


def _record(file: SubjectKeyFile, data: Path | None) -> str | None:
    """Put every erasure of the file that is not on record yet on record; else why that could not be.

    An end between sending and noting sends it again next time: the view `erasures` counts a key once.
    """
    from console.reach import reach
    from seamwatch.errors import UnreachableError
    from seamwatch.settings import load_settings
    from seamwatch.wire.codec import Codec
    from seamwatch.wire.topics import Topics
    from statements.sending import send

    waiting = file.unrecorded()
    if not waiting:
        return None
    codec, records = Codec(), []
    for each in waiting:
        said = {"key_id": each.key_id.hex(), "erased_at": each.erased_at, "person": each.person, "reason": each.reason}
        records.append((each.key_id.hex().encode(), codec.encode("erasure", said)))
    try:
        system = reach(data)
        why = send(system.kafka, Topics(system.prefix).erasure, records)
    except UnreachableError as error:
        return str(error)
    if why is not None:
        return f"Kafka at {system.kafka}: {why}"
    now = load_settings().clock().now()
    for each in waiting:
        file.note_recorded(each.key_id, now)
    return None


def _demand_recorded(why: str | None) -> None:
    from seamwatch.errors import UnreachableError

    if why is not None:
        raise UnreachableError(
            f"what was destroyed is destroyed, but it is not on record yet ({why}): "
            "run `seamwatch erase --record` when the broker can be reached"
        )


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

    if as_json:
        print_lines(
            {
                "key_id": each.key_id.hex(),
                "person": each.person,
                "erased_at": format_instant(each.erased_at),
                "reason": each.reason,
                "recorded_at": None if each.recorded_at is None else format_instant(each.recorded_at),
            }
            for each in erasures
        )
        return
    print_table(
        ("DESTROYED KEY", "BY", "AT", "REASON", "ON RECORD"),
        (
            (
                each.key_id.hex(),
                each.person,
                format_instant(each.erased_at),
                each.reason or "",
                "not yet" if each.recorded_at is None else "yes",
            )
            for each in erasures
        ),
        empty="nothing was erased",
    )
