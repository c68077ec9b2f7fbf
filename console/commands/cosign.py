"""`seamwatch cosign`: a person puts their signature under a change that somebody drafted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(cosign)


def cosign(
    file: Annotated[Path, typer.Argument(metavar="DRAFT", help="a file that `announce` drafted")],
    *,
    person: Annotated[str, typer.Option("--as", help="who signs: the id of a Person document", metavar="PERSON")],
    key: Annotated[Path, typer.Option(help="your Ed25519 private key")],
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Sign a drafted change, in its file.

    Read it first: what it changes, to what, and when. Your earlier signature in the file is replaced.

    Example: seamwatch cosign change.json --as lead@example.org --key lead.pem
    """
    from console.drafts import add_signature, read_draft, write_draft
    from console.reach import reach
    from statements.published import Published

    published = Published(reach(data))
    record = read_draft(file)
    add_signature(record, person, published.keys_of(person), key)
    write_draft(file, record, new=False)
    signers = ", ".join(signature["person"] for signature in record["signatures"])
    print(f"{file}: change {record['change_id']} of {record['system']} is signed by {signers}")
