"""Publishing: documents as messages of the contracts topic, and the estate that such messages say.

Key ``Contract/<id>@<version>``, ``System/<id>`` or ``Person/<id>``; value JSON ``{"document", "digest",
"published_at"}``; no value retires. Bytes only; the topic is read and written by `streams`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from seamwatch.documents.canonical import canonical_json, digest_of
from seamwatch.documents.contract import Contract
from seamwatch.documents.estate import Estate
from seamwatch.documents.loading import DOCUMENT_KINDS
from seamwatch.documents.models import Document, Person, System
from seamwatch.documents.terms import terms_of


def published(documents: Iterable[Document], at: int) -> list[tuple[str, bytes]]:
    """Key and value of each document, as published at ``at`` (micros)."""
    return [(d.key, canonical_json({"document": d.written, "digest": d.digest, "published_at": at})) for d in documents]


def documents_of(estate: Estate) -> tuple[Document, ...]:
    """Every document of an estate: persons first, then systems, then contracts."""
    return (*estate.persons.values(), *estate.systems.values(), *estate.contracts)


def estate_of(messages: Iterable[tuple[str, bytes | None]]) -> Estate:
    """The estate that messages say, in their order. What cannot be read is left out and named in ``problems``."""
    latest: dict[str, bytes] = {}
    for key, value in messages:
        latest.pop(key, None)
        if value is not None:
            latest[key] = value
    documents: list[tuple[Document, int]] = []
    problems: list[str] = []
    for key, value in latest.items():
        try:
            documents.append(_read(key, value))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            problems.append(f"published document {key!r} cannot be used: {_brief(error)}")
    return Estate(
        MappingProxyType({d.id: d for d, _ in documents if isinstance(d, Person)}),
        MappingProxyType({d.id: d for d, _ in documents if isinstance(d, System)}),
        tuple(terms_of((d, at) for d, at in documents if isinstance(d, Contract))),
        tuple(problems),
    )


def _read(key: str, value: bytes) -> tuple[Document, int]:
    message: Any = json.loads(value)
    content = message["document"]
    if digest_of(content) != message["digest"]:
        raise ValueError("its digest is not that of its content")
    document = DOCUMENT_KINDS[content["kind"]].model_validate(content)
    if document.key != key:
        raise ValueError(f"its content is that of {document.key!r}")
    return document, int(message["published_at"])


def _brief(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__} {error}"
