"""Importing: an ODCS document as a person, a system and a contract; all of it is kept in the system's labels."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from seamwatch.documents.loading import DOCUMENT_KINDS
from seamwatch.documents.reading import Written
from seamwatch.documents.scalars import Spelled
from seamwatch.documents.wording import problems_of
from seamwatch.errors import DocumentError
from seamwatch.odcs.exporting import CONTRACT, STATED, SYSTEM, exported
from seamwatch.odcs.found import clauses_in, left_over, unread
from seamwatch.odcs.rules import seen

LABEL: Final = "odcs"
_PIECE: Final = 3_900  # a label holds at most 4,000 characters
_NEWEST: Final = 2
"""The newest 3.x of the standard that is known here."""
_OPTIONAL_STATUS: Final = 2
"""Since 3.2 a document need not tell its status."""


@dataclass(frozen=True, slots=True)
class Imported:
    """Seamwatch's documents as plain values, and what of the other document is not in them.

    ``kept`` are the places of what became no clause, ``unread`` the sections that no clause is about, ``notes`` what
    was read in another way than it may have been meant.
    """

    documents: tuple[dict[str, Any], ...]
    kept: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def contract(self) -> dict[str, Any] | None:
        """The contract, if anything in the document is a clause."""
        return next((document for document in self.documents if document["kind"] == "Contract"), None)


class NotImported(DocumentError):
    """A document that cannot be imported, because of what it says at a place."""

    def __init__(self, place: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.place = place


def imported(document: Any, owner: str | None = None) -> Imported:
    """The documents that an ODCS document gives: a person and a system as far as it names them, and a contract.

    A document exported by Seamwatch gives its contract back; what was changed since in the ODCS document is changed in
    it. ``owner`` answers for the dataset when the document names nobody. Raises DocumentError.
    """
    notes = _check(document)
    rest, carried = _parted(document)
    contract, system, stated = carried.get(CONTRACT), carried.get(SYSTEM), carried.get(STATED, [])
    member = _owner_of(rest) or {}
    told_apart: tuple[str, ...] = ()
    whole = False
    if contract is not None:
        told_apart = tuple(str(clause["id"]) for clause in contract["clauses"])
        unchanged = system is None and exported(contract) == dict(document)
        # Where no limit of age was stated, that of an element was there before, and is still none of the contract's.
        whole = not any(c.get("kind") == "freshness" and c["id"] in stated for c in contract["clauses"])
        contract = _merged(contract, stated, clauses_in(rest, told_apart, whole=whole))
        if unchanged:
            return Imported((contract,))
    parties: Mapping[str, Any] = (contract or {}).get("parties") or {}
    signatory = parties.get("provider", {}).get("signatory")
    answering = (system or {}).get("owner") or member.get("username") or signatory or owner
    if owner is not None and answering is not None and _identifier(answering) != owner:
        notes.append(f"{answering} answers for the dataset, as the document says; --owner is for one that names nobody")
    if answering is None:
        raise DocumentError("the document's team names no owner: say who answers for the dataset with --owner PERSON")
    person = _identifier(answering)
    documents: list[dict[str, Any]] = []
    if member and person == _identifier(member["username"]):
        name = str(member.get("name") or member["username"])
        documents.append({"apiVersion": "seamwatch/v1", "kind": "Person", "id": person, "name": name})
    documents.append(_with_label(system or _system(rest, person, contract), rest))
    contract = contract if contract is not None else _contract(rest, person)
    if contract is not None and contract["clauses"]:
        documents.append(contract)
        if str(contract["version"]) != str(rest["version"]) and CONTRACT not in carried:
            notes.append(f"version {rest['version']!r} is written {contract['version']!r}")
    for made in documents:
        if made is not contract or CONTRACT not in carried:
            _check_made(made)
    left = tuple(left_over(rest, told_apart, whole=whole))
    return Imported(tuple(documents), left, tuple(unread(rest)), tuple(notes))


def kept_document(system: Mapping[str, Any]) -> dict[str, Any] | None:
    """The ODCS document that a system's labels keep, or None. Raises DocumentError when it was broken."""
    labels = system.get("labels") or {}
    pieces = sorted((key for key in labels if re.fullmatch(rf"{LABEL}\.\d+", key)), key=lambda key: int(key[5:]))
    if not pieces:
        return None
    try:
        found: dict[str, Any] = json.loads("".join(str(labels[key]) for key in pieces))
    except ValueError:
        raise DocumentError(f"the labels {LABEL}.* of system {system['id']!r} are damaged: import it again") from None
    return found


def without_label(system: Mapping[str, Any]) -> dict[str, Any]:
    """A system without the labels that keep its ODCS document."""
    rest = {key: copy.deepcopy(value) for key, value in system.items() if key != "labels"}
    labels = {key: text for key, text in (system.get("labels") or {}).items() if not key.startswith(f"{LABEL}.")}
    return {**rest, "labels": labels} if labels else rest


