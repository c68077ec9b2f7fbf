"""Publishing: documents as messages of the contracts topic, and the estate that such messages say.

Key ``Contract/<id>@<version>``, ``RiskPolicy/<id>@<version>``, ``System/<id>``, ``Person/<id>`` or ``Rota/<id>``; value
JSON ``{"document", "digest", "published_at"}``, with ``"signatures"`` where somebody signed; no value retires. Of a
version the first text that was published holds: what was judged by it stays as it was agreed, and another text needs
another version. Bytes only; the topic is read and written by `streams`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from seamwatch.collector import unhurried_collector
from seamwatch.documents.canonical import canonical_json, digest_of
from seamwatch.documents.contract import Contract
from seamwatch.documents.estate import Estate
from seamwatch.documents.following import is_signable, unsigned_by, unvouched, unvouched_rota
from seamwatch.documents.loading import DOCUMENT_KINDS
from seamwatch.documents.models import Document, Person, System
from seamwatch.documents.problems import Problem
from seamwatch.documents.references import Read
from seamwatch.documents.risk_policy import RiskPolicy
from seamwatch.documents.rota import Rota
from seamwatch.documents.signing import VERSIONED, SignatureLine, published_signatures, written_signatures
from seamwatch.documents.terms import policy_terms_of, terms_of
from seamwatch.instants import format_instant

_REQUIRED: Final = "SEAMWATCH_SIGNED=required"


@dataclass(frozen=True, slots=True)
class First:
    """The text that was published first under an id and version: its digest, and when (micros)."""

    digest: str
    at: int


def published(
    documents: Iterable[Document], at: int, signatures: Mapping[str, Sequence[SignatureLine]] = MappingProxyType({})
) -> list[tuple[str, bytes]]:
    """Key and value of each document, as published at ``at`` (micros) with the signatures under it, by its key."""
    return [(d.key, canonical_json(_message(d, at, signatures.get(d.key, ())))) for d in documents]


def _message(document: Document, at: int, signatures: Sequence[SignatureLine]) -> dict[str, Any]:
    said = {"document": document.written, "digest": document.digest, "published_at": at}
    return said | {"signatures": written_signatures(signatures)} if signatures else said


def documents_of(estate: Estate) -> tuple[Document, ...]:
    """Every document of an estate: persons first, then systems, rotas, contracts and risk policies."""
    policies = (term.policy for term in estate.policies)
    return (
        *estate.persons.values(), *estate.systems.values(), *estate.rotas.values(), *estate.contracts, *policies
    )  # fmt: skip


def estate_of(messages: Iterable[tuple[str, bytes | None]]) -> Estate:
    """The estate that messages say, in their order. What cannot be read is left out and named in ``problems``."""
    said = Published()
    with unhurried_collector():
        for key, value in messages:
            said.take(key, value)
    return said.estate()


def rewritten(reads: Sequence[Read], first: Mapping[str, First]) -> Iterator[Problem]:
    """The versions of a folder that say something else than was published under the same kind, id and version."""
    for read in reads:
        if isinstance(read.document, Contract | RiskPolicy):
            known = first.get(read.document.key)
            if known is not None and known.digest != read.document.digest:
                yield read.error(
                    ("version",),
                    f"version {read.document.version!r} of {VERSIONED[read.kind]} {read.document.id!r} was published "
                    f"with another text at {format_instant(known.at)[:19]}Z, which what was judged is held to: give "
                    "what is agreed anew another version",
                )


class Published:
    """What the messages of the contracts topic say, taken one after another; each is read once."""

    def __init__(self, *, required: bool = False) -> None:
        """``required``: what is not signed by all who must is held back, and what was there before stays in force."""
        self._required = required
        self._documents: dict[str, tuple[Document, int]] = {}
        self._signatures: dict[str, tuple[SignatureLine, ...]] = {}
        self._problems: dict[str, str] = {}
        self._rewritten: dict[str, str] = {}
        self._first: dict[str, First] = {}
        self._held: dict[str, str] = {}
        self._unsigned: dict[str, str] = {}
        self._withdrawn: dict[str, Person | Rota] = {}

    def __copy__(self) -> Published:
        other = Published(required=self._required)
        for name in (
            "_documents",
            "_signatures",
            "_problems",
            "_rewritten",
            "_first",
            "_held",
            "_unsigned",
            "_withdrawn",
        ):
            setattr(other, name, dict(getattr(self, name)))
        return other

    @property
    def first(self) -> Mapping[str, First]:
        """By key, the text that was published first of each version, withdrawn ones among them."""
        return MappingProxyType(self._first)

    @property
    def held(self) -> Mapping[str, str]:
        """By key, why a person's or rota's last message is not followed: what was there before is in force still."""
        return MappingProxyType(self._held)

    @property
    def unsigned(self) -> Mapping[str, str]:
        """By key, what changed of a person or rota that is followed although nobody vouched for it."""
        return MappingProxyType(self._unsigned)

    @property
    def rewritten(self) -> frozenset[str]:
        """The keys of versions of which the last message says another text than the first."""
        return frozenset(self._rewritten)

    def document(self, key: str) -> Document | None:
        """What is published under a key and can be used."""
        known = self._documents.get(key)
        return None if known is None else known[0]

    def digest_of(self, key: str) -> str | None:
        """The digest of what is published under a key and can be used."""
        known = self._documents.get(key)
        return None if known is None else known[0].digest

    def published_at(self, key: str) -> int | None:
        """When what is published under a key, and can be used, was published as it is (micros)."""
        known = self._documents.get(key)
        return None if known is None else known[1]

    def signatures_of(self, key: str) -> tuple[SignatureLine, ...]:
        """The signatures that are published with it."""
        return self._signatures.get(key, ())

    def take(self, key: str, value: bytes | None) -> None:
        """Take the next message."""
        if value is None:
            if isinstance(before := self.document(key), Person | Rota):
                self._withdrawn[key] = before
            for known in (
                self._documents, self._signatures, self._problems, self._rewritten, self._held, self._unsigned
            ):  # fmt: skip
                known.pop(key, None)
            return
        try:
            document, digest, at, signatures = _read(key, value)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self._problems[key] = f"published document {key!r} cannot be used: {_brief(error)}"
            # Of a version the first text holds, and nobody is to vanish by a message that nobody can have signed.
            if not (self._required or key.partition("/")[0] in VERSIONED):
                self._documents.pop(key, None)
                self._signatures.pop(key, None)
            return
        if document.versioned:
            first = self._first.setdefault(key, First(digest, at))
            if first.digest != digest:
                self._rewritten[key] = (
                    f"{key!r} was published with another text ({digest[:12]}) than at {format_instant(first.at)[:19]}Z "
                    f"({first.digest[:12]}): the first holds; give what is agreed anew another version"
                )
                return
        if isinstance(document, Person | Rota) and not self._is_followed(document, signatures):
            return
        self._problems.pop(key, None)
        self._rewritten.pop(key, None)
        # As published last, so that a document stands where its last message does.
        self._documents.pop(key, None)
        self._documents[key] = document, at
        self._signatures.pop(key, None)
        if signatures:
            self._signatures[key] = signatures

    def estate(self) -> Estate:
        """The estate that they say by now. What is not used, or not followed, is left out and named in ``problems``."""
        known = self._documents.values()
        persons = {d.id: d for d, _ in known if isinstance(d, Person)}
        lacking = dict(self._lacking(persons)) if self._required else {}
        return Estate(
            MappingProxyType(persons),
            MappingProxyType({d.id: d for d, _ in known if isinstance(d, System)}),
            tuple(terms_of((d, at) for d, at in known if isinstance(d, Contract) and d.key not in lacking)),
            (*self._problems.values(), *self._rewritten.values(), *self._held.values(), *lacking.values()),
            MappingProxyType(dict(self._signatures)),
            tuple(policy_terms_of((d, at) for d, at in known if isinstance(d, RiskPolicy) and d.key not in lacking)),
            MappingProxyType({d.id: d for d, _ in known if isinstance(d, Rota)}),
        )

    def _lacking(self, persons: Mapping[str, Person]) -> Iterator[tuple[str, str]]:
        """The versions that not all have signed who must, by the keys of now, and who is missing."""
        for document, _ in self._documents.values():
            if isinstance(document, Contract | RiskPolicy):
                key = document.key
                if missing := unsigned_by(document, self._signatures.get(key, ()), persons):
                    yield key, f"{key!r} is not followed: it is not signed by {', '.join(missing)} ({_REQUIRED})"

    def _is_followed(self, document: Person | Rota, signatures: tuple[SignatureLine, ...]) -> bool:
        """Whether a new version takes the place of the one before; says what is lacking in any case."""
        key = document.key
        self._held.pop(key, None)
        # To withdraw it and publish another is no way round.
        before = self.document(key) or self._withdrawn.get(key)
        if not isinstance(before, Person | Rota) or before.digest == document.digest:
            return True
        persons = self._persons_asked(before)
        if isinstance(before, Rota) and isinstance(document, Rota):
            name, changes = f"rota {document.id}", unvouched_rota(before, document, signatures, persons)
            lacking = f"{before.owner} did not sign it"
            without = f"{before.owner}, who keeps it, has no key to sign that by"
        else:
            assert isinstance(before, Person)
            assert isinstance(document, Person)
            name, changes = document.id, unvouched(before, document, signatures, persons)
            lacking, without = "nobody vouched for it", "there is no key to sign that by"
        self._unsigned.pop(key, None)
        if not is_signable(before, persons):
            self._unsigned[key] = f"{name}: the document changed, and {without}"
            return True
        if not changes:
            return True
        said = f"{name}: {', '.join(changes)}, and {lacking}"
        if self._required:
            self._held[key] = f"{key!r} is not followed: {said} ({_REQUIRED})"
            return False
        self._unsigned[key] = said
        return True

    def _persons_asked(self, before: Person | Rota) -> Mapping[str, Person]:
        """Whoever may sign that a document changes, by id."""
        name = before.owner if isinstance(before, Rota) else before.vouched_by
        person = None if name is None else self.document(f"{Person.kind_name}/{name}")
        return {person.id: person} if isinstance(person, Person) else {}


def _read(key: str, value: bytes) -> tuple[Document, str, int, tuple[SignatureLine, ...]]:
    message: Any = json.loads(value)
    content = message["document"]
    digest = digest_of(content)
    if digest != message["digest"]:
        raise ValueError("its digest is not that of its content")
    document = DOCUMENT_KINDS[content["kind"]].model_validate(content)
    document.__dict__["digest"] = digest  # which would be computed again
    if document.key != key:
        raise ValueError(f"its content is that of {document.key!r}")
    return document, digest, int(message["published_at"]), published_signatures(document, message.get("signatures"))


def _brief(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__} {error}"
