"""The polars target: an expression over the columns of a decoded frame, with no Python for each row.

What it reads inside `arguments` comes from `seamwatch.columnar.arguments`. It agrees with the Python and ClickHouse
targets value for value, and with the Python one in what is odd (`seamwatch.expressions.typed`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import polars as pl

from seamwatch.columnar.arguments import Arguments, column_name, extractions
from seamwatch.expressions import Expression, typed
from seamwatch.expressions.closure import value_closure
from seamwatch.expressions.expression import ExpressionKind
from seamwatch.expressions.resolving import resolve
from seamwatch.expressions.shapes import place_of
from seamwatch.expressions.tree import EXACT, ComparisonOperator

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


def odd_expression(
    expression: Expression,
    record_type: str,
    *,
    extracted: bool = False,
    literals: Callable[[int], pl.Expr] | None = None,
) -> pl.Expr | None:
    """Where a condition is NULL because of what is given, and not because nothing is: true or false; None for nowhere.

    It costs more than the condition: meant for the rows where that is NULL. Parameters and errors as above.
    """
    odd = _Compiler(extracted=extracted, literals=literals).odd(resolve(expression, record_type))
    return None if odd is None else odd.fill_null(value=False)


def missing_expression(expression: Expression, record_type: str) -> pl.Expr | None:
    """Where an argument that a condition asks for is not given, in a frame with `argument_columns`; None for nowhere.

    Where the arguments cannot be read it says nothing of use.
    """
    asked = sorted(set(_paths(resolve(expression, record_type))))
    return pl.any_horizontal([pl.col(column_name(path)).is_null() for path in asked]) if asked else None


def argument_columns(
    expressions: Iterable[tuple[Expression, ExpressionKind]], record_type: str, names: Iterable[str] = ()
) -> list[pl.Expr]:
    """The columns that expressions (each with its kind) read inside `arguments`, to be added to a frame once.

    ``names`` are of arguments that are to be there as well, in the column that `argument_column` says.
    """
    paths = {path for e, kind in expressions for path in _paths(resolve(e, record_type, kind))}
    paths.update(tuple(name.split(".")) for name in names)
    return extractions(paths)


class _Compiler:
    """Compiles typed nodes, reading arguments from extracted columns or from the JSON text."""

    def __init__(self, *, extracted: bool, literals: Callable[[int], pl.Expr] | None = None) -> None:
        self._arguments = Arguments(extracted=extracted)
        self._literals = literals

    def compiled(self, node: typed.Typed) -> pl.Expr:  # noqa: C901  one line a form
        """The polars expression of a typed node."""
        match node:
            case typed.Constant(value):
                return self._constant(value)
            case typed.Column(name, _, stored):
                return pl.col(name).cast(pl.Float64) if stored in ("time", "long") else pl.col(name)
            case typed.Argument(path, kind):
                return self._arguments.value(path, kind)
            case typed.ArgumentGiven(path):
                return self._arguments.given(path)
            case typed.ArgumentLength(path):
                return self._arguments.length(path)
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
            case typed.CompareWhole(operator, left, right):
                return self._compared_whole(operator, left, right)
            case typed.Either(operands):
                return pl.coalesce([self.compiled(o) for o in operands])
            case typed.AsDouble(operand):
                number = self.compiled(operand)
                return pl.when(number.abs() < EXACT).then(number)
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
            case typed.Apply("coalesce", arguments):
                return self._coalesced(arguments, self.compiled)
            case typed.Apply(function, arguments):
                return self._apply(function, arguments)

    def _constant(self, value: float | str | bool) -> pl.Expr:
        place = None if self._literals is None else place_of(value)
        if self._literals is None or place is None:
            return pl.lit(float(value) if isinstance(value, int) and not isinstance(value, bool) else value)
        negative = isinstance(value, float) and value < 0
        return -self._literals(place) if negative else self._literals(place)

    def odd(self, node: typed.Typed) -> pl.Expr | None:
        """Where a typed node is odd; None where it never is."""
        match node:
            case typed.Argument(path, _) | typed.ArgumentLength(path):
                # Given with a value of another kind, or not to be read.
                return self._arguments.given(path).fill_null(value=True) & self.compiled(node).is_null()
            case typed.ArgumentGiven(path):
                return self._arguments.given(path).is_null()
            case typed.CompareWhole(_, left, right):
                null = self.compiled(node).is_null()
                both = self.compiled(left).is_not_null() & self.compiled(right).is_not_null()
                return null & pl.any_horizontal(_known([both, self.odd(left), self.odd(right)]))
            case typed.Compare(_, left, right) | typed.Compute(_, left, right):
                return self._null_by((left, right), node)
            case typed.Every(operands) | typed.Some(operands):
                return self._null_by(operands, node)
            case typed.Either(operands):
                each = _known([self.odd(o) for o in operands])
                return pl.all_horizontal(each) if len(each) == len(operands) else None
            case typed.AsDouble(operand):
                return _any([self.compiled(operand).abs() >= EXACT, self.odd(operand)])
            case typed.OneOf(operand, _) | typed.Matches(operand, _) | typed.Opposite(operand):
                return self.odd(operand)
            case typed.Apply("coalesce", arguments):
                found = self.odd(arguments[-1])
                for argument in reversed(arguments[:-1]):
                    odd, null = self.odd(argument), self.compiled(argument).is_null()
                    found = _any([odd, None if found is None else null & found])
                return found
            case typed.Apply(_, arguments):
                return self._null_by(arguments, node)
            case _:
                return None

    def _null_by(self, operands: Iterable[typed.Typed], node: typed.Typed) -> pl.Expr | None:
        odd = _any([self.odd(o) for o in operands])
        return None if odd is None else self.compiled(node).is_null() & odd

    def _one_of(self, operand: typed.Typed, values: tuple[str, ...] | tuple[float, ...]) -> pl.Expr:
        if isinstance(values[0], float):
            value = self.compiled(operand)
            return pl.any_horizontal([value == v for v in values]) if len(values) <= 8 else value.is_in(list(values))
        return self.compiled(operand).is_in(list(values))

    def _apply(self, function: str, arguments: tuple[typed.Typed, ...]) -> pl.Expr:
        compiled = [self.compiled(a) for a in arguments]
        if function in ("least", "greatest"):
            chosen = pl.min_horizontal(compiled) if function == "least" else pl.max_horizontal(compiled)
            odd = _any([self.odd(a) for a in arguments])
            return chosen if odd is None else pl.when(~odd).then(chosen)
        return _FUNCTIONS[function](*compiled)

    def _coalesced(self, operands: tuple[typed.Typed, ...], read: Callable[[typed.Typed], pl.Expr]) -> pl.Expr:
        """What is read of the first operand with a value, unless one before it is odd."""
        chosen = read(operands[-1])
        for operand in reversed(operands[:-1]):
            odd = _any([self.odd(operand)])
            rest = chosen if odd is None else pl.when(~odd).then(chosen)
            chosen = pl.when(self.compiled(operand).is_not_null()).then(read(operand)).otherwise(rest)
        return chosen

    # Whole numbers of 2^53 and beyond

    def _compared_whole(self, operator: ComparisonOperator, left: typed.Typed, right: typed.Typed) -> pl.Expr:
        one, other = self.compiled(left), self.compiled(right)
        # As doubles they are in order, but for neighbours: these are told apart by their digits.
        alike = (one == other) & (one.abs() >= EXACT)
        digits = [pl.when(alike).then(self._digits(side)) for side in (left, right)]
        compare = _COMPARE[operator]
        if operator in ("=", "<>"):
            exactly = compare(*digits)
        else:
            lengths = [d.str.len_bytes() for d in digits]
            before = (lengths[0] < lengths[1]) | ((lengths[0] == lengths[1]) & (digits[0] < digits[1]))
            equal = digits[0] == digits[1]
            # Of two numbers below zero the one with the smaller digits is the larger one.
            less = pl.when(one > 0).then(before).otherwise(~before & ~equal)
            exactly = {"<": less, "<=": less | equal, ">": ~less & ~equal, ">=": ~less}[operator]
        return pl.when(alike).then(exactly).otherwise(compare(one, other))

    def _digits(self, node: typed.Typed) -> pl.Expr:
        """The digits of a whole number of 2^53 or beyond; NULL of a number that is not known to be one."""
        match node:
            case typed.Constant(int(value)):
                return pl.lit(str(value))
            case typed.Column(name, stored="long"):
                return pl.col(name).cast(pl.String)
            case typed.Argument(path, _):
                return self._arguments.digits(path)
            case typed.Apply("coalesce", arguments):
                return self._coalesced(arguments, self._digits)
            case _:
                return pl.lit(None, pl.String)


def _any(conditions: Iterable[pl.Expr | None]) -> pl.Expr | None:
    given = _known(conditions)
    return pl.any_horizontal(given) if given else None


def _known(conditions: Iterable[pl.Expr | None]) -> list[pl.Expr]:
    return [condition.fill_null(value=False) for condition in conditions if condition is not None]


def _regex(pattern: str) -> str:
    parts = {"%": ".*", "_": "."}
    return "(?s)^" + "".join(parts.get(c) or re.escape(c) for c in pattern) + "$"


def _paths(node: typed.Typed) -> Iterator[tuple[str, ...]]:
    inside = (typed.Argument, typed.ArgumentGiven, typed.ArgumentLength)
    return (n.path for n in typed.walk(node) if isinstance(n, inside))


def _is_constant(node: typed.Typed) -> bool:
    return not any(isinstance(n, _READS) for n in typed.walk(node))
