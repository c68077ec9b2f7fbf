"""The Python target: an expression as a function of one record, for the caller's own guard and for judges.

Compiled once into nested closures; a record's arguments are parsed at most once an evaluation. It agrees with the
polars and ClickHouse targets value for value.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from seamwatch.expressions import typed
from seamwatch.expressions.arguments import read_arguments, value_at
from seamwatch.expressions.expression import Expression, ExpressionKind
from seamwatch.expressions.resolving import resolve

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_COMPUTE: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_TO_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_TO_UPPER: Final = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "abs": abs,
    "ceil": lambda x: float(math.ceil(x)),
    "contains": lambda text, part: part in text,
    "ends_with": lambda text, part: text.endswith(part),
    "floor": lambda x: float(math.floor(x)),
    "length": lambda text: float(len(text)),
    "lower": lambda text: text.translate(_TO_LOWER),
    "round": lambda x: float(round(x)),
    "starts_with": lambda text, part: text.startswith(part),
    "upper": lambda text: text.translate(_TO_UPPER),
}


class Row:
    """One record, with its arguments parsed when they are first asked for, once for all conditions asked of it."""

    __slots__ = ("_arguments", "record")

    def __init__(self, record: Mapping[str, Any], arguments: Mapping[str, Any] | None = None) -> None:
        self.record = record
        self._arguments = arguments

    def argument(self, path: tuple[str, ...]) -> Any:
        """The JSON value at a path, or None."""
        if self._arguments is None:
            self._arguments = read_arguments(self.record.get("arguments"))
        return value_at(self._arguments, path)


_Run = Callable[[Row], Any]


def closure(expression: Expression, record_type: str) -> Callable[[Mapping[str, Any]], bool | None]:
    """A function that gives TRUE, FALSE or NULL (None) for a record of the wire (times in microseconds).

    Raises ExpressionError when the expression has no meaning for the record type, or is no condition.
    """
    run = _compiled(resolve(expression, record_type))
    return lambda record: run(Row(record))


def row_closure(expression: Expression, record_type: str) -> Callable[[Row], bool | None]:
    """As `closure`, of a row: for many conditions over one record, whose arguments are then parsed once."""
    return _compiled(resolve(expression, record_type))


def value_closure(
    expression: Expression, record_type: str, kind: ExpressionKind = "number"
) -> Callable[[Mapping[str, Any]], Any]:
    """A function that gives the value (a float, text or bool) or None for a record. Errors as `closure`."""
    run = _compiled(resolve(expression, record_type, kind))
    return lambda record: run(Row(record))


def _compiled(node: typed.Typed) -> _Run:  # noqa: C901  one line a form
    match node:
        case typed.Constant(value):
            return lambda _row: value
        case typed.Column(name, kind, _):
            return _column(name, kind)
        case typed.Argument(path, kind):
            return _argument(path, kind)
        case typed.ArgumentGiven(path):
            return lambda row: row.argument(path) is not None
        case typed.ArgumentLength(path):
            return lambda row: _length(row.argument(path))
        case typed.ListLength(name):
            return lambda row: _length(row.record.get(name))
        case typed.Attribute(key):
            return lambda row: _attribute(row.record.get("attributes"), key)
        case typed.Compare(symbol, left, right):
            return _both(_COMPARE[symbol], _compiled(left), _compiled(right))
        case typed.OneOf(operand, values):
            among = frozenset(values)
            return _each(lambda x: x in among, _compiled(operand))
        case typed.Matches(operand, pattern):
            return _each(like(pattern), _compiled(operand))
        case typed.Unknown(operand):
            inner = _compiled(operand)
            return lambda row: inner(row) is None
        case typed.Is(operand, wanted):
            inner = _compiled(operand)
            return lambda row: inner(row) is wanted
        case typed.Opposite(operand):
            return _each(operator.not_, _compiled(operand))
        case typed.Every(operands):
            return _every([_compiled(o) for o in operands])
        case typed.Some(operands):
            return _some([_compiled(o) for o in operands])
        case typed.Compute(symbol, left, right):
            return _both(_finite(_COMPUTE[symbol]), _compiled(left), _compiled(right))
        case typed.Apply(function, arguments):
            return _apply(function, [_compiled(a) for a in arguments])


def _column(name: str, kind: typed.ValueKind) -> _Run:
    if kind == "number":
        return lambda row: None if (value := row.record.get(name)) is None else float(value)
    return lambda row: row.record.get(name)


def _argument(path: tuple[str, ...], kind: typed.ValueKind) -> _Run:
    of_kind = {"number": float, "text": str, "boolean": bool}[kind]

    def run(row: Row) -> Any:
        value = row.argument(path)
        return value if isinstance(value, of_kind) else None

    return run


def _length(value: Any) -> float | None:
    return float(len(value)) if isinstance(value, list | tuple) else None


def _attribute(attributes: Any, key: str) -> str | None:
    return next((str(item["value"]) for item in attributes or () if item["key"] == key), None)


def _each(function: Callable[[Any], Any], operand: _Run) -> _Run:
    return lambda row: None if (value := operand(row)) is None else function(value)


def _both(function: Callable[[Any, Any], Any], left: _Run, right: _Run) -> _Run:
    def run(row: Row) -> Any:
        a = left(row)
        if a is None:
            return None
        b = right(row)
        return None if b is None else function(a, b)

    return run


def _every(operands: list[_Run]) -> _Run:
    def run(row: Row) -> bool | None:
        result: bool | None = True
        for operand in operands:
            value = operand(row)
            if value is False:
                return False
            if value is None:
                result = None
        return result

    return run


def _some(operands: list[_Run]) -> _Run:
    def run(row: Row) -> bool | None:
        result: bool | None = False
        for operand in operands:
            value = operand(row)
            if value is True:
                return True
            if value is None:
                result = None
        return result

    return run


def _finite(function: Callable[[float, float], float]) -> Callable[[float, float], float | None]:
    def run(a: float, b: float) -> float | None:
        try:
            value = function(a, b)
        except ZeroDivisionError:
            return None
        return value if math.isfinite(value) else None

    return run


def _apply(function: str, arguments: list[_Run]) -> _Run:
    if function == "coalesce":
        return lambda row: next((value for a in arguments if (value := a(row)) is not None), None)
    if function in ("least", "greatest"):
        choose = min if function == "least" else max
        return lambda row: choose((value for a in arguments if (value := a(row)) is not None), default=None)
    if len(arguments) == 1:
        return _each(_FUNCTIONS[function], arguments[0])
    return _both(_FUNCTIONS[function], arguments[0], arguments[1])


def like(pattern: str) -> Callable[[str], bool]:
    """Whether a text matches a LIKE pattern, in time linear in the text for each part between two %."""
    parts = [
        re.compile("".join("." if c == "_" else re.escape(c) for c in part), re.DOTALL) for part in pattern.split("%")
    ]
    first, *middle = parts
    if not middle:
        return lambda text: first.fullmatch(text) is not None
    last, tail = middle.pop(), len(pattern.rpartition("%")[2])

    def matches(text: str) -> bool:
        start = first.match(text)
        if start is None:
            return False
        position = start.end()
        # Each part as early as it can be: what is left for the others is then the most there could be.
        for part in middle:
            found = part.search(text, position)
            if found is None:
                return False
            position = found.end()
        return len(text) - tail >= position and last.match(text, len(text) - tail) is not None

    return matches
