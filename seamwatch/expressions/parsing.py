"""Parsing: text to tree, by sqlglot's grammar held to the documented subset.

Only syntax is judged here; whether fields exist and kinds mix is `seamwatch.expressions.resolving`. Text from a
contract is not trusted: length, nesting and size are bounded before and after the grammar sees it.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable
from decimal import Decimal
from itertools import islice
from typing import Final, cast

import sqlglot
from sqlglot import exp

from seamwatch.errors import ExpressionError
from seamwatch.expressions import tree
from seamwatch.expressions.functions import FUNCTIONS

MAX_LENGTH: Final = 10_000
MAX_NESTING: Final = 24
MAX_NODES: Final = 2_000
MAX_KEYS: Final = 127
MAX_PATTERN: Final = 1_000

_COMPARISONS: Final[dict[type[exp.Expr], tree.ComparisonOperator]] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_ARITHMETIC: Final[dict[type[exp.Expr], tree.ArithmeticOperator]] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
}
_CALLS: Final[dict[type[exp.Expr], str]] = {
    exp.Abs: "abs",
    exp.ArraySize: "array_length",
    exp.Ceil: "ceil",
    exp.Coalesce: "coalesce",
    exp.Contains: "contains",
    exp.EndsWith: "ends_with",
    exp.Floor: "floor",
    exp.Greatest: "greatest",
    exp.Least: "least",
    exp.Length: "length",
    exp.Lower: "lower",
    exp.Round: "round",
    exp.StartsWith: "starts_with",
    exp.Upper: "upper",
}
_KNOWN: Final = frozenset(
    ("this", "expression", "expressions", "is_string", "quoted", "table", "db", "catalog", "low", "high", "negate",
     "query", "unnest", "field", "symmetric", "ignore_nulls")
)  # fmt: skip
"""What is looked at of the grammar's forms, or means nothing here."""
_SUGGESTIONS: Final[dict[type[exp.Expr], str]] = {
    exp.ILike: "ILIKE is not part of the language: write lower(x) LIKE '…'",
    exp.Escape: "LIKE has no ESCAPE here: use contains, starts_with or ends_with",
    exp.Null: "NULL stands only in IS NULL and IS NOT NULL: nothing equals NULL",
    exp.Case: "CASE is not part of the language: use AND, OR and coalesce",
    exp.Cast: "casts are not part of the language: a time is written as text, such as '2026-03-02T10:00:00Z'",
    exp.Subquery: "queries inside an expression are not part of the language",
    exp.Select: "queries inside an expression are not part of the language",
    exp.DPipe: "|| is not part of the language: compare the parts one by one",
    exp.Bracket: "[ ] is not part of the language: a list's length is array_length(arguments.x)",
    exp.Star: "* alone means nothing here",
}
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_KEY = re.compile(r'[A-Za-z_][A-Za-z0-9_]*|"(?:[^"]|"")*"')
_PATH = re.compile(rf"{_QUOTED.pattern}|\b(?P<field>arguments|attributes)(?P<inside>(?:\s*\.\s*(?:{_KEY.pattern}))+)")


def parse_tree(text: str) -> tree.Node:
    """The tree of a text; ExpressionError, naming the offending word, when it is not of the language."""
    _bound(text)
    try:
        # Into Condition: one expression and nothing after it, no statement.
        parsed = sqlglot.parse_one(_protect_names(text), into=exp.Condition)
        node = _node(parsed, 0)
    except ExpressionError as error:
        raise ExpressionError(f"{error} (in {_excerpt(text)})") from None
    except sqlglot.errors.SqlglotError as error:
        raise ExpressionError(f"{_excerpt(text)} is not an expression{_near(error)}") from None
    except RecursionError:
        raise ExpressionError(f"{_excerpt(text)} is nested too deeply: at most {MAX_NESTING} levels") from None
    except Exception as error:  # noqa: BLE001  the grammar is a third party's, the text anybody's
        raise ExpressionError(f"{_excerpt(text)} is not an expression ({type(error).__name__})") from None
    # BETWEEN stands for its operand twice, so that a few levels of it are millions of parts: no further is counted.
    if next(islice(tree.walk(node), MAX_NODES, None), None) is not None:
        raise ExpressionError(f"{_excerpt(text)} has more than {MAX_NODES:,} parts")
    return node


