"""The tree of an expression, and its canonical text.

Untyped: what a name stands for depends on the record type and is settled in `seamwatch.expressions.resolving`.
Numbers are IEEE 754 doubles, but for whole numbers of 2^53 and beyond, which are exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final, Literal

EXACT: Final = 2**53
"""Below this a double holds every whole number."""

ComparisonOperator = Literal["=", "<>", "<", "<=", ">", ">="]
ArithmeticOperator = Literal["+", "-", "*", "/"]


@dataclass(frozen=True, slots=True)
class Text:
    """A text literal."""

    value: str


@dataclass(frozen=True, slots=True, eq=False)
class Number:
    """A number literal: an int when it is written as a whole number of `EXACT` or beyond, else a float.

    An int and a float are never equal, as their values may be: one is compared exactly, the other is not, and what
    is kept by trees (`shapes.shape_of`) must not take one for the other.
    """

    value: float | int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and self.value == other.value and type(self.value) is type(other.value)

    def __hash__(self) -> int:
        return hash((self.value, type(self.value)))


@dataclass(frozen=True, slots=True)
class Truth:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True, slots=True)
class Name:
    """A field (``("score",)``), or what is reached inside one (``("arguments", "amount")``)."""

    path: tuple[str, ...]

    @property
    def text(self) -> str:
        """The path with dots, without quotes."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two numbers added, subtracted, multiplied or divided."""

    operator: ArithmeticOperator
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values compared."""

    operator: ComparisonOperator
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether a value is one of some literals, which are all of one kind."""

    operand: Node
    values: tuple[Text, ...] | tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """Whether a text matches a pattern, in which % is any run of characters and _ any one."""

    operand: Node
    pattern: str


@dataclass(frozen=True, slots=True)
class IsNull:
    """Whether a value is NULL; never NULL itself."""

    operand: Node


@dataclass(frozen=True, slots=True)
class IsTruth:
    """Whether a condition is TRUE (or FALSE); never NULL itself."""

    operand: Node
    value: bool


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; NULL stays NULL."""

    operand: Node


@dataclass(frozen=True, slots=True)
class And:
    """All hold: FALSE when any is FALSE, else NULL when any is NULL."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any holds: TRUE when any is TRUE, else NULL when any is NULL."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the documented list."""

    function: str
    arguments: tuple[Node, ...]


Node = (
    Text
    | Number
    | Truth
    | Name
    | Arithmetic
    | Comparison
    | Membership
    | Like
    | IsNull
    | IsTruth
    | Not
    | And
    | Or
    | Call
)


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below."""
    for field in fields(node):
        value = getattr(node, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Node):
                yield item


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    waiting: list[Node] = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(children(current))


# How tightly each form binds; what binds less tightly than its place asks for is put in parentheses.
_OR, _AND, _NOT, _CONDITION, _SUM, _PRODUCT, _ATOM = range(7)
_LEVELS: dict[type[Node], int] = {
    Or: _OR,
    And: _AND,
    Not: _NOT,
    Comparison: _CONDITION,
    Membership: _CONDITION,
    Like: _CONDITION,
    IsNull: _CONDITION,
    IsTruth: _CONDITION,
}
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def canonical(node: Node) -> str:  # noqa: C901  one line a form
    """The one text of a tree; parsing it gives the tree again."""
    match node:
        case Text(value):
            return _quoted(value)
        case Number(value):
            return number_text(value)
        case Truth(value):
            return "TRUE" if value else "FALSE"
        case Name(path):
            return ".".join(_identifier(part) for part in path)
        case Arithmetic(operator, left, right):
            level = _level(node)
            return f"{_at(left, level)} {operator} {_at(right, level + 1)}"
        case Comparison(operator, left, right):
            return f"{_at(left, _SUM)} {operator} {_at(right, _SUM)}"
        case Membership(operand, values):
            return f"{_at(operand, _SUM)} IN ({', '.join(canonical(v) for v in values)})"
        case Like(operand, pattern):
            return f"{_at(operand, _SUM)} LIKE {_quoted(pattern)}"
        case IsNull(operand):
            return f"{_at(operand, _SUM)} IS NULL"
        case IsTruth(operand, value):
            return f"{_at(operand, _SUM)} IS {'TRUE' if value else 'FALSE'}"
        case Not(IsNull(operand)):
            return f"{_at(operand, _SUM)} IS NOT NULL"
        case Not(IsTruth(operand, value)):
            return f"{_at(operand, _SUM)} IS NOT {'TRUE' if value else 'FALSE'}"
        case Not(Membership(operand, values)):
            return f"{_at(operand, _SUM)} NOT IN ({', '.join(canonical(v) for v in values)})"
        case Not(operand):
            return f"NOT {_at(operand, _ATOM)}"
        case And(operands):
            return " AND ".join(_at(o, _NOT) for o in operands)
        case Or(operands):
            return " OR ".join(_at(o, _AND) for o in operands)
        case Call(function, arguments):
            return f"{function}({', '.join(canonical(a) for a in arguments)})"


def _at(node: Node, level: int) -> str:
    text = canonical(node)
    return text if _level(node) >= level else f"({text})"


def _level(node: Node) -> int:
    if isinstance(node, Arithmetic):
        return _SUM if node.operator in ("+", "-") else _PRODUCT
    return _LEVELS.get(type(node), _ATOM)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _identifier(part: str) -> str:
    return part if _PLAIN_NAME.fullmatch(part) else '"' + part.replace('"', '""') + '"'


def number_text(value: float) -> str:
    """The shortest text that reads back as the same number; whole ones below `EXACT` without a point."""
    if value == int(value) and abs(value) < EXACT:
        return str(int(value))
    return repr(value)


def conjunction(operands: tuple[Node, ...]) -> Node:
    """All of the operands, without an And inside an And; TRUE for none."""
    flat = tuple(part for o in operands for part in (o.operands if isinstance(o, And) else (o,)))
    return flat[0] if len(flat) == 1 else And(flat) if flat else Truth(True)


def disjunction(operands: tuple[Node, ...]) -> Node:
    """Any of the operands, without an Or inside an Or; FALSE for none."""
    flat = tuple(part for o in operands for part in (o.operands if isinstance(o, Or) else (o,)))
    return flat[0] if len(flat) == 1 else Or(flat) if flat else Truth(False)
