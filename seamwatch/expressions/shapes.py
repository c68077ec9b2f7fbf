"""Shapes: what expressions that differ by their numbers alone have in common: a tree with stand-ins for the numbers.

Thousands of contracts say the same with other limits: the grammar sees each shape once, a record type's fields are
looked up once, and the stages compute all of them in one pass (`streams.program`). Only plain numbers below 2^53
stand aside, of which no meaning depends on the value; literals of IN stay, for their number is part of the form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace
from functools import cached_property, lru_cache
from itertools import accumulate
from types import MappingProxyType
from typing import Any, Final, get_args

from seamwatch.expressions.tree import (
    Comparison,
    ComparisonOperator,
    Membership,
    Name,
    Node,
    Number,
    canonical,
    number_text,
    walk,
)

FIRST: Final = 9_000_000_000_000_000
_MOST: Final = 1_000_000
"""Stand-ins are the whole numbers of sixteen digits from the first on: as doubles they are exact."""

# Text in quotes and names are passed over, so that what is left are numbers, each whole.
_WORDS: Final = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_]\w*|((?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?[\w.]*)"""
)
_PLAIN: Final = re.compile(r"\d{1,14}(?:\.\d{1,14})?")
_PARTS: Final = MappingProxyType({form: tuple(part.name for part in fields(form)) for form in get_args(Node)})
_STAND_IN: Final = re.compile(r"9000000000\d{6}")


class Shape:
    """A tree with stand-ins for ``count`` numbers. Shapes are one where they are the same object."""

    def __init__(self, tree: Node, count: int) -> None:
        """Use `shape_of` and the functions below, which make each shape once."""
        self.tree: Final = tree
        self.count: Final = count

    @cached_property
    def names(self) -> frozenset[Name]:
        """The names it reads."""
        return frozenset(node for node in walk(self.tree) if isinstance(node, Name))

    def with_numbers(self, numbers: tuple[float, ...]) -> Node:
        """The tree of the expression with these numbers."""
        if not self.count:
            return self.tree
        tree: Node = _replaced(self.tree, lambda place: numbers[place])
        return tree

    def text(self, numbers: tuple[float, ...]) -> str:
        """Its canonical text."""
        pieces, order = self._said
        texts = [number_text(number) for number in numbers]
        return "".join([pieces[0], *(texts[place] + piece for place, piece in zip(order, pieces[1:], strict=True))])

    @cached_property
    def _said(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        text = canonical(self.tree)
        found = list(_STAND_IN.finditer(text)) if self.count else []
        ends = [0, *(match.end() for match in found)]
        starts = [*(match.start() for match in found), len(text)]
        pieces = tuple(text[end:start] for end, start in zip(ends, starts, strict=True))
        return pieces, tuple(int(match.group()) - FIRST for match in found)


def numbers_of(text: str) -> tuple[str, tuple[float, ...]] | None:
    """A text with stand-ins in the places of its plain numbers, and these; None for a text that has none."""
    numbers: list[float] = []

    def stand_in(match: re.Match[str]) -> str:
        # Behind a minus a zero is still written 0.
        if match[1] is None or not _PLAIN.fullmatch(match[1]) or not float(match[1]):
            return match[0]
        numbers.append(float(match[1]))
        return str(FIRST + len(numbers) - 1)

    shaped = _WORDS.sub(stand_in, text)
    if not numbers or str(FIRST)[:10] in text:
        return None
    return shaped, tuple(numbers)


def apart(tree: Node) -> tuple[Shape, tuple[float, ...]]:
    """The shape of a tree and its plain numbers, in the order of the tree."""
    numbers: list[float] = []
    shaped = _parted(tree, numbers)
    return shape_of(shaped, len(numbers)), tuple(numbers)


@lru_cache(maxsize=16_384)
def shape_of(tree: Node, count: int) -> Shape:
    """The one shape that a tree with stand-ins for so many numbers is."""
    return Shape(tree, count)


@lru_cache(maxsize=16_384)
def joined(build: Callable[[tuple[Node, ...]], Node], parts: tuple[Shape, ...]) -> Shape:
    """The shape of what is built of others; its numbers are theirs, one after another."""
    starts = [0, *accumulate(part.count for part in parts)]
    trees = tuple(_shifted(part, start) for part, start in zip(parts, starts, strict=False))
    return shape_of(build(trees), starts[-1])


@lru_cache(maxsize=16_384)
def compared(operator: ComparisonOperator, value: Shape) -> Shape:
    """The shape of a value compared with a number, which comes last."""
    return shape_of(Comparison(operator, value.tree, Number(float(FIRST + value.count))), value.count + 1)


def place_of(value: Any) -> int | None:
    """Which number a literal stands for; None when it is no stand-in. The negative of one stands for its negative."""
    if not isinstance(value, float) or not FIRST <= abs(value) < FIRST + _MOST:
        return None
    return int(abs(value)) - FIRST


def _shifted(part: Shape, start: int) -> Node:
    if not start or not part.count:
        return part.tree
    tree: Node = _replaced(part.tree, lambda place: float(FIRST + start + place))
    return tree


def _parted(node: Node, numbers: list[float]) -> Any:
    if isinstance(node, Number):
        if not isinstance(node.value, float) or abs(node.value) >= FIRST:
            return node
        numbers.append(node.value)
        return Number(float(FIRST + len(numbers) - 1))
    if isinstance(node, Membership):
        operand = _parted(node.operand, numbers)
        return node if operand is node.operand else replace(node, operand=operand)
    return _with_parts(node, lambda part: _parted(part, numbers))


def _replaced(node: Node, number: Callable[[int], float]) -> Any:
    if isinstance(node, Number):
        place = place_of(node.value)
        if place is None:
            return node
        return Number(number(place) if node.value > 0 else -number(place))
    return _with_parts(node, lambda part: _replaced(part, number))


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
