"""Slipping: what NULL slips past, of a condition that denies something and does not ask whether it is given.

For those who write contracts. Looks at conditions only; what a clause makes of NULL is the clause's.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from seamwatch.expressions import typed
from seamwatch.expressions.doubts import named
from seamwatch.expressions.expression import Expression
from seamwatch.expressions.possible import fields_of, may_be_null, typed_of, value_of
from seamwatch.expressions.shapes import Shape


def passing(condition: Expression, record_type: str) -> tuple[str, ...]:
    """The values that a condition denies something of, by `<>` or NOT, and never asks whether they are given.

    Where such a value is absent the condition is NULL, though its author may have taken it for TRUE.
    """
    return _passing(condition.shape, record_type)


@lru_cache(maxsize=4096)
def _passing(shape: Shape, record_type: str) -> tuple[str, ...]:
    node, known = typed_of(shape, record_type), fields_of(record_type)
    asked = {value_of(term) for term in _asked_for(node)}
    denied = [term for term in _denied(node, value=True) if value_of(term) not in asked and may_be_null(term, known)]
    return tuple(dict.fromkeys(named(term) for term in denied))


def _asked_for(node: typed.Typed) -> Iterator[typed.Typed]:
    """The values of which a condition asks whether they are given, or takes what is absent into account."""
    for inner in typed.walk(node):
        match inner:
            case typed.Unknown(operand):
                yield from typed.walk(operand)
            case typed.ArgumentGiven():
                yield inner
            case typed.Is() | typed.Apply("coalesce" | "least" | "greatest", _):
                yield from typed.walk(inner)


def _denied(node: typed.Typed, *, value: bool) -> Iterator[typed.Typed]:
    match node:
        case typed.Opposite(operand):
            yield from _denied(operand, value=not value)
        case typed.Every(operands) | typed.Some(operands) | typed.Either(operands):
            for operand in operands:
                yield from _denied(operand, value=value)
        case typed.Compare("=" | "<>" as operator, _, _) | typed.CompareWhole("=" | "<>" as operator, _, _):
            if value is (operator == "<>"):
                yield from _read(node)
        case typed.Compare() | typed.CompareWhole() | typed.OneOf() | typed.Matches() | typed.Apply() | typed.Column():
            if not value:
                yield from _read(node)


def _read(node: typed.Typed) -> Iterator[typed.Typed]:
    reads = (typed.Column, typed.Attribute, typed.Argument, typed.ListLength, typed.ArgumentLength)
    return (inner for inner in typed.walk(node) if isinstance(inner, reads))
