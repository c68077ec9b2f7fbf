"""The polars target: an expression over the columns of a decoded frame, with no Python for each row.

A value inside `arguments` is read by one JSON path query, shared by all expressions when they are compiled over
`argument_columns`. It agrees with the Python and ClickHouse targets value for value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Final

import polars as pl

from seamwatch.expressions import Expression, typed
from seamwatch.expressions.arguments import read_arguments, value_at
from seamwatch.expressions.closure import value_closure
from seamwatch.expressions.expression import ExpressionKind
from seamwatch.expressions.resolving import resolve
from seamwatch.expressions.shapes import place_of

_COMPARE: Final[dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_MIRRORED: Final = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_COMPUTE: Final[dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}
_UPPER: Final = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
_LOWER: Final = [letter.lower() for letter in _UPPER]
_FUNCTIONS: Final[dict[str, Callable[..., pl.Expr]]] = {
    "abs": lambda x: x.abs(),
    "ceil": lambda x: x.ceil(),
    "contains": lambda text, part: text.str.contains(part, literal=True),
    "ends_with": lambda text, part: text.str.ends_with(part),
    "floor": lambda x: x.floor(),
    "length": lambda text: text.str.len_chars().cast(pl.Float64),
    "lower": lambda text: text.str.replace_many(_UPPER, _LOWER),
    "round": lambda x: x.round(0, mode="half_to_even"),
    "starts_with": lambda text, part: text.str.starts_with(part),
    "upper": lambda text: text.str.replace_many(_LOWER, _UPPER),
}
_DTYPES: Final[dict[ExpressionKind, type[pl.DataType]]] = {
    "number": pl.Float64,
    "text": pl.String,
    "boolean": pl.Boolean,
}
_READS: Final = (
    typed.Column,
    typed.Argument,
    typed.ArgumentGiven,
    typed.ArgumentLength,
    typed.ListLength,
    typed.Attribute,
)
# A JSON path query gives text, in which '5' may be a number or a string. So every string, keys too, is marked first.
MARK: Final = "~"
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_STRING: Final = r'"((?:[^"\\]|\\.)*)"'


def polars_expression(
    expression: Expression,
    record_type: str,
    kind: ExpressionKind = "boolean",
    *,
    extracted: bool = False,
    literals: Callable[[int], pl.Expr] | None = None,
) -> pl.Expr:
    """The polars expression over a frame of decoded columns: for a condition true, false or null.

    With ``extracted`` the frame has `argument_columns` too, and those are read. With ``literals`` the expression has
    stand-ins (`seamwatch.expressions.shapes`), and this gives the column of each literal. Raises ExpressionError when
    the expression has no meaning for the record type, or gives no value of ``kind``.
    """
    if not expression.columns:
        # As long as the frame, also where it is selected alone.
        value = value_closure(expression, record_type, kind)({})
        return pl.repeat(value, pl.len(), dtype=_DTYPES[kind])
    return _Compiler(extracted=extracted, literals=literals).compiled(resolve(expression, record_type, kind))


def argument_columns(
    expressions: Iterable[tuple[Expression, ExpressionKind]], record_type: str, names: Iterable[str] = ()
) -> list[pl.Expr]:
    """The columns that expressions (each with its kind) read inside `arguments`, to be added to a frame once.

    ``names`` are of arguments that are to be there as well, in the column that `argument_column` says.
    """
    paths = {path for e, kind in expressions for path in _paths(resolve(e, record_type, kind))}
    paths.update(tuple(name.split(".")) for name in names)
    return [_extraction(path).alias(_column_name(path)) for path in sorted(paths)]


def argument_column(name: str) -> str | None:
    """The column of an argument (with dots: inside another) by its plain name: None for a name that is not plain.

    It has the value as JSON text, but a string without its quotes and behind a ``~``; null where there is none.
    """
    return _column_name(tuple(name.split("."))) if _PLAIN_NAME.fullmatch(name) else None


class _Compiler:
    """Compiles typed nodes, reading arguments from extracted columns or from the JSON text."""

    def __init__(self, *, extracted: bool, literals: Callable[[int], pl.Expr] | None) -> None:
        self._extracted = extracted
        self._literals = literals

    def compiled(self, node: typed.Typed) -> pl.Expr:  # noqa: C901  one line a form
        """The polars expression of a typed node."""
        match node:
            case typed.Constant(value):
                return self._constant(value)
            case typed.Column(name, _, stored):
                return pl.col(name).cast(pl.Float64) if stored in ("time", "long") else pl.col(name)
            case typed.Argument(path, kind):
                return _of_kind(self._marked(path), kind)
            case typed.ArgumentGiven(path):
                return self._marked(path).is_not_null()
            case typed.ArgumentLength(path):
                return _argument_length(path)
            case typed.ListLength(name):
                return pl.col(name).list.len().cast(pl.Float64)
            case typed.Attribute(key):
                item = pl.element().struct
                chosen = item.field("value").filter(item.field("key") == key)
                return pl.col("attributes").list.eval(chosen).list.first()
            case typed.Compare(operator, left, right):
                # With a constant on the left, polars takes a column of nulls alone for one null.
                if _is_constant(left) and not _is_constant(right):
                    return _COMPARE[_MIRRORED[operator]](self.compiled(right), self.compiled(left))
                return _COMPARE[operator](self.compiled(left), self.compiled(right))
            case typed.OneOf(operand, values):
                return self._one_of(operand, values)
            case typed.Matches(operand, pattern):
                return self.compiled(operand).str.contains(_regex(pattern))
            case typed.Unknown(operand):
                return self.compiled(operand).is_null()
            case typed.Is(operand, wanted):
                return (self.compiled(operand) == wanted).fill_null(value=False)
            case typed.Opposite(operand):
                return ~self.compiled(operand)
            case typed.Every(operands):
                return pl.all_horizontal([self.compiled(o) for o in operands])
            case typed.Some(operands):
                return pl.any_horizontal([self.compiled(o) for o in operands])
            case typed.Compute(operator, left, right):
                result = _COMPUTE[operator](self.compiled(left), self.compiled(right))
                return pl.when(result.is_finite()).then(result)
            case typed.Apply(function, arguments):
                return _apply(function, [self.compiled(a) for a in arguments])

    def _constant(self, value: float | str | bool) -> pl.Expr:
        place = None if self._literals is None else place_of(value)
        if self._literals is None or place is None:
            return pl.lit(value)
        negative = isinstance(value, float) and value < 0
        return -self._literals(place) if negative else self._literals(place)

    def _marked(self, path: tuple[str, ...]) -> pl.Expr:
        return pl.col(_column_name(path)) if self._extracted else _extraction(path)

    def _one_of(self, operand: typed.Typed, values: tuple[str, ...] | tuple[float, ...]) -> pl.Expr:
        if isinstance(values[0], float):
            value = self.compiled(operand)
            return pl.any_horizontal([value == v for v in values]) if len(values) <= 8 else value.is_in(list(values))
        return self.compiled(operand).is_in(list(values))


def _column_name(path: tuple[str, ...]) -> str:
    # No record type has a field of such a name.
    return "arguments." + ".".join(path)


def _extraction(path: tuple[str, ...]) -> pl.Expr:
    query = "$" + "".join(f"['{MARK}{_escaped(key)}']" for key in path)
    marked = pl.col("arguments").str.replace_all(_STRING, f'"{MARK}$1"')
    return marked.str.json_path_match(query)


def _escaped(key: str) -> str:
    return key.replace("'", "\\'")


def _of_kind(marked: pl.Expr, kind: typed.ValueKind) -> pl.Expr:
    if kind == "text":
        return pl.when(marked.str.starts_with(MARK)).then(marked.str.slice(1))
    if kind == "number":
        return marked.cast(pl.Float64, strict=False)
    return pl.when(marked == "true").then(statement=True).when(marked == "false").then(statement=False)


def _argument_length(path: tuple[str, ...]) -> pl.Expr:
    # polars cannot count a JSON list of mixed items; this one form reads its rows in Python.
    def lengths(texts: pl.Series) -> pl.Series:
        found = (value_at(read_arguments(text), path) for text in texts)
        return pl.Series([len(v) if isinstance(v, list) else None for v in found], dtype=pl.Float64)

    return pl.col("arguments").map_batches(lengths, return_dtype=pl.Float64)


def _apply(function: str, arguments: list[pl.Expr]) -> pl.Expr:
    match function:
        case "coalesce":
            return pl.coalesce(arguments)
        case "least":
            return pl.min_horizontal(arguments)
        case "greatest":
            return pl.max_horizontal(arguments)
    return _FUNCTIONS[function](*arguments)


def _regex(pattern: str) -> str:
    parts = {"%": ".*", "_": "."}
    return "(?s)^" + "".join(parts.get(c) or re.escape(c) for c in pattern) + "$"


def _paths(node: typed.Typed) -> Iterator[tuple[str, ...]]:
    return (n.path for n in _walk(node) if isinstance(n, typed.Argument | typed.ArgumentGiven))


def _is_constant(node: typed.Typed) -> bool:
    return not any(isinstance(n, _READS) for n in _walk(node))


def _walk(node: typed.Typed) -> Iterator[typed.Typed]:
    yield node
    for field in fields(node):
        value = getattr(node, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, typed.Typed):
                yield from _walk(item)
