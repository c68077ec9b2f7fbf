"""The typed tree: an expression with every name settled for one record type, ready for any target.

Three kinds of value are left: numbers (doubles), text and booleans, each possibly NULL. Times are numbers of
microseconds. A value inside `arguments` appears once for each kind that its place asks for, and is NULL when the
JSON value is of another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seamwatch.expressions.tree import ArithmeticOperator, ComparisonOperator

ValueKind = Literal["number", "text", "boolean"]


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal."""

    value: float | str | bool


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
    """Whether there is a value inside `arguments` at this path, other than null."""

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
class OneOf:
    """Whether a value is among literals of its kind; NULL when it is NULL."""

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
    """A function of the list, other than array_length, to values of the kinds it takes."""

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
