"""Shapes: expressions that differ by their numbers alone, taken for one with stand-ins in the numbers' places.

Thousands of contracts say the same with other limits: the grammar sees each shape once, a record type's fields are
looked up once, and the stages compute all of them in one pass (`streams.program`). Only plain numbers below 2^53
stand aside, of which no meaning depends on the value; literals of IN stay, for their number is part of the form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Final, get_args

from seamwatch.expressions.tree import Membership, Name, Node, Number, canonical, number_text, walk

_FIRST: Final = 9_000_000_000_000_000
_MOST: Final = 1_000_000
"""Stand-ins are the whole numbers of sixteen digits from the first on: as doubles they are exact."""

# Text in quotes and names are passed over, so that what is left are numbers, each whole.
_WORDS: Final = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_]\w*|((?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?[\w.]*)"""
)
_PLAIN: Final = re.compile(r"\d{1,14}(?:\.\d{1,14})?")
_PARTS: Final = MappingProxyType({form: tuple(part.name for part in fields(form)) for form in get_args(Node)})
_STAND_IN: Final = re.compile(r"9000000000\d{6}")


@dataclass(frozen=True, slots=True)
class Shape:
    """What such expressions share: the tree and its canonical text, both with stand-ins, and the names it reads."""

    tree: Node
    said: str
    pieces: tuple[str, ...]
    order: tuple[int, ...]
    names: frozenset[Name]

    @classmethod
    def of(cls, tree: Node) -> Shape:
        """The shape that a tree with stand-ins is."""
        text = canonical(tree)
        found = list(_STAND_IN.finditer(text))
        ends = [0, *(match.end() for match in found)]
        starts = [*(match.start() for match in found), len(text)]
        pieces = tuple(text[end:start] for end, start in zip(ends, starts, strict=True))
        names = frozenset(node for node in walk(tree) if isinstance(node, Name))
        return cls(tree, text, pieces, tuple(int(match.group()) - _FIRST for match in found), names)

    def with_numbers(self, numbers: tuple[float, ...]) -> Node:
        """The tree of the expression with these numbers."""
        tree: Node = _replaced(self.tree, numbers)
        return tree

    def text(self, numbers: tuple[float, ...]) -> str:
        """Its canonical text."""
        texts = [number_text(number) for number in numbers]
        said = [self.pieces[0]]
        for place, piece in zip(self.order, self.pieces[1:], strict=True):
            said += (texts[place], piece)
        return "".join(said)


def numbers_of(text: str) -> tuple[str, tuple[float, ...]] | None:
    """A text with stand-ins in the places of its plain numbers, and these; None for a text that has none."""
    numbers: list[float] = []

    def stand_in(match: re.Match[str]) -> str:
        # Behind a minus a zero is still written 0.
        if match[1] is None or not _PLAIN.fullmatch(match[1]) or not float(match[1]):
            return match[0]
        numbers.append(float(match[1]))
        return str(_FIRST + len(numbers) - 1)

    shaped = _WORDS.sub(stand_in, text)
    if not numbers or str(_FIRST)[:10] in text:
        return None
    return shaped, tuple(numbers)


def apart(tree: Node) -> tuple[Node, tuple[float, ...]]:
    """A tree with stand-ins in the places of its plain numbers, and these, in the order of the tree."""
    numbers: list[float] = []
    return _parted(tree, numbers), tuple(numbers)


def place_of(value: Any) -> int | None:
    """Which number a value stands for; None when it is no stand-in."""
    if not isinstance(value, float) or not _FIRST <= abs(value) < _FIRST + _MOST:
        return None
    return int(abs(value)) - _FIRST


def _parted(node: Node, numbers: list[float]) -> Any:
    if isinstance(node, Number):
        if not isinstance(node.value, float) or not node.value or abs(node.value) >= _FIRST:
            return node
        numbers.append(node.value)
        return Number(float(_FIRST + len(numbers) - 1))
    if isinstance(node, Membership):
        operand = _parted(node.operand, numbers)
        return node if operand is node.operand else replace(node, operand=operand)
    return _with_parts(node, lambda part: _parted(part, numbers))


def _replaced(node: Node, numbers: tuple[float, ...]) -> Any:
    if isinstance(node, Number):
        place = place_of(node.value)
        if place is None:
            return node
        return Number(numbers[place] if node.value > 0 else -numbers[place])
    return _with_parts(node, lambda part: _replaced(part, numbers))


def _with_parts(node: Any, change: Any) -> Any:
    """The node with its parts changed; itself where none changes."""
    changed: dict[str, Any] = {}
    for name in _PARTS[type(node)]:
        value = getattr(node, name)
        if isinstance(value, tuple):
            parts = tuple(change(part) if isinstance(part, Node) else part for part in value)
            if any(part is not before for part, before in zip(parts, value, strict=True)):
                changed[name] = parts
        elif isinstance(value, Node) and (part := change(value)) is not value:
            changed[name] = part
    return replace(node, **changed) if changed else node
