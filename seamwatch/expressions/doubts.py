"""Doubts: why a condition is NULL, in words for the person who is told that something cannot be told.

For single records. What counts as absent and as odd is `seamwatch.expressions.typed`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from seamwatch.errors import ArgumentsError
from seamwatch.expressions import typed
from seamwatch.expressions.arguments import UNREADABLE, read_arguments
from seamwatch.expressions.closure import ODD, Row, compiled
from seamwatch.expressions.expression import Expression
from seamwatch.expressions.resolving import resolve

MOST: Final = 3
"""How many reasons are told at most."""
LONGEST: Final = 300
_WANTED: Final = {"number": "a number", "text": "text", "boolean": "true or false"}
_GIVEN: Final[Mapping[type, str]] = {
    bool: "true or false",
    float: "a number",
    int: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}

_Reasons = Callable[[Row], Iterator[str]]


@lru_cache(maxsize=4096)
def doubts(expression: Expression, record_type: str) -> Callable[[Row], str]:
    """A function that says why a condition is NULL for a record: "arguments.amount is text, not a number".

    It gives "" where the condition is not NULL. Raises ExpressionError when it has no meaning for the record type.
    """
    reasons = _reasons(resolve(expression, record_type))

    def said(row: Row) -> str:
        found = list(dict.fromkeys(reasons(row)))
        shown = "; ".join(found[:MOST]) + ("; and more" if len(found) > MOST else "")
        return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"

    return said


def _reasons(node: typed.Typed) -> _Reasons:
    run, own = compiled(node), _own(node)
    below = [(compiled(inner), _reasons(inner)) for inner in _below(node)]

    def reasons(row: Row) -> Iterator[str]:
        value = run(row)
        if value is not None and value is not ODD:
            return
        # What is odd makes odd; else all that is absent is a reason.
        at_fault = [inner for ask, inner in below if ask(row) is value]
        for inner in at_fault:
            yield from inner(row)
        if not at_fault:
            yield own(row)

    return reasons


def _below(node: typed.Typed) -> Iterator[typed.Typed]:
    if isinstance(node, typed.Either):
        return
    yield from typed.children(node)


def _own(node: typed.Typed) -> Callable[[Row], str]:
    """What is said of a node that is NULL though nothing below it is."""
    match node:
        case typed.Argument(path, kind):
            return lambda row: _misfit(row, path, _WANTED[kind])
        case typed.ArgumentLength(path):
            return lambda row: _misfit(row, path, "a list")
        case typed.ArgumentGiven(path):
            return lambda row: _misfit(row, path, "")
        case typed.Either((typed.Compare(_, left, right) | typed.CompareWhole(_, left, right), *_)):
            return lambda row: _unlike(row, left, right)
        case typed.CompareWhole(_, left, right):
            both = _too_large(named(left), named(right))
            return lambda _row: both
        case typed.AsDouble(operand):
            large = f"{named(operand)} is too large to calculate with exactly"
            return lambda _row: large
        case typed.Compute():
            return lambda _row: "a calculation has no result"
        case _:
            absent = f"{named(node)} has no value"
            return lambda _row: absent


def _misfit(row: Row, path: tuple[str, ...], wanted: str) -> str:
    value, name = row.argument(path), _shown(path)
    if value is UNREADABLE:
        return _unreadable(row)
    return f"{name} is absent" if value is None else f"{name} is {_GIVEN[type(value)]}, not {wanted}"


def _unlike(row: Row, left: typed.Typed, right: typed.Typed) -> str:
    """Two values of which neither kind is asked for: why they do not compare."""
    sides: list[tuple[str, str]] = []
    for node in (left, right):
        given = [(path, value) for path in _paths(node) if (value := row.argument(path)) is not None]
        if not given:
            return f"{named(node)} is absent"
        path, value = given[0]
        if value is UNREADABLE:
            return _unreadable(row)
        sides.append((_shown(path), _GIVEN[type(value)]))
    (one, first), (other, second) = sides
    if first == second == "a number":
        return _too_large(one, other)
    return f"{one} is {first} and {other} is {second}"


def _too_large(one: str, other: str) -> str:
    return f"{one} and {other} are too large to be told apart as they are written"


def _unreadable(row: Row) -> str:
    try:
        read_arguments(row.record.get("arguments"))
    except ArgumentsError as error:
        return f"its arguments {error}"
    return "its arguments cannot be read"


def _paths(node: typed.Typed) -> Iterator[tuple[str, ...]]:
    if isinstance(node, typed.Argument):
        yield node.path
    for inner in _below(node):
        yield from _paths(inner)


def named(node: typed.Typed) -> str:
    """A value as an author names it, such as ``arguments.amount``."""
    match node:
        case typed.Argument(path) | typed.ArgumentLength(path) | typed.ArgumentGiven(path):
            return _shown(path)
        case typed.Column(name) | typed.ListLength(name):
            return name
        case typed.Attribute(key):
            return f"attributes.{key}"
        case typed.Constant(value):
            return str(value)
        case _:
            paths = [_shown(path) for path in _paths(node)]
            return " or ".join(dict.fromkeys(paths)) or "something"


def _shown(path: tuple[str, ...]) -> str:
    return ".".join(("arguments", *path))
