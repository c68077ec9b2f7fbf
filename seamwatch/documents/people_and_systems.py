"""Differences of persons, systems, rotas and risk policies between two states: keys, owners, digests, approvals, tiers.

A key or an approval decides who binds whom, as a clause does. Pure: nothing is read, and nothing is judged; whether a
key may change is `seamwatch.documents.vouching`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from seamwatch.documents.models import Document, Person, System, Version
from seamwatch.documents.risk_policy import RiskPolicy
from seamwatch.documents.rota import Rota

What = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Part:
    """One thing in a document that came, went or differs, as its author wrote it; None where it is not written."""

    name: str
    what: What
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True)
class DocumentDifference:
    """A person, system, rota or policy that came, went or differs; without ``parts`` it is only written differently."""

    key: str
    what: What
    parts: tuple[Part, ...] = ()


def document_differences(old: Iterable[Document], new: Iterable[Document]) -> tuple[DocumentDifference, ...]:
    """Every person, system, rota and policy that is not the same in both, by key; of equal digest they are the same."""
    before, after = ({d.key: d for d in documents} for documents in (old, new))
    return tuple(_differences(before, after))


def _differences(before: Mapping[str, Document], after: Mapping[str, Document]) -> Iterator[DocumentDifference]:
    for key in sorted({*before, *after}):
        was, now = before.get(key), after.get(key)
        if was is None or now is None:
            yield DocumentDifference(key, "added" if was is None else "removed")
        elif was.digest != now.digest:
            yield DocumentDifference(key, "changed", tuple(_parts(was, now)))


def _parts(before: Document, after: Document) -> Iterator[Part]:
    match before, after:
        case Person(), Person():
            yield from _fields(before, after, before.written, after.written, without=("keys", "channels"))
            if before.channels != after.channels:  # which may hold what is secret
                yield Part("channels", "changed", _counted(before), _counted(after))
            yield from _listed("key", ("key_id",), before, after, "keys", before.written, after.written)
        case System(), System():
            yield from _fields(before, after, before.written, after.written, without=("versions",))
            yield from _listed("version", ("version",), before, after, "versions", before.written, after.written)
        case RiskPolicy(), RiskPolicy():
            yield from _fields(before, after, before.written, after.written, without=("tiers",))
            yield from _listed("tier", ("tier",), before, after, "tiers", before.written, after.written)
        case Rota(), Rota():
            yield from _fields(before, after, before.written, after.written, without=("instead",))
            if _in_same_order(before, after):
                named = ("since", "to", "person")
                yield from _listed("instead", named, before, after, "instead", before.written, after.written)
            else:
                yield Part("instead", "changed", before.written.get("instead"), after.written.get("instead"))


def _in_same_order(before: Rota, after: Rota) -> bool:
    """Whether who stands in can be compared one by one: of several for the same time the last one holds."""
    old, new = ([(each.since, each.to, each.person) for each in rota.instead] for rota in (before, after))
    both = {*old} & {*new}
    apart = len({*old}) == len(old) and len({*new}) == len(new)
    return apart and [name for name in old if name in both] == [name for name in new if name in both]


def _counted(person: Person) -> str:
    return f"{len(person.channels)} addresses"


def _fields(
    before: BaseModel,
    after: BaseModel,
    was: Mapping[str, Any],
    now: Mapping[str, Any],
    *,
    without: tuple[str, ...],
    of: str = "",
) -> Iterator[Part]:
    for name in type(after).model_fields:
        if name not in without and getattr(before, name) != getattr(after, name):
            yield Part(f"{of}{name}", "changed", was.get(name), now.get(name))


def _listed(
    word: str,
    by: tuple[str, ...],
    before: BaseModel,
    after: BaseModel,
    field: str,
    was: Mapping[str, Any],
    now: Mapping[str, Any],
    of: str = "",
) -> Iterator[Part]:
    """Items of a list that are known by name: keys, versions, and the approvals below a version."""
    old, new = (_named(holder, field, by, written) for holder, written in ((before, was), (after, now)))
    for name in dict.fromkeys((*old, *new)):
        text = f"{of}{word} {' '.join(name)}"
        if name not in new:
            yield Part(text, "removed", old[name][1])
        elif name not in old:
            yield Part(text, "added", None, new[name][1])
        else:
            (item, said), (other, says) = old[name], new[name]
            nested = isinstance(item, Version)
            yield from _fields(item, other, said, says, without=("approvals",) if nested else (), of=f"{text}: ")
            if nested:
                yield from _listed(
                    "approval", ("id", "use_case"), item, other, "approvals", said, says, of=f"{text}: "
                )  # fmt: skip


def _named(
    holder: BaseModel, field: str, by: tuple[str, ...], written: Mapping[str, Any]
) -> dict[tuple[str, ...], tuple[BaseModel, Mapping[str, Any]]]:
    items = zip(getattr(holder, field), written.get(field) or (), strict=True)
    return {tuple(str(getattr(item, name)) for name in by): (item, said) for item, said in items}
