"""Dossiers on the command line: who vouches for one that is written, and what was found of one that is checked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seamwatch.errors import UsageError

if TYPE_CHECKING:
    from sinks.dossier.checking import Checked
    from sinks.dossier.seal import LedgerSealer, PersonSealer
    from sinks.ledger.format.notes import VerifierKey
    from sinks.store.client import Store


def sealer(store: Store, person: str | None, key: Path | None, data: Path | None) -> LedgerSealer | PersonSealer | None:
    """Who vouches for a dossier: the person who is named, else the ledger whose key is at hand, else nobody.

    Raises UsageError for a person without the key that is published for them.
    """
    from console.reach import LEDGER_KEY_FILE
    from seamwatch.settings import load_settings
    from sinks.dossier.seal import LedgerSealer
    from sinks.ledger.format.keys import read_signer

    if person is not None or key is not None:
        return _person(store, person, key)
    settings = load_settings(data=data)
    file = settings.ledger_key or settings.data / LEDGER_KEY_FILE
    return LedgerSealer(read_signer(file)) if settings.ledger_key is not None or file.exists() else None


def write_dossier(
    out: Path, system: str, start: int, end: int, folders: list[Path], person: str | None, key: Path | None,
    data: Path | None,
) -> int:  # fmt: skip
    """Write a dossier and say what is lacking in it; how many gaps it has."""
    from console.asking import auditor
    from console.lines import Progress
    from console.reach import reach
    from seamwatch.settings import load_settings
    from seamwatch.wire.registry import SchemaRegistry
    from seamwatch.wire.writers import Writers
    from sinks.dossier.noting import NotingStore
    from sinks.dossier.requirements import packaged, read_requirements
    from sinks.dossier.scope import Scope
    from sinks.dossier.writing import Order, write
    from sinks.store.questions.names import demand_known

    sources = packaged()
    if folders:
        own = read_requirements(folders)
        named = {source.id for source in own}
        sources = sorted([*own, *(each for each in sources if each.id not in named)], key=lambda each: each.id)
    settings = load_settings(data=data)
    writers = Writers(SchemaRegistry.of(settings), settings.schemas)
    with auditor(data) as asked:
        demand_known(asked, system=system)
        vouching = sealer(asked, person, key, data)
    progress = Progress("records packed")
    done = 0

    def tell(rows: int) -> None:
        nonlocal done
        done += rows
        progress.tell(done)

    with NotingStore(reach(data).auditor, timeout=600) as store:
        order = Order(Scope(system, start, end), sources, vouching, writers.definition, tell)
        written = write(store, order, out)
    for gap in written.gaps:
        print(f"gap: {gap['of']}: {gap['gap']}")
    if vouching is None:
        print(
            "nobody vouches for the whole: give --as PERSON --key FILE, or the ledger's key (SEAMWATCH_LEDGER_KEY)",
            file=sys.stderr,
        )
    print(f"{out}: {written.records} records of {system}, {len(written.gaps)} gaps")
    return len(written.gaps)


def check_dossier(bundle: Path, keys: list[VerifierKey], *, as_json: bool) -> bool:
    """Check a dossier and say what was found; whether all of it holds."""
    from console.lines import Progress
    from sinks.dossier.checking import check

    checked = check(bundle, keys, Progress("records checked").tell)
    if as_json:
        print(json.dumps(_said(checked), ensure_ascii=False))
    else:
        _print(bundle, checked)
    return not checked.wrong


def _person(store: Store, person: str | None, key: Path | None) -> PersonSealer:
    from console.keys import public_of, read_private_key
    from sinks.dossier.seal import PersonSealer
    from sinks.store.questions.published import keys as published

    if person is None or key is None:
        raise UsageError("who vouches for a dossier says who they are and by which key: --as PERSON --key FILE")
    known = published(store).get(person)
    if known is None:
        raise UsageError(f"{person} is no published Person, so nobody could tell whose signature it is")
    private = read_private_key(key)
    public = public_of(private)
    if public not in known:
        raise UsageError(f"{key}: its public key {public} is not among the keys published for {person}")
    return PersonSealer(person, known[public], private)


def _said(checked: Checked) -> dict[str, Any]:
    manifest, sealed = checked.manifest, checked.sealed_by
    return {
        "wrong": checked.wrong,
        "notes": checked.notes,
        **({} if manifest is None else manifest.about),
        "sealed_by": None if sealed is None else {"name": sealed.name, "person": sealed.person},
        "records": dict(sorted(checked.records.items())),
        "not_shown": sum(shown.beside for shown in checked.shown),
        "not_shown_between": sum(shown.between for shown in checked.shown),
        "vouched_by_nobody": checked.unvouched,
        "gaps": checked.gaps,
    }


def _print(bundle: Path, checked: Checked) -> None:
    for wrong in checked.wrong:
        print(f"wrong: {wrong}")
    for note in checked.notes:
        print(f"note: {note}")
    if checked.manifest is not None:
        about = checked.manifest.about
        print(
            f"{bundle}: system {about['system']}, from {about['from']} to before {about['to']}, as of {about['as_of']}"
        )
    sealed = checked.sealed_by
    if sealed is not None:
        who = f"the ledger {sealed.name}" if sealed.person is None else f"{sealed.person}, key {sealed.name}"
        print(f"  whole        vouched for by {who}")
    elif checked.unvouched:
        print(f"  vouched for by nobody: {', '.join(checked.unvouched)}")
    for table, rows in sorted(checked.records.items()):
        print(f"  {table:<15} {rows} records, each under a signed checkpoint, each row as its bytes say")
    beside = sum(shown.beside for shown in checked.shown)
    if beside:
        between = sum(shown.between for shown in checked.shown)
        print(
            f"  not shown       {beside} records of the same topic partitions, {between} of them between those shown: "
            "of other systems or times, by the word of who vouches for the whole"
        )
    for gap in checked.gaps:
        print(f"  gap             {gap['of']}: {gap['gap']}")
    print(f"{len(checked.wrong)} found wrong" if checked.wrong else "all as sealed and signed")
