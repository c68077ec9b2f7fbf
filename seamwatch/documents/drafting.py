"""Drafting: a System document to begin with, of what was seen of a system that nobody declared. Pure.

What traffic cannot tell stays open: who answers for it, and what is approved. The draft passes `contracts check` as
soon as a person of the documents stands as its owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from seamwatch.documents.fields import Identifier, VersionText, Words
from seamwatch.documents.writing import yaml_text
from seamwatch.errors import UsageError
from seamwatch.printable import on_one_line

OWNER: Final = "WHO-ANSWERS-FOR-IT"
"""What stands for an owner who is not known yet; no person's id."""
_MOST_VERSIONS: Final = 20
_MOST_USE_CASES: Final = 50


@dataclass(frozen=True, slots=True)
class SeenVersion:
    """A version with one configuration, as it was seen to serve; ``last_seen`` in micros."""

    version: str
    config_digest: str | None
    last_seen: int


def draft(
    system: str, kind: str, seen: Iterable[SeenVersion], use_cases: Sequence[str] = (), owner: str | None = None
) -> str:
    """The YAML of a System document. ``kind`` is its type, as far as traffic tells.

    Raises UsageError for a name that no document can have.
    """
    if not _is(Identifier, system):
        raise UsageError(
            f"{system!r} cannot be declared: an id has no white space and no #, and 256 characters at most. Whoever "
            "runs it must have it name itself otherwise"
        )
    versions, left_out = _versions(seen)
    uses = [use for use in use_cases if _is(Words, use)]
    document: dict[str, Any] = {
        "apiVersion": "seamwatch/v1",
        "kind": "System",
        "id": system,
        "type": kind if kind in ("model", "agent", "dataset", "pipeline") else "model",
        "owner": owner or OWNER,
    }
    if uses:
        document["use_cases"] = uses[:_MOST_USE_CASES]
    if versions:
        document["versions"] = versions
    said = [
        "Drafted from what was seen in traffic: complete it, and publish it with `seamwatch contracts publish`.",
        *([] if owner else [f"owner: put the id of the person who answers for it in the place of {OWNER}."]),
        "type: as far as traffic tells; model, agent, dataset or pipeline.",
        "versions: take out those that should not serve; what each is approved for is not known (`approvals`).",
        *left_out,
        *([f"use_cases: {len(uses) - _MOST_USE_CASES} more were seen."] if len(uses) > _MOST_USE_CASES else []),
    ]
    return "".join(f"# {on_one_line(line)}\n" for line in said) + yaml_text([document])


def _versions(seen: Iterable[SeenVersion]) -> tuple[list[dict[str, str]], list[str]]:
    """One entry a version, with the configuration that it was seen with last; and what of it is left out."""
    found: dict[str, dict[str, str]] = {}
    left_out = []
    for one in sorted(seen, key=lambda one: (-one.last_seen, one.version, one.config_digest or "")):
        if not _is(VersionText, one.version):
            if one.version:
                left_out.append(f"versions: {one.version!r} was seen, which no document can name.")
        elif one.version in found:
            if one.config_digest not in (None, found[one.version].get("config_digest")):
                left_out.append(f"versions: {one.version} was seen with configuration {one.config_digest} too.")
        else:
            known = one.config_digest is not None and _is(VersionText, one.config_digest)
            found[one.version] = {"version": one.version} | ({"config_digest": str(one.config_digest)} if known else {})
    kept = list(found.values())[:_MOST_VERSIONS]
    if len(found) > len(kept):
        left_out.append(f"versions: {len(found) - len(kept)} older ones were seen too.")
    return kept, left_out[:_MOST_VERSIONS]


def _is(kind: Any, text: str) -> bool:
    try:
        TypeAdapter(kind).validate_python(text)
        text.encode()
    except (ValidationError, UnicodeEncodeError):
        return False
    return True
