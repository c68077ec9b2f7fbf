"""`seamwatch contracts import` and `export`: from and to the Open Data Contract Standard. Maps nothing itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from seamwatch.errors import DocumentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

Out = Annotated[Path | None, typer.Option(help="write to this file; by default standard output")]


def add(group: typer.Typer) -> None:
    """Add the commands to the group of `contracts`."""
    group.command("import")(import_)
    group.command()(export)


def import_(
    odcs: Annotated[Path, typer.Option(help="an ODCS v3 document")],
    owner: Annotated[str | None, typer.Option(help="who answers for the dataset, if the document names nobody")] = None,
    out: Out = None,
) -> None:
    """Turn an ODCS document into the person, the system and the contract that it states.

    What no clause says is kept in the system's labels and comes back with `export`. Notes say what that is. Exit 1
    when nothing in it is a clause: there is a system then, but no contract.

    Example: seamwatch contracts import --odcs orders.odcs.yaml --owner ada@example.org --out contracts/orders.yaml
    """
    from seamwatch.documents.reading import read_file
    from seamwatch.odcs import NotImported, imported

    if not odcs.is_file():
        raise UsageError(f"{odcs} is no file: name an ODCS document")
    found, problems = read_file(odcs, str(odcs))
    if problems:
        raise DocumentError("\n".join(map(str, problems)))
    if len(found) != 1:
        raise DocumentError(f"{odcs}:1: holds {len(found)} documents: an ODCS file holds one")
    try:
        done = imported(found[0].content, owner)
    except NotImported as error:
        raise DocumentError(f"{odcs}:{found[0].line(error.place)}: {error}") from None
    except DocumentError as error:
        raise DocumentError(f"{odcs}:1: {error}") from None
    _write(done.documents, out)
    for note in done.notes:
        print(f"note: {note}", file=sys.stderr)
    for place in done.kept:
        print(f"note: kept, but no clause watches it: {place}", file=sys.stderr)
    if done.unread:
        print(f"note: kept, and no clause is about it: {', '.join(done.unread)}", file=sys.stderr)
    if done.contract is None:
        print(f"{odcs}: nothing in it is a clause: there is a system, but no contract", file=sys.stderr)
        raise typer.Exit(1)


def export(
    contract: Annotated[str, typer.Argument(metavar="CONTRACT", help="id, or id@version; or an imported system's id")],
    form: Annotated[Literal["odcs"], typer.Option("--format", help="the form to write")] = "odcs",  # noqa: ARG001  the only one
    contracts: Annotated[Path, typer.Option(metavar="DIR", help="folder of documents")] = Path("contracts"),
    out: Out = None,
) -> None:
    """Write a contract as an ODCS v3.1 document that gives the same contract back, digest and all.

    Example: seamwatch contracts export eligibility-feed --format odcs --contracts contracts/
    """
    from seamwatch.documents.loading import load_estate
    from seamwatch.odcs import exported
    from seamwatch.odcs.importing import kept_document, without_label

    estate = load_estate(contracts)
    name, _, version = contract.partition("@")
    fits = [c for c in estate.contracts if c.id == name and version in ("", c.version)]
    if len(fits) > 1:
        named = ", ".join(f"{c.id}@{c.version}" for c in fits)
        raise UsageError(f"there are several versions of {name!r}: name one of {named}")
    systems = [s.written for key, s in estate.systems.items() if (fits[0].covers_system(key) if fits else key == name)]
    system = next((s for s in systems if kept_document(s) is not None), None)
    if not fits and system is None:
        raise UsageError(f"{contracts} holds no contract {contract!r} (and no system imported under that name)")
    base = kept_document(system) if system is not None else None
    carried = without_label(system) if system is not None else None
    _write([exported(fits[0].written if fits else None, base=base, system=carried)], out)


def _write(documents: Sequence[dict[str, Any]], out: Path | None) -> None:
    from seamwatch.documents.writing import yaml_text

    text = yaml_text(documents)
    if out is None:
        print(text, end="")
    else:
        out.write_text(text, "utf-8")
