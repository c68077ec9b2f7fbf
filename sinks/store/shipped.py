"""Shipped views: what each file of `sinks/store/views` asks, in an order in which a view comes after those it reads.

A file is named after its view. It begins with a comment that says which question the view answers, and holds one query,
without a semicolon. Text only; it asks no store.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib import resources
from typing import Final

from seamwatch.errors import StoreError

_FILE: Final = re.compile(r"([a-z]\w*)\.sql")
_TEXT: Final = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)
_READ: Final = re.compile(r"\b(?:FROM|JOIN|IN)\s+(\w+)")


@dataclass(frozen=True, slots=True)
class ShippedView:
    """A view that this version ships. ``question`` is its file's first comment line, ``query`` what it asks."""

    name: str
    question: str
    query: str

    @property
    def statement(self) -> str:
        """What makes it, or makes it anew in one step: a reader finds the one before or this one."""
        return f"CREATE OR REPLACE VIEW {self.name} AS\n{self.query}"

    @property
    def digest(self) -> str:
        """SHA-256 of its query, without comments."""
        return hashlib.sha256(self.query.encode()).hexdigest()


@cache
def shipped_views() -> tuple[ShippedView, ...]:
    """Every view there is, each after those it reads. Raises StoreError for a file that is not as it must be."""
    texts = {}
    for file in (resources.files("sinks.store") / "views").iterdir():
        if file.name.endswith(".sql"):
            texts[file.name] = file.read_text(encoding="utf-8")
    return in_order(texts)


def in_order(texts: Mapping[str, str]) -> tuple[ShippedView, ...]:
    """The views of files, given by their names and texts, each after those it reads.

    Raises StoreError for a file that is not as it must be, and for views that read one another in a circle.
    """
    views = {view.name: view for view in (_read(file, text) for file, text in sorted(texts.items()))}
    reads = {name: sorted(read_by(view.query) & views.keys()) for name, view in views.items()}
    try:
        return tuple(views[name] for name in TopologicalSorter(reads).static_order())
    except CycleError as error:
        circle = " → ".join(error.args[1])
        raise StoreError(f"sinks/store/views: views read one another in a circle: {circle}") from error


def read_by(query: str) -> frozenset[str]:
    """The names of tables and views that a query reads."""
    return frozenset(_READ.findall(_TEXT.sub("''", query)))


def _read(file: str, text: str) -> ShippedView:
    name = _FILE.fullmatch(file)
    first, *lines = text.splitlines() or [""]
    question = first.removeprefix("--").strip()
    query = "\n".join(line for line in lines if not line.lstrip().startswith("--")).strip()
    if name is None:
        raise StoreError(f"sinks/store/views/{file}: a view's name is of small letters, digits and _")
    if question == first.strip() or not question:
        raise StoreError(f"sinks/store/views/{file}: its first line must be a comment: the question that it answers")
    if not query.startswith(("SELECT", "WITH")) or ";" in _TEXT.sub("''", query):
        raise StoreError(f"sinks/store/views/{file}: a view's file holds one query, SELECT or WITH, and no semicolon")
    return ShippedView(name[1], question, query)