def _check(document: Any) -> list[str]:
    """What is to be noted of a document that can be imported."""
    if not isinstance(document, Mapping):
        raise NotImported((), "is no ODCS document: it is not a mapping")
    for key in ("id", "version", "apiVersion"):
        value = document.get(key)
        if isinstance(value, float | bool | Spelled):
            read = str(value).lower() if isinstance(value, bool) else f"the number {value}"
            raise NotImported((key,), f"{key!r} is read as {read}: write it in quotes")
    found = re.fullmatch(r"v?3\.(\d+)(\.\d+)*", str(document.get("apiVersion")))
    minor = int(found[1]) if found else 0
    required = ("apiVersion", "kind", "id", "version", *(() if minor >= _OPTIONAL_STATUS else ("status",)))
    missing = [key for key in required if document.get(key) is None]
    if missing:
        raise NotImported((), f"is no ODCS document: it lacks {', '.join(missing)}")
    if document["kind"] != "DataContract" or found is None:
        raise NotImported(
            ("apiVersion",),
            f"is {document['kind']} {document['apiVersion']}: only kind DataContract of ODCS v3 can be imported",
        )
    if minor > _NEWEST:
        return [
            f"it is of ODCS {document['apiVersion']}, newer than 3.{_NEWEST}: what is new there is kept, but not read"
        ]
    return []


def _check_made(document: Mapping[str, Any]) -> None:
    """Refuse what `contracts check` would not accept for itself."""
    model = DOCUMENT_KINDS[document["kind"]]
    try:
        model.model_validate(document)
    except ValidationError as error:
        text = "; ".join(problem.message for problem in problems_of(error, model, Written(document, "", 1)))
        raise NotImported((), f"gives a document that cannot be used: {text}") from None


def _parted(document: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The document without what Seamwatch carries in it, and what it carries, by name."""
    custom = document.get("customProperties")
    listed = custom if isinstance(custom, list) else []
    carried = {
        item["property"]: copy.deepcopy(item.get("value"))
        for item in listed
        if isinstance(item, Mapping) and item.get("property") in (CONTRACT, STATED, SYSTEM)
    }
    for name, value in carried.items():
        if not isinstance(value, list if name == STATED else dict):
            raise DocumentError(f"custom property {name} is not what was exported: export the contract again")
    if CONTRACT in carried and not isinstance((carried[CONTRACT] or {}).get("clauses"), list):
        raise DocumentError(f"custom property {CONTRACT} holds no clauses: export the contract again")
    rest = copy.deepcopy(dict(document))
    if carried:
        others = [item for item in listed if not (isinstance(item, Mapping) and item.get("property") in carried)]
        rest["customProperties"] = copy.deepcopy(others)
        if not others:
            del rest["customProperties"]
    return rest, carried


def _merged(
    contract: dict[str, Any], stated: list[Any], there: Mapping[str, tuple[Any, dict[str, Any]]]
) -> dict[str, Any]:
    """The carried contract, with the clauses whose items were changed, removed or added since."""
    found = {name: clause for name, (_, clause) in there.items()}
    clauses = []
    for clause in contract["clauses"]:
        name = str(clause["id"])
        shown, now = seen(clause) or {}, found.pop(name, None)
        if name not in stated or now == shown:
            clauses.append(clause)
        elif now is not None:
            unshown = {key: value for key, value in clause.items() if key not in shown}
            clauses.append({**unshown, **now})
    clauses.extend({"id": name, **clause} for name, clause in found.items())
    return {**contract, "clauses": clauses}


def _owner_of(rest: Mapping[str, Any]) -> Mapping[str, Any] | None:
    team = rest.get("team")
    members = team.get("members") if isinstance(team, Mapping) else team
    here = [m for m in members or [] if isinstance(m, Mapping) and m.get("username") and not m.get("dateOut")]
    return next((m for m in here if str(m.get("role", "")).lower() == "owner"), here[0] if here else None)


def _system(rest: Mapping[str, Any], owner: str, contract: Mapping[str, Any] | None) -> dict[str, Any]:
    covered = str(contract["covers"][0]) if contract is not None else "*"
    name = _identifier(rest["id"]) if set(covered) & set("*?[") else covered
    team = _team(rest)
    head = {"apiVersion": "seamwatch/v1", "kind": "System", "id": name, "type": "dataset", "owner": owner}
    return {**head, "team": team} if team else head


def _contract(rest: Mapping[str, Any], owner: str) -> dict[str, Any] | None:
    roles = [role for role in rest.get("roles") or [] if isinstance(role, Mapping) and role.get("role")]
    reader = next((str(role["role"]) for role in roles if role.get("access") == "read"), None)
    team, name = _team(rest), _identifier(rest["id"])
    return {
        "apiVersion": "seamwatch/v1", "kind": "Contract", "id": name,
        "version": re.sub(r"[\s@#]+", "-", str(rest["version"]).strip()), "seam": "data-to-model", "covers": [name],
        "parties": {
            "provider": {**({"team": team} if team else {}), "signatory": owner},
            "consumer": {"team": reader} if reader else {},
        },
        "clauses": [{"id": key, **clause} for key, (_, clause) in clauses_in(rest).items()],
    }  # fmt: skip


def _team(rest: Mapping[str, Any]) -> str | None:
    team = rest.get("team")
    return str(team["name"]) if isinstance(team, Mapping) and team.get("name") else None


def _with_label(system: dict[str, Any], rest: Mapping[str, Any]) -> dict[str, Any]:
    text = json.dumps(rest, ensure_ascii=False, separators=(",", ":"))
    pieces = [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]
    labels = {f"{LABEL}.{number}": piece for number, piece in enumerate(pieces, 1)}
    return {**system, "labels": {**(system.get("labels") or {}), **labels}}


def _identifier(text: Any) -> str:
    return re.sub(r"[\s#]+", "-", str(text).strip())
