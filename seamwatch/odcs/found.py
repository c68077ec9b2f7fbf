"""What an ODCS document states that is a clause, under the ids that the clauses have, and what it states beside."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from seamwatch.documents.reading import Place
from seamwatch.odcs.ages import ages
from seamwatch.odcs.rules import EVENTS, Item, clause_of, items

_READ: Final = (
    "$schema", "apiVersion", "kind", "id", "name", "version", "status", "team", "roles", "schema", "slaProperties",
    "tags", "contractCreatedTs",
)  # fmt: skip


def clauses_in(
    document: Mapping[str, Any], told_apart: Collection[str] = (), *, whole: bool = False
) -> dict[str, tuple[Place, dict[str, Any]]]:
    """The place and the clause (without its id) of everything that maps, by id.

    An item with an `id` gives it to its clause; another one is named after its kind, numbered from the second on.
    ``told_apart`` are the ids of clauses that the document was written from: an item with such an id states that
    clause, whatever else it states. ``whole``: see `ages`.
    """
    found: dict[str, tuple[Place, dict[str, Any]]] = {}
    fresh, _ = ages(document, told_apart, whole=whole)
    for place, item in items(document):
        clause = clause_of(item)
        if clause is None or (item.where == "sla" and place[1] not in fresh):
            continue
        wanted = str(item.content.get("id") or clause["kind"])
        name, number = wanted, 2
        while name in found:
            name, number = f"{wanted}-{number}", number + 1
        found[name] = (place, clause)
    return found


def left_over(document: Mapping[str, Any], told_apart: Collection[str] = (), *, whole: bool = False) -> list[str]:
    """The places of SLA properties, quality rules and bounds that no clause states, and why if that is known."""
    known = {place for place, _ in clauses_in(document, told_apart, whole=whole).values()}
    _, why = ages(document, told_apart, whole=whole)
    return [
        f"{'.'.join(map(str, place))} ({_named(item)})"
        + (f": {why[place[1]]}" if item.where == "sla" and isinstance(place[1], int) and place[1] in why else "")
        for place, item in items(document)
        if place not in known
    ]


def unread(document: Mapping[str, Any]) -> list[str]:
    """The sections of a document that no clause is about, and what its columns demand beside quality rules."""
    things = [thing for thing in document.get("schema") or [] if isinstance(thing, Mapping)]
    demanded = sum(
        column.get("required") is True or column.get("unique") is True
        for thing in things
        if thing.get("name") not in EVENTS
        for column in thing.get("properties") or []
        if isinstance(column, Mapping)
    )
    columns = [f"columns that are required or unique ({demanded})"] if demanded else []
    return [key for key, value in document.items() if value and key not in _READ] + columns


def _named(item: Item) -> str:
    if item.where == "bounds":
        return f"bounds of {item.column}"
    return str(item.content.get("property") or item.content.get("metric") or item.content.get("rule") or "rule")
