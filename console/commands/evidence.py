"""`seamwatch evidence`: one record and the proof that it was kept, as a file that a third person checks alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from seamwatch.wire.writers import Writers
    from sinks.ledger.sought import Found
    from sinks.store.client import Store


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evidence)


def evidence(
    event: Annotated[str | None, typer.Option(help="an event, by its event_id", metavar="ID")] = None,
    violation: Annotated[
        str | None, typer.Option(help="a violation, by its id: its newest state, or that of --state", metavar="ID")
    ] = None,
    state: Annotated[
        str | None, typer.Option(help="with --violation: open, acknowledged, escalated or resolved", metavar="STATE")
    ] = None,
    notice: Annotated[str | None, typer.Option(help="a notice, by its id", metavar="ID")] = None,
    page: Annotated[
        str | None,
        typer.Option(help="the first page that was delivered about a violation or a notice, by its id", metavar="ID"),
    ] = None,
    step: Annotated[int | None, typer.Option(help="with --page: of this step of the list, from 0", metavar="N")] = None,
    document: Annotated[
        str | None,
        typer.Option(
            help="the newest publication of Person/<id>, System/<id>, Rota/<id>, Contract/<id>@<version> or "
            "RiskPolicy/<id>@<version>",
            metavar="DOCUMENT",
        ),
    ] = None,
    erasure: Annotated[
        str | None, typer.Option(help="the destruction of a person's key, by the key's id", metavar="KEY_ID")
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(help="any record by its position, <topic>/<partition>/<offset>; dead letters too", metavar="AT"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="file to write  [default: standard output; --system needs one]")
    ] = None,
    system: Annotated[
        str | None, typer.Option(help="a dossier of all that is on record of a system in a time", metavar="SYSTEM")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="with --system: from this time on (RFC 3339 or a date)", metavar="T")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="with --system: to before this time", metavar="T")] = None,
    requirements: Annotated[
        list[Path] | None,
        typer.Option(help="with --system: folder of further requirements (*.yaml); may be given again", metavar="DIR"),
    ] = None,
    person: Annotated[
        str | None,
        typer.Option("--as", help="with --system: who vouches for it  [default: the ledger's key]", metavar="PERSON"),
    ] = None,
    key: Annotated[Path | None, typer.Option(help="with --as: their Ed25519 private key")] = None,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Write the proof that something is on record: its bytes, its schema, its way to a signed checkpoint.

    Name one thing. Whoever has the file and the ledger's public key checks it with `seamwatch verify --proof FILE --key
    PUB`, without access to anything; the format is in docs/ledger.md. Exit 1 when it is not on record or not yet signed
    for.

    With --system a dossier is written: one archive of all that is on record of the system in a time, with an index by
    what laws and standards ask, checked with `seamwatch verify --bundle FILE --key PUB` (docs/dossiers.md). Exit 1 when
    a requirement has no evidence; the archive is written all the same.

    Example: seamwatch evidence --event 019539d9-1e5c-7c3a-9d1b-0c1f8f6b2a11 --out event.tlog-proof
    """
    from console.asking import auditor
    from seamwatch.errors import UsageError
    from sinks.ledger import sought
    from sinks.ledger.evidence import evidence_of

    given: dict[str, tuple[str | None, Callable[[Store, str], Found]]] = {
        "--event": (event, sought.event),
        "--violation": (violation, partial(sought.violation, state=state)),
        "--notice": (notice, sought.notice),
        "--page": (page, partial(sought.page, step=step)),
        "--document": (document, sought.document),
        "--erasure": (erasure, sought.erasure),
        "--record": (record, sought.record),
    }
    if system is not None:
        if any(name is not None for name, _ in given.values()) or state is not None or step is not None:
            raise UsageError("--system asks for a dossier: name nothing else to be proven")
        raise typer.Exit(1 if _dossier(out, system, (start, end), requirements or [], (person, key), data) else 0)
    if any(each is not None for each in (start, end, requirements, person, key)):
        raise UsageError("--from, --to, --requirements, --as and --key go with --system")
    named = [(name, seek) for name, seek in given.values() if name is not None]
    if len(named) != 1:
        raise UsageError(f"name one thing to be proven, by one of {', '.join(given)}, or a dossier by --system")
    if (state is not None and violation is None) or (step is not None and page is None):
        raise UsageError("--state goes with --violation, and --step with --page")
    writers = _writers(data)
    with auditor(data) as store:
        ((name, seek),) = named
        proof = evidence_of(store, seek(store, name), writers.definition)
    if out is None:
        print(proof.text, end="")
        return
    try:
        out.write_bytes(proof.text.encode())
    except OSError as error:
        raise UsageError(f"{out}: cannot be written: {error.strerror}") from error


def _dossier(
    out: Path | None,
    system: str,
    time: tuple[str | None, str | None],
    requirements: list[Path],
    signer: tuple[str | None, Path | None],
    data: Path | None,
) -> int:
    from console.dossier import write_dossier
    from console.moments import moment_of
    from seamwatch.errors import UsageError

    start, end = (moment_of(name, text, back=False) for name, text in zip(("--from", "--to"), time, strict=True))
    if out is None or start is None or end is None:
        raise UsageError("a dossier is of a time and a file: give --from T --to T --out FILE.zip")
    if start >= end:
        raise UsageError("--to is not after --from: there is nothing between them")
    return write_dossier(out, system, start, end, requirements, *signer, data)


def _writers(data: Path | None) -> Writers:
    from seamwatch.settings import load_settings
    from seamwatch.wire.registry import SchemaRegistry
    from seamwatch.wire.writers import Writers

    settings = load_settings(data=data)
    return Writers(SchemaRegistry.of(settings), settings.schemas)
