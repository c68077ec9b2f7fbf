"""Builders: expressions put together from parts by clauses, as trees; no text is ever spliced.

What they build may be longer than a contract's text may be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from seamwatch.expressions import tree
from seamwatch.expressions.expression import Expression
from seamwatch.expressions.shapes import FIRST, compared, compared_text, joined

_FREE: Final = frozenset({"authorisation", "cohort", "config_digest", "tool", "use_case", "version"})
"""Fields that are any text in every record type: what they are compared with may stand aside (`shapes`)."""


_FEW: Final = 8


def always() -> Expression:
    """TRUE."""
    return _joined(tree.conjunction)


def all_of(*expressions: Expression) -> Expression:
    """All hold; TRUE for none."""
    return _joined(tree.conjunction, *expressions)


def any_of(*expressions: Expression) -> Expression:
    """Any holds; FALSE for none."""
    return _joined(tree.disjunction, *expressions)


def negate(expression: Expression) -> Expression:
    """The opposite; NULL stays NULL."""
    return _joined(_not, expression)


def not_true(expression: Expression) -> Expression:
    """TRUE when the expression is FALSE or NULL; never NULL."""
    return _joined(_not_true, expression)


def equals(field: str, value: str | float | bool | None, *, free: bool = False) -> Expression:
    """The field equals a literal; for None, that it is NULL. ``free``: the field is any text where this is asked."""
    if value is None:
        return is_null(field)
    if isinstance(value, str) and (free or field in _FREE):
        known = _field(field)
        return Expression(None, None, (compared_text(known.shape), (*known.literals, value)))
    return Expression.of(tree.Comparison("=", _name(field), _literal(value)))


def is_null(field: str) -> Expression:
    """The field is NULL."""
    return Expression.of(tree.IsNull(_name(field)))


def given(field: str) -> Expression:
    """TRUE where the field has a value, and NULL where it has none: for what is to be told as unknown then."""
    return Expression.of(tree.Comparison("=", _name(field), _name(field)))


def is_in(field: str, values: Iterable[str] | Iterable[float]) -> Expression:
    """The field is one of some literals of one kind; FALSE for an empty list."""
    literals = [_literal(value) for value in values]
    texts = tuple(v for v in literals if isinstance(v, tree.Text))
    numbers = tuple(v for v in literals if isinstance(v, tree.Number))
    if not literals:
        return Expression.of(tree.Truth(False))
    if len(texts) == len(literals):
        return Expression.of(tree.Membership(_name(field), texts))
    if len(numbers) == len(literals):
        return Expression.of(tree.Membership(_name(field), numbers))
    raise ValueError("is_in takes literals of one kind: all text or all numbers")


def equals_any(field: str, values: Sequence[str]) -> Expression:
    """The same as `is_in`, of few texts in a form that others share who have as many others (`shapes`)."""
    return any_of(*(equals(field, value) for value in values)) if len(values) <= _FEW else is_in(field, values)


def outside(field: str, low: float | None, high: float | None) -> Expression:
    """The field is below ``low`` or above ``high``; a bound of None does not bind."""
    parts = []
    if low is not None:
        parts.append(_compare("<", _field(field), low))
    if high is not None:
        parts.append(_compare(">", _field(field), high))
    return any_of(*parts)


def above(value: str, limit: float) -> Expression:
    """A value expression, given as text, is above a limit. Raises ExpressionError when the text does not parse."""
    return _compare(">", Expression.parse(value), limit)


def below(value: str, limit: float) -> Expression:
    """A value expression, given as text, is below a limit. Raises ExpressionError when the text does not parse."""
    return _compare("<", Expression.parse(value), limit)


def at_or_after(field: str, micros: int) -> Expression:
    """A time field is at or after a time in microseconds."""
    return _compare(">=", _field(field), micros)


def before(field: str, micros: int) -> Expression:
    """A time field is before a time in microseconds."""
    return _compare("<", _field(field), micros)


def arguments_of(expression: Expression) -> frozenset[tuple[str, ...]]:
    """The paths inside `arguments` that an expression names."""
    names = (node.path for node in tree.walk(expression.tree) if isinstance(node, tree.Name))
    return frozenset(path[1:] for path in names if path[0] == "arguments" and len(path) > 1)


def names(expression: Expression, field: str) -> bool:
    """Whether an expression names a field."""
    return _name(field) in tree.walk(expression.tree)


def compares(expression: Expression, field: str, value: str) -> bool:
    """Whether an expression compares a field with a text, or asks whether it is among some with that."""
    name = _name(field)
    for node in tree.walk(expression.tree):
        if isinstance(node, tree.Comparison) and name in (node.left, node.right):
            if tree.Text(value) in (node.left, node.right):
                return True
        elif isinstance(node, tree.Membership) and node.operand == name and tree.Text(value) in node.values:
            return True
    return False


def _joined(build: Callable[[tuple[tree.Node, ...]], tree.Node], *parts: Expression) -> Expression:
    if any(part.shape.ambiguous for part in parts):
        return Expression.of(build(tuple(part.tree for part in parts)))
    literals = tuple(given for part in parts for given in part.literals)
    return Expression(None, None, (joined(build, tuple(part.shape for part in parts)), literals))


def _not(parts: tuple[tree.Node, ...]) -> tree.Node:
    return tree.Not(parts[0])


def _not_true(parts: tuple[tree.Node, ...]) -> tree.Node:
    return tree.Not(tree.IsTruth(parts[0], True))


def _compare(operator: tree.ComparisonOperator, value: Expression, limit: float) -> Expression:
    if abs(limit) >= FIRST or value.shape.ambiguous:
        return Expression.of(tree.Comparison(operator, value.tree, tree.Number(float(limit))))
    return Expression(None, None, (compared(operator, value.shape), (*value.literals, float(limit))))


@lru_cache(maxsize=256)
def _field(name: str) -> Expression:
    return Expression.of(_name(name))


def _name(field: str) -> tree.Name:
    # A field, or `arguments.x` for one that is reached inside; a key with a dot in it is out of a builder's reach.
    return tree.Name(tuple(field.split(".")))


def _literal(value: Any) -> tree.Text | tree.Number | tree.Truth:
    if isinstance(value, bool):
        return tree.Truth(value)
    return tree.Text(value) if isinstance(value, str) else tree.Number(float(value))