def _bound(text: str) -> None:
    if not text.strip():
        raise ExpressionError("an empty text is not an expression: write a condition such as score > 0.5")
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression has {len(text)} characters: at most {MAX_LENGTH}")
    if any(0xD800 <= ord(c) <= 0xDFFF or c == "\0" for c in text):
        raise ExpressionError("the expression holds a character that no text may hold (NUL or half a surrogate pair)")
    bare = _QUOTED.sub("''", text)
    depth = deepest = 0
    for character in bare:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    if deepest > MAX_NESTING:
        raise ExpressionError(f"{_excerpt(text)} is nested {deepest} levels deep: at most {MAX_NESTING}")
    word = re.search(r"--|/\*|;|\{|\}|\\|`|#|\?|@|:|\$", bare)
    if word:
        raise ExpressionError(f"{word.group()!r} is not part of the language (in {_excerpt(text)})")


def _protect_names(text: str) -> str:
    # An argument may be called `select` or `order`; in quotes the grammar takes it as a name.
    def protect(match: re.Match[str]) -> str:
        if match.group("inside") is None:
            return match.group()
        keys = (f'"{key}"' if key[0] != '"' else key for key in _KEY.findall(match.group("inside")))
        return ".".join([match.group("field"), *keys])

    return _PATH.sub(protect, text)


def _excerpt(text: str) -> str:
    shown = " ".join(text.split())
    return repr(shown if len(shown) <= 80 else shown[:77] + "...")


def _near(error: sqlglot.errors.SqlglotError) -> str:
    for nested in (error, getattr(error, "__cause__", None)):
        for detail in getattr(nested, "errors", []) or []:
            if isinstance(detail, dict) and detail.get("highlight"):
                return f": stopped at {detail['highlight']!r}"
    return ""


def _node(node: exp.Expr, depth: int) -> tree.Node:
    if depth > MAX_NESTING * 4:
        raise ExpressionError(f"nested too deeply: at most {MAX_NESTING} levels")
    kind = type(node)
    if kind in _COMPARISONS:
        found: tree.Node = tree.Comparison(_COMPARISONS[kind], *_sides(node, depth))
    elif kind in _ARITHMETIC:
        found = tree.Arithmetic(_ARITHMETIC[kind], *_sides(node, depth))
    elif kind in _CALLS:
        found = _call(_CALLS[kind], node, depth)
    elif kind in _FORMS:
        found = _FORMS[kind](node, depth)
    else:
        raise ExpressionError(_refusal(node))
    unknown = {name for name, given in node.args.items() if given not in (None, False, [])} - _KNOWN
    if unknown:
        # What a release of the grammar adds to a form may turn its meaning round.
        raise ExpressionError(f"{node.sql()!r} is not part of the language ({', '.join(sorted(unknown))})")
    # Some releases say NOT in the form itself, others put it around it.
    return tree.Not(found) if node.args.get("negate") else found


def _sides(node: exp.Expr, depth: int) -> tuple[tree.Node, tree.Node]:
    return _node(node.this, depth + 1), _node(node.expression, depth + 1)


def _refusal(node: exp.Expr) -> str:
    if type(node) in _SUGGESTIONS:
        return _SUGGESTIONS[type(node)]
    if isinstance(node, exp.Func):
        return _unknown_function(str(node.this) if isinstance(node, exp.Anonymous) else node.sql_name().lower())
    return f"{node.sql()!r} is not part of the language"


def _unknown_function(name: str) -> str:
    close = difflib.get_close_matches(name.lower(), FUNCTIONS, n=1)
    known = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(sorted(FUNCTIONS))}"
    return f"unknown function {name!r}: {known}"


def _literal(node: exp.Expr, _depth: int) -> tree.Node:
    assert isinstance(node, exp.Literal)
    if node.is_string:
        return tree.Text(str(node.this))
    return tree.Number(_number(str(node.this)))


def _number(text: str) -> float | int:
    value = float(text)
    if not math.isfinite(value):
        raise ExpressionError(f"{text} is too large for a number")
    if value < tree.EXACT or "e" in text.lower():
        return value
    if text.isdigit():
        return int(text)
    if Decimal(text) != Decimal(value):
        raise ExpressionError(f"{text} cannot be held exactly: write a number as large as this without a point")
    return value


def _negative(node: exp.Expr, depth: int) -> tree.Node:
    operand = _node(node.this, depth + 1)
    if isinstance(operand, tree.Number):
        return tree.Number(-operand.value)
    return tree.Arithmetic("-", tree.Number(0.0), operand)


