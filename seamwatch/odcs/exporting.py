"""Exporting: a contract as an ODCS document, laid over the document that it was imported from, if there was one."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from seamwatch.documents.reading import Place
from seamwatch.odcs.found import clauses_in
from seamwatch.odcs.rules import EVENTS, Item, item_of, seen

CONTRACT: Final = "seamwatchContract"
STATED: Final = "seamwatchStated"
SYSTEM: Final = "seamwatchSystem"


def exported(
    contract: Mapping[str, Any] | None,
    *,
    base: Mapping[str, Any] | None = None,
    system: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The ODCS document of a contract, as plain values.

    ``base`` is the document it was imported from: what the contract still says stays as it was there. ``system`` is
    carried along, for documents whose system came from an import. Contract and system are their written content.
    """
    document = copy.deepcopy(dict(base)) if base is not None else _fresh(contract or {})
    stated = None
    if contract is not None:
        _lay_over(document, contract)
        shown = {name: clause for name, (_, clause) in _found(document, contract).items()}
        # What is stated and later gone was taken out by somebody; what never was stated is only carried.
        stated = [str(c["id"]) for c in contract["clauses"] if str(c["id"]) in shown and shown[str(c["id"])] == seen(c)]
    carried = [(CONTRACT, contract), (STATED, stated), (SYSTEM, system)]
    custom = [{"property": name, "value": copy.deepcopy(value)} for name, value in carried if value is not None]
    if custom:
        document["customProperties"] = [*(document.get("customProperties") or []), *custom]
    return document


def _fresh(contract: Mapping[str, Any]) -> dict[str, Any]:
    provider, consumer = (contract["parties"][side] for side in ("provider", "consumer"))
    document: dict[str, Any] = {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": str(contract["id"]),
        "version": str(contract["version"]), "status": "active",
    }  # fmt: skip
    team: dict[str, Any] = {}
    if provider.get("team"):
        team["name"] = str(provider["team"])
    if provider.get("signatory"):
        team["members"] = [{"username": str(provider["signatory"]), "role": "owner"}]
    if team:
        document["team"] = team
    if consumer.get("team"):
        approver = {"firstLevelApprovers": str(consumer["signatory"])} if consumer.get("signatory") else {}
        document["roles"] = [{"role": str(consumer["team"]), "access": "read", **approver}]
    return document


def _lay_over(document: dict[str, Any], contract: Mapping[str, Any]) -> None:
    found = _found(document, contract)
    clauses = {str(clause["id"]): clause for clause in contract["clauses"]}
    changed = [name for name, (_, clause) in found.items() if name not in clauses or seen(clauses[name]) != clause]
    for name, (place, _) in found.items():
        if changed and name not in changed:  # a name made from its position must outlive the others' removal
            _at(document, place).setdefault("id", name)
    # From the back, so that the places of what is still to go stay right.
    for place in sorted((found[name][0] for name in changed), key=_order, reverse=True):
        _remove(document, place)
    dataset = next(iter(_datasets(document)), str(contract["covers"][0]))
    for name, clause in clauses.items():
        item = None if name in found and name not in changed else item_of(clause, dataset)
        if item is not None and not (item.where == "object" and len(_datasets(document)) > 1):
            _add(document, item)


def _found(document: Mapping[str, Any], contract: Mapping[str, Any]) -> dict[str, tuple[Place, dict[str, Any]]]:
    """What a document states, beside a contract: a limit of one element's age is no clause that it has not."""
    told_apart = [str(clause["id"]) for clause in contract["clauses"]]
    return clauses_in(document, told_apart, whole=not any(c["kind"] == "freshness" for c in contract["clauses"]))


def _datasets(document: Mapping[str, Any]) -> list[str]:
    names = [str(thing.get("name")) for thing in document.get("schema") or []]
    return [name for name in names if name not in EVENTS]


def _order(place: tuple[str | int, ...]) -> tuple[tuple[str, int], ...]:
    return tuple(("", part) if isinstance(part, int) else (part, 0) for part in place)


def _at(document: dict[str, Any], place: tuple[str | int, ...]) -> Any:
    found: Any = document
    for part in place:
        found = found[part]
    return found


def _remove(document: dict[str, Any], place: tuple[str | int, ...]) -> None:
    owner = _at(document, place[:-1])
    if place[-2] == "properties":  # a column's bounds: the column stays
        for bound in ("minimum", "maximum"):
            owner[place[-1]]["logicalTypeOptions"].pop(bound, None)
        owner[place[-1]].pop("required", None)
    else:
        del owner[place[-1]]


def _add(document: dict[str, Any], item: Item) -> None:
    if item.where == "sla":
        document["slaProperties"] = [*(document.get("slaProperties") or []), dict(item.content)]
        return
    thing = _named(document, "schema", item.object_name, {"logicalType": "object"})
    if item.where == "object":
        thing.setdefault("quality", []).append(dict(item.content))
        return
    column = _named(thing, "properties", item.column, {})
    if item.where == "bounds":
        column.setdefault("logicalTypeOptions", {}).update(item.content["logicalTypeOptions"])
        column.update({key: value for key, value in item.content.items() if key != "logicalTypeOptions"})
    else:
        column.setdefault("quality", []).append(dict(item.content))


def _named(owner: dict[str, Any], key: str, name: str | None, start: Mapping[str, Any]) -> dict[str, Any]:
    things: list[dict[str, Any]] = owner.get(key) or []
    owner[key] = things
    known = next((thing for thing in things if thing.get("name") == name), None)
    if known is None:
        known = {"name": name, **start}
        things.append(known)
    return known
