"""Specialising: what is left of a condition when it is known which tool is called.

A pact speaks of many tools and a call is of one, so that most conditions come down to FALSE. Trees in, trees out; the
value is the same for every record with that tool.
"""

from __future__ import annotations

from dataclasses import replace

from seamwatch.expressions import Expression
from seamwatch.expressions.tree import (
    And,
    Comparison,
    IsNull,
    IsTruth,
    Membership,
    Name,
    Node,
    Not,
    Or,
    Text,
    Truth,
    conjunction,
    disjunction,
    walk,
)

_TOOL = Name(("tool",))


def tools_named(expression: Expression) -> frozenset[str]:
    """The texts that a condition compares the tool with."""
    named: set[str] = set()
    for node in walk(expression.tree):
        if isinstance(node, Comparison) and _TOOL in (node.left, node.right):
            named.update(side.value for side in (node.left, node.right) if isinstance(side, Text))
        elif isinstance(node, Membership) and node.operand == _TOOL:
            named.update(value.value for value in node.values if isinstance(value, Text))
    return frozenset(named)


def for_tool(expression: Expression, tool: str) -> Expression:
    """The condition for calls of one tool; TRUE or FALSE where nothing else decides."""
    return Expression.of(_for(expression.tree, tool))


def constant(expression: Expression) -> bool | None:
    """The value of a condition that is TRUE or FALSE whatever the record; None when it depends."""
    return expression.tree.value if isinstance(expression.tree, Truth) else None


def _for(node: Node, tool: str) -> Node:
    match node:
        case Comparison("=" | "<>" as symbol, left, right):
            other = right if left == _TOOL else left if right == _TOOL else None
            return Truth((other.value == tool) == (symbol == "=")) if isinstance(other, Text) else node
        case Membership(operand, values) if operand == _TOOL:
            return Truth(any(isinstance(value, Text) and value.value == tool for value in values))
        case IsNull(operand) if operand == _TOOL:
            return Truth(False)
        case IsTruth(operand, value):
            inner = _for(operand, tool)
            return Truth(inner.value is value) if isinstance(inner, Truth) else replace(node, operand=inner)
        case Not(operand):
            inner = _for(operand, tool)
            return Truth(not inner.value) if isinstance(inner, Truth) else Not(inner)
        case And(operands):
            parts = tuple(_for(operand, tool) for operand in operands)
            if Truth(False) in parts:
                return Truth(False)
            return conjunction(tuple(part for part in parts if part != Truth(True)))
        case Or(operands):
            parts = tuple(_for(operand, tool) for operand in operands)
            if Truth(True) in parts:
                return Truth(True)
            return disjunction(tuple(part for part in parts if part != Truth(False)))
        case _:
            return node
