"""The typed tree: an expression with every name settled for one record type, ready for any target.

Three kinds of value are left: numbers, text and booleans, each possibly NULL. Times are numbers of microseconds. A
value inside `arguments` appears once for each kind that its place asks for, and is NULL when the JSON value is of
another.

NULL has two reasons. A value is *absent* where nothing is given, and *odd* where something is given that cannot be
used: of another kind, too large to be exact, or inside arguments that cannot be read. A form is odd when it is NULL
and anything that makes it so is odd; the Python and the polars targets tell the two apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

from seamwatch.expressions.tree import ArithmeticOperator, ComparisonOperator

ValueKind = Literal["number", "text", "boolean"]


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A literal; whole numbers of 2^53 and beyond are int, all others float. Of different types none are equal."""

    value: float | int | str | bool

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and self.value == other.value and type(self.value) is type(other.value)

    def __hash__(self) -> int:
        return hash((self.value, type(self.value)))


@dataclass(frozen=True, slots=True)
class Column:
    """A field. ``stored`` is its form on the wire, which the targets read differently."""

    name: str
    kind: ValueKind
    stored: Literal["double", "long", "time", "text", "enum", "boolean"]


@dataclass(frozen=True, slots=True)
class Argument:
    """A value inside `arguments` if it is of this kind, else NULL."""

    path: tuple[str, ...]
    kind: ValueKind


@dataclass(frozen=True, slots=True)
class ArgumentGiven:
    """Whether there is a value inside `arguments` at this path, other than null; NULL when they cannot be read."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArgumentLength:
    """How many items the list at this path inside `arguments` holds; NULL for what is no list."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListLength:
    """How many items a list field holds."""

    name: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """The first attribute of this key, or NULL."""

    key: str


@dataclass(frozen=True, slots=True)
class Compare:
    """Two values of one kind compared; NULL when either is."""

    operator: ComparisonOperator
    left: Typed
    right: Typed


@dataclass(frozen=True, slots=True)
class CompareWhole:
    """Two numbers compared exactly, of which one at least may be a whole number of 2^53 or beyond.

    Odd where they are the same double of 2^53 or beyond, and one was not written as a whole number: which one it was
    cannot be told.
    """

    operator: ComparisonOperator
    left: Typed
    right: Typed


@dataclass(frozen=True, slots=True)
class Either:
    """The first condition that is not NULL: one value compared by each kind that it may be of. Odd when all are."""

    operands: tuple[Typed, ...]


@dataclass(frozen=True, slots=True)
class AsDouble:
    """A number to calculate with; NULL, and odd, at 2^53 and beyond, where doubles are no longer exact."""

    operand: Typed


@dataclass(frozen=True, slots=True)
class OneOf:
    """Whether a value is among literals of its kind, numbers below 2^53; NULL when it is NULL."""

    operand: Typed
    values: tuple[str, ...] | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """Whether a text matches a LIKE pattern."""

    operand: Typed
    pattern: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Whether a value is NULL."""

    operand: Typed


@dataclass(frozen=True, slots=True)
class Is:
    """Whether a condition is TRUE (or FALSE); NULL is neither."""

    operand: Typed
    value: bool


@dataclass(frozen=True, slots=True)
class Opposite:
    """Not."""

    operand: Typed


@dataclass(frozen=True, slots=True)
class Every:
    """And."""

    operands: tuple[Typed, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Or."""

    operands: tuple[Typed, ...]


@dataclass(frozen=True, slots=True)
class Compute:
    """Arithmetic; NULL when either side is, or the result is not finite."""

    operator: ArithmeticOperator
    left: Typed
    right: Typed


@dataclass(frozen=True, slots=True)
class Apply:
    """A function of the list, other than array_length, to values of the kinds it takes.

    ``coalesce``, ``least`` and ``greatest`` pass over what is absent; with an operand that is odd they are odd
    (``coalesce`` when no operand before it has a value).
    """

    function: str
    arguments: tuple[Typed, ...]


Typed = (
    Constant
    | Column
    | Argument
    | ArgumentGiven
    | ArgumentLength
    | ListLength
    | Attribute
    | Compare
    | CompareWhole
    | Either
    | AsDouble
    | OneOf
    | Matches
    | Unknown
    | Is
    | Opposite
    | Every
    | Some
    | Compute
    | Apply
)


def children(node: Typed) -> Iterator[Typed]:
    """The nodes directly below."""
    for field in fields(node):
        value = getattr(node, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Typed):
                yield item


def walk(node: Typed) -> Iterator[Typed]:
    """The node and all below it."""
    yield node
    for below in children(node):
        yield from walk(below)
