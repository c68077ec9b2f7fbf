"""Shapes: what expressions that differ by their literals alone have in common: a tree with stand-ins for these.

Thousands of contracts say the same with other limits: the grammar sees each shape once, a record type's fields are
looked up once, and the stages compute all of them in one pass (`streams.measure.program`). Plain numbers below 2^53
stand aside, of which no meaning depends on the value; literals of IN stay, for their number is part of the form, and so
does text, which may be a time, but where it is known to be none (`compared_text`).
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
    Text,
    canonical,
    number_text,
    walk,
)

Given = float | str
"""A literal that stands aside."""

FIRST: Final = 9_000_000_000_000_000
_MOST: Final = 1_000_000
"""Stand-ins are the whole numbers of sixteen digits from the first on: as doubles they are exact."""

_MARK: Final = "\udfff"
"""Begins a stand-in for a text: half a surrogate pair, which no document can hold."""

# Text in quotes and names are passed over, so that what is left are numbers, each whole.
_WORDS: Final = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_]\w*|((?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?[\w.]*)"""
)
_PLAIN: Final = re.compile(r"\d{1,14}(?:\.\d{1,14})?")
_PARTS: Final = MappingProxyType({form: tuple(part.name for part in fields(form)) for form in get_args(Node)})
_STAND_IN: Final = re.compile(r"9000000000(\d{6})|'\udfff(\d+)'")


class Shape:
    """A tree with stand-ins for ``count`` literals. Shapes are one where they are the same object."""

    def __init__(self, tree: Node, count: int) -> None:
        """Use `shape_of` and the functions below, which make each shape once."""
        self.tree: Final = tree
        self.count: Final = count

    @cached_property
    def ambiguous(self) -> bool:
        """Whether a number that somebody wrote looks as a stand-in does: nothing around it may stand apart."""
        return not self.count and _looks_parted(self.tree)

    @cached_property
    def names(self) -> frozenset[Name]:
        """The names it reads."""
        return frozenset(node for node in walk(self.tree) if isinstance(node, Name))

    def with_literals(self, literals: tuple[Given, ...]) -> Node:
        """The tree of the expression with these literals."""
        if not self.count:
            return self.tree
        tree: Node = _replaced(self.tree, lambda place, _: literals[place])
        return tree

    def text(self, literals: tuple[Given, ...]) -> str:
        """Its canonical text."""
        pieces, order = self._said
        texts = [canonical(Text(given)) if isinstance(given, str) else number_text(given) for given in literals]
        return "".join([pieces[0], *(texts[place] + piece for place, piece in zip(order, pieces[1:], strict=True))])

    @cached_property
    def _said(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        text = canonical(self.tree)
        found = list(_STAND_IN.finditer(text)) if self.count else []
        ends = [0, *(match.end() for match in found)]
        starts = [*(match.start() for match in found), len(text)]
        pieces = tuple(text[end:start] for end, start in zip(ends, starts, strict=True))
        return pieces, tuple(int(match[1] or match[2]) for match in found)


def numbers_of(text: str) -> tuple[str, tuple[float, ...]] | None:
    """A text with stand-ins in the places of its plain numbers, and these; None for a text that has none.

    None too where somebody wrote a number that looks as a stand-in does, in whatever way.
    """
    numbers: list[float] = []
    if any(_is_stand_in(match[1]) for match in _WORDS.finditer(text) if match[1] is not None):
        return None

    def stand_in(match: re.Match[str]) -> str:
        # Behind a minus a zero is still written 0.
        if match[1] is None or not _PLAIN.fullmatch(match[1]) or not float(match[1]):
            return match[0]
        numbers.append(float(match[1]))
        return str(FIRST + len(numbers) - 1)

    shaped = _WORDS.sub(stand_in, text)
    return (shaped, tuple(numbers)) if numbers else None


def apart(tree: Node) -> tuple[Shape, tuple[float, ...]]:
    """The shape of a tree and its plain numbers, in the order of the tree."""
    if _looks_parted(tree):
        return shape_of(tree, 0), ()
    numbers: list[float] = []
    shaped = _parted(tree, numbers)
    return shape_of(shaped, len(numbers)), tuple(numbers)


@lru_cache(maxsize=16_384)
def shape_of(tree: Node, count: int) -> Shape:
    """The one shape that a tree with stand-ins for so many literals is."""
    return Shape(tree, count)


@lru_cache(maxsize=16_384)
def joined(build: Callable[[tuple[Node, ...]], Node], parts: tuple[Shape, ...]) -> Shape:
    """The shape of what is built of others; its literals are theirs, one after another."""
    starts = [0, *accumulate(part.count for part in parts)]
    trees = tuple(_shifted(part, start) for part, start in zip(parts, starts, strict=False))
    return shape_of(build(trees), starts[-1])


@lru_cache(maxsize=16_384)
def compared(operator: ComparisonOperator, value: Shape) -> Shape:
    """The shape of a value compared with a number, which comes last."""
    return shape_of(Comparison(operator, value.tree, Number(float(FIRST + value.count))), value.count + 1)


@lru_cache(maxsize=16_384)
def compared_text(value: Shape) -> Shape:
    """The shape of a value that equals a text, which comes last; the value is one of text."""
    return shape_of(Comparison("=", value.tree, Text(f"{_MARK}{value.count}")), value.count + 1)


def place_of(value: Any) -> int | None:
    """Which literal a value stands for (the negative of one for its negative); None when it is no stand-in."""
    if isinstance(value, str):
        return int(value[1:]) if value[:1] == _MARK else None
    if not isinstance(value, float) or not FIRST <= abs(value) < FIRST + _MOST:
        return None
    return int(abs(value)) - FIRST


def _is_stand_in(number: str) -> bool:
    try:
        return place_of(float(number)) is not None
    except ValueError:
        return False  # the grammar says what is wrong with it


def _looks_parted(tree: Node) -> bool:
    return any(place_of(node.value) is not None for node in walk(tree) if isinstance(node, Number | Text))


def _shifted(part: Shape, start: int) -> Node:
    if not start or not part.count:
        return part.tree

    def later(place: int, stand_in: Given) -> Given:
        return f"{_MARK}{start + place}" if isinstance(stand_in, str) else float(FIRST + start + place)

    tree: Node = _replaced(part.tree, later)
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


def _replaced(node: Node, given: Callable[[int, Given], Given]) -> Any:
    if isinstance(node, Number | Text):
        place = place_of(node.value)
        if place is None:
            return node
        if isinstance(node, Text):
            return Text(str(given(place, node.value)))
        number = given(place, node.value)
        assert isinstance(number, float)
        return Number(number if node.value > 0 else -number)
    return _with_parts(node, lambda part: _replaced(part, given))


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
