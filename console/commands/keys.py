"""`seamwatch keys`: the keys that people sign with, and the one that signs the ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

KeyId = Annotated[str, typer.Option("--id", help="names the key in signatures, such as ada-2026", metavar="KEY_ID")]
NotBefore = Annotated[str | None, typer.Option(help="valid from this time on (RFC 3339 or a date); now, unless given")]
AsJson = Annotated[bool, typer.Option("--json", help="the public entry as one JSON object")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        no_args_is_help=True, help="Make the keys that people and the ledger sign with, and show their public part."
    )
    group.command()(new)
    group.command()(show)
    group.command()(ledger)
    app.add_typer(group, name="keys")


def new(
    key_id: KeyId,
    out: Annotated[Path, typer.Option(help="the file to write the private key to; it must not exist")],
    passphrase: Annotated[
        bool,
        typer.Option(
            "--passphrase",
            help="protect the file: by SEAMWATCH_KEY_PASSPHRASE, by what is in the file that "
            "SEAMWATCH_KEY_PASSPHRASE_FILE names, or by what you are asked for",
        ),
    ] = False,
    not_before: NotBefore = None,
    as_json: AsJson = False,
) -> None:
    """Make an Ed25519 key: the private part into a file of yours alone, the public part on standard output.

    Put what is printed under `keys` of your Person document. The private key never leaves the file.

    Example: seamwatch keys new --id ada-2026 --out ada.pem
    """
    from console.keys import new_passphrase, public_of, write_private_key

    _entry(key_id, "A" * 43 + "=", not_before)  # a wrong name or time is told before anything is made
    private = write_private_key(out, passphrase=new_passphrase() if passphrase else None)
    _print(_entry(key_id, public_of(private), not_before), as_json)


def show(
    file: Annotated[Path, typer.Argument(help="a private key", metavar="FILE")],
    key_id: KeyId,
    not_before: NotBefore = None,
    as_json: AsJson = False,
) -> None:
    """The public part of a private key that you have, as a Person document lists it.

    Example: seamwatch keys show ada.pem --id ada-2026
    """
    from console.keys import public_of, read_private_key

    _print(_entry(key_id, public_of(read_private_key(file)), not_before), as_json)


def ledger(
    name: Annotated[str, typer.Argument(help="names the ledger in its checkpoints", metavar="NAME")],
    out: Annotated[Path, typer.Option(help="the file to write the private key to; it must not exist")],
    as_json: Annotated[bool, typer.Option("--json", help="the public key and its file as one JSON object")] = False,
) -> None:
    """Make the key that signs the ledger: the private part into a file of yours alone, the public part beside it.

    Name the file in SEAMWATCH_LEDGER_KEY for `seamwatch run record`, and give the public line, which is printed and in
    <file>.pub, to whoever verifies. A new key of the same name takes the place of an old one: keep its public line.

    Example: seamwatch keys ledger ledger.example.org --out ledger.key
    """
    from sinks.ledger.format.keys import make_keys, public_file

    public = make_keys(out, name)
    if as_json:
        print(json.dumps({"name": public.name, "public": str(public), "file": str(public_file(out))}))
    else:
        print(public)


def _entry(key_id: str, public: str, not_before: str | None) -> dict[str, str]:
    from pydantic import ValidationError

    from seamwatch.documents.models import PublicKeyEntry
    from seamwatch.errors import UsageError
    from seamwatch.instants import format_instant
    from seamwatch.settings import load_settings

    since = not_before or format_instant(load_settings().clock().now())[:19] + "Z"
    entry = {"key_id": key_id, "public": public, "not_before": since}
    try:
        PublicKeyEntry.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        option = "--not-before" if first["loc"] == ("not_before",) else "--id"
        raise UsageError(f"{option} {first['input']}: {first['msg'].removeprefix('Value error, ')}") from None
    return entry


def _print(entry: dict[str, str], as_json: bool) -> None:
    if as_json:
        print(json.dumps(entry))
    else:
        print("keys:")
        print(f"  - key_id: {json.dumps(entry['key_id'])}")
        print(f"    public: {entry['public']}")
        print(f"    not_before: {entry['not_before']}")
