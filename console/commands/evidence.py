"""`seamwatch evidence`: one event and the proof that it is on record, as a file that a third person checks alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evidence)


def evidence(
    event: Annotated[str, typer.Option(help="event_id of the event")],
    out: Annotated[Path | None, typer.Option(help="file to write  [default: standard output]")] = None,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Write the proof that an event is on record: its bytes, its schema, its way to a signed checkpoint.

    Whoever has the file and the ledger's public key checks it with `seamwatch verify --proof FILE --key PUB`, without
    access to anything; the format is in docs/ledger.md. Exit 1 when the event is not on record or not yet signed for.

    Example: seamwatch evidence --event 019539d9-1e5c-7c3a-9d1b-0c1f8f6b2a11 --out event.tlog-proof
    """
    from console.asking import auditor
    from seamwatch.errors import UsageError
    from seamwatch.settings import load_settings
    from seamwatch.wire.writers import Writers
    from sinks.ledger.evidence import evidence_of

    settings = load_settings(data=data)
    registry = None
    if settings.schema_registry_url:
        from seamwatch.wire.registry import SchemaRegistry

        registry = SchemaRegistry(settings.schema_registry_url)
    writers = Writers(registry, settings.schemas)
    with auditor(data) as store:
        proof = evidence_of(store, event, writers.definition)
    if out is None:
        print(proof.text, end="")
        return
    try:
        out.write_bytes(proof.text.encode())
    except OSError as error:
        raise UsageError(f"{out}: cannot be written: {error.strerror}") from error
