"""YAML as Kubernetes reads it, as trees of nodes with their lines: tags, aliases and merges of other tools included.

For manifests, which others write: Seamwatch's own documents have a stricter reader (`seamwatch.documents.reading`).
Nothing is resolved to values but the few texts that are asked for, so an unrelated object may hold what it likes; and
nothing that an alias names is copied, so one of many layers costs no more than its text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)
from yaml.reader import ReaderError
from yaml.resolver import Resolver

TEXT: Final = "tag:yaml.org,2002:str"
_MERGE: Final = "<<"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value as it is written; ``is_text`` unless Kubernetes would take it for a number, a truth value or nothing."""

    text: str
    is_text: bool
    line: int


@dataclass(slots=True, eq=False)
class Items:
    """A sequence."""

    line: int
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Pairs:
    """A mapping, each key with its line, in the order of the text; repeated keys and merges as they are written."""

    line: int
    pairs: list[tuple[Scalar, Node]] = field(default_factory=list)

    def all(self) -> Iterator[tuple[Scalar, Node]]:
        """Its pairs, then those that it merges from others and does not have itself."""
        yield from _all(self, set())

    def get(self, key: str) -> Node | None:
        """The value of a key; None where there is none."""
        return next((value for name, value in self.all() if name.text == key), None)


Node = Scalar | Items | Pairs


class NotYaml(Exception):
    """The text is no YAML; ``line`` is where."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def documents(text: str) -> Iterator[Node]:
    """The documents of a text, without the empty ones. Raises NotYaml where it stops being YAML."""
    try:
        yield from _documents(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = " ".join(part for part in (error.context, error.problem) if part)
        raise NotYaml(f"it cannot be read as YAML: {why}", 1 if mark is None else mark.line + 1) from None
    except ReaderError as error:
        line = text.encode().count(b"\n", 0, error.position) + 1
        raise NotYaml(f"it cannot be read as YAML: {error.reason}", line) from None


def _documents(text: str) -> Iterator[Node]:
    # Event by event: the parser's own trees are built by recursion, which ends the process where the text is deep.
    tree = _Tree()
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, DocumentStartEvent):
            tree = _Tree()
        elif isinstance(event, DocumentEndEvent):
            if tree.root is not None and not _is_nothing(tree.root):
                yield tree.root
        elif isinstance(event, CollectionEndEvent):
            tree.end()
        elif isinstance(event, NodeEvent):
            tree.add(event)


class _Tree:
    """One document, built from its events."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._resolver = Resolver()
        self._open: list[tuple[Items | Pairs, list[Scalar]]] = []
        self._anchors: dict[str, Node] = {}

    def add(self, event: NodeEvent) -> None:
        """A node begins, or is named by an alias."""
        if isinstance(event, AliasEvent):
            if event.anchor not in self._anchors:
                line = event.start_mark.line + 1
                raise NotYaml(f"*{event.anchor} names nothing that was said before", line)
            self._place(self._anchors[event.anchor])
            return
        node = self._made(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._place(node)
        if not isinstance(node, Scalar):
            self._open.append((node, []))

    def end(self) -> None:
        """The innermost sequence or mapping is over."""
        self._open.pop()

    def _made(self, event: NodeEvent) -> Node:
        line = event.start_mark.line + 1
        if isinstance(event, ScalarEvent):
            return Scalar(event.value, _is_text(self._resolver, event), line)
        return Items(line) if isinstance(event, SequenceStartEvent) else Pairs(line)

    def _place(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        holder, key = self._open[-1]
        if isinstance(holder, Items):
            holder.items.append(node)
        elif key:
            holder.pairs.append((key.pop(), node))
        else:
            # A key that is no scalar is none of ours; its value is looked into all the same.
            key.append(node if isinstance(node, Scalar) else Scalar("", is_text=False, line=node.line))


def _is_nothing(node: Node) -> bool:
    return isinstance(node, Scalar) and not node.is_text


def _is_text(resolver: Resolver, event: ScalarEvent) -> bool:
    if event.tag is not None and event.tag != "!":
        return bool(event.tag == TEXT)
    return bool(resolver.resolve(yaml.ScalarNode, event.value, event.implicit) == TEXT)


def _all(node: Pairs, seen: set[str]) -> Iterator[tuple[Scalar, Node]]:
    merged: list[Pairs] = []
    for key, value in node.pairs:
        if key.text == _MERGE:
            merged += [
                part for part in (value.items if isinstance(value, Items) else [value]) if isinstance(part, Pairs)
            ]
        else:
            yield key, value
    seen = seen | {key.text for key, _ in node.pairs}
    for part in merged:
        if part is not node:
            for key, value in _all(part, seen):
                if key.text not in seen:
                    seen.add(key.text)
                    yield key, value