def _column(node: exp.Expr, _depth: int) -> tree.Node:
    parts = node.parts if isinstance(node, exp.Column | exp.Dot) else []
    for part in parts:
        if not isinstance(part, exp.Identifier):
            raise ExpressionError(_refusal(part))
        if re.search(r"[\\\x00-\x1f]", str(part.this)):
            raise ExpressionError(f"{str(part.this)!r} cannot be a name: it holds a backslash or a control character")
    if len(parts) > MAX_KEYS:
        raise ExpressionError(
            f"{parts[0]} is followed by {len(parts) - 1} keys: nothing lies deeper than {MAX_KEYS} levels"
        )
    return tree.Name(tuple(str(part.this) for part in parts))


def _in(node: exp.Expr, depth: int) -> tree.Node:
    if node.args.get("query") or node.args.get("unnest") or node.args.get("field"):
        raise ExpressionError("IN takes a list of literals in parentheses, such as IN ('a', 'b')")
    values = [_node(value, depth + 1) for value in node.expressions]
    if not values:
        raise ExpressionError("IN () is empty: list at least one value")
    operand = _node(node.this, depth + 1)
    if all(isinstance(v, tree.Text) for v in values):
        return tree.Membership(operand, cast("tuple[tree.Text, ...]", tuple(values)))
    if all(isinstance(v, tree.Number) for v in values):
        return tree.Membership(operand, cast("tuple[tree.Number, ...]", tuple(values)))
    raise ExpressionError("IN takes literals of one kind: all text or all numbers")


def _between(node: exp.Expr, depth: int) -> tree.Node:
    operand = _node(node.this, depth + 1)
    low, high = _node(node.args["low"], depth + 1), _node(node.args["high"], depth + 1)
    if node.args.get("symmetric"):
        raise ExpressionError("SYMMETRIC is not part of the language")
    return tree.conjunction((tree.Comparison(">=", operand, low), tree.Comparison("<=", operand, high)))


def _like(node: exp.Expr, depth: int) -> tree.Node:
    pattern = node.expression
    if not (isinstance(pattern, exp.Literal) and pattern.is_string):
        raise ExpressionError("LIKE takes a pattern in single quotes")
    if len(str(pattern.this)) > MAX_PATTERN:
        raise ExpressionError(f"a LIKE pattern of {len(str(pattern.this))} characters: at most {MAX_PATTERN}")
    return tree.Like(_node(node.this, depth + 1), str(pattern.this))


def _is(node: exp.Expr, depth: int) -> tree.Node:
    right = node.expression
    if isinstance(right, exp.Null):
        return tree.IsNull(_node(node.this, depth + 1))
    if isinstance(right, exp.Boolean):
        return tree.IsTruth(_node(node.this, depth + 1), bool(right.this))
    raise ExpressionError("IS is followed by NULL, TRUE or FALSE, with or without NOT")


def _connected(node: exp.Expr, depth: int) -> tree.Node:
    # Chains of hundreds of ANDs are fine, and are not depth.
    assert isinstance(node, exp.Connector)
    parts = tuple(_node(part, depth + 1) for part in node.flatten())
    return tree.conjunction(parts) if isinstance(node, exp.And) else tree.disjunction(parts)


def _call(name: str, node: exp.Expr, depth: int) -> tree.Node:
    given = [node.this, *(node.args.get("expression"),), *node.expressions]
    arguments = [a for a in given if isinstance(a, exp.Expr)]
    if any(isinstance(v, exp.Expr) for k, v in node.args.items() if k not in ("this", "expression", "expressions")):
        raise ExpressionError(f"{name} takes {FUNCTIONS[name].takes}")
    if not FUNCTIONS[name].least <= len(arguments) <= FUNCTIONS[name].most:
        raise ExpressionError(f"{name} takes {FUNCTIONS[name].takes}")
    return tree.Call(name, tuple(_node(a, depth + 1) for a in arguments))


_FORMS: Final[dict[type[exp.Expr], Callable[[exp.Expr, int], tree.Node]]] = {
    exp.Paren: lambda node, depth: _node(node.this, depth + 1),
    exp.Literal: _literal,
    exp.Boolean: lambda node, _depth: tree.Truth(bool(node.this)),
    exp.Neg: _negative,
    exp.Column: _column,
    exp.Dot: _column,
    exp.In: _in,
    exp.Between: _between,
    exp.Like: _like,
    exp.Is: _is,
    exp.Not: lambda node, depth: tree.Not(_node(node.this, depth + 1)),
    exp.And: _connected,
    exp.Or: _connected,
}
