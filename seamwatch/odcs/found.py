"""What an ODCS document states that is a clause, under the ids that the clauses have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seamwatch.odcs.rules import clause_of, items

Place = tuple[str | int, ...]


def clauses_in(document: Mapping[str, Any]) -> dict[str, tuple[Place, dict[str, Any]]]:
    """The place and the clause (without its id) of everything that maps, by id.

    An item with an `id` gives it to its clause; another one is named after its kind, numbered from the second on.
    """
    found: dict[str, tuple[Place, dict[str, Any]]] = {}
    for place, item in items(document):
        clause = clause_of(item)
        if clause is None:
            continue
        wanted = str(item.content.get("id") or clause["kind"])
        name, number = wanted, 2
        while name in found:
            name, number = f"{wanted}-{number}", number + 1
        found[name] = (place, clause)
    return found


def left_over(document: Mapping[str, Any]) -> list[str]:
    """The places of SLA properties and quality rules that no clause states, as text."""
    known = {place for place, _ in clauses_in(document).values()}
    return [
        f"{'.'.join(map(str, place))} ({item.content.get('property') or item.content.get('metric') or 'rule'})"
        for place, item in items(document)
        if place not in known and item.where != "bounds"
    ]
