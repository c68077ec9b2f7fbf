"""The Python target: an expression as a function of one record, for the caller's own guard and for judges.

Compiled once into nested closures; a record's arguments are parsed at most once an evaluation. It agrees with the
polars and ClickHouse targets value for value.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from seamwatch.expressions import typed
from seamwatch.expressions.arguments import UNREADABLE, Unreadable, arguments_or_none, value_at
from seamwatch.expressions.expression import Expression, ExpressionKind
from seamwatch.expressions.resolving import resolve
from seamwatch.expressions.tree import EXACT

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


class Odd:
    """The value of what is odd (`seamwatch.expressions.typed`): given, but not to be used."""

    def __repr__(self) -> str:
        return "ODD"


ODD: Final = Odd()
"""NULL because of what is given, where None is NULL because nothing is."""


class Row:
    """One record, with its arguments parsed when they are first asked for, once for all conditions asked of it.

    ``answers`` is for whoever asks one condition several times, by what it is called.
    """

    __slots__ = ("_arguments", "answers", "record")

    def __init__(self, record: Mapping[str, Any], arguments: Mapping[str, Any] | Unreadable | None = None) -> None:
        self.record = record
        self.answers: dict[Any, Any] = {}
        self._arguments = arguments

    def argument(self, path: tuple[str, ...]) -> Any:
        """The JSON value at a path, None where there is none, and `UNREADABLE` when the arguments cannot be read."""
        if self._arguments is None:
            read = arguments_or_none(self.record.get("arguments"))
            self._arguments = UNREADABLE if read is None else read
        return UNREADABLE if isinstance(self._arguments, Unreadable) else value_at(self._arguments, path)


Evaluate = Callable[[Row], Any]


def closure(expression: Expression, record_type: str) -> Callable[[Mapping[str, Any]], bool | None]:
    """A function that gives TRUE, FALSE or NULL (None) for a record of the wire (times in microseconds).

    Raises ExpressionError when the expression has no meaning for the record type, or is no condition.
    """
    run = compiled(resolve(expression, record_type))
    return lambda record: None if (value := run(Row(record))) is ODD else value


def row_closure(expression: Expression, record_type: str) -> Callable[[Row], bool | Odd | None]:
    """As `closure`, of a row: for many conditions over one record, whose arguments are then parsed once.

    What is odd is told apart.
    """
    return compiled(resolve(expression, record_type))


def value_closure(
    expression: Expression, record_type: str, kind: ExpressionKind = "number"
) -> Callable[[Mapping[str, Any]], Any]:
    """A function that gives the value (a number, text or bool) or None for a record. Errors as `closure`."""
    run = compiled(resolve(expression, record_type, kind))
    return lambda record: None if (value := run(Row(record))) is ODD else value


def compiled(node: typed.Typed) -> Evaluate:  # noqa: C901  one line a form
    """The value of a typed node for a row: a float, large int, text or bool, None where it is absent, or ODD."""
    match node:
        case typed.Constant(value):
            return lambda _row: value
        case typed.Column(name, kind, stored):
            return _column(name, kind, stored)
        case typed.Argument(path, kind):
            return _argument(path, kind)
        case typed.ArgumentGiven(path):
            return lambda row: ODD if (value := row.argument(path)) is UNREADABLE else value is not None
        case typed.ArgumentLength(path):
            return lambda row: _length(row.argument(path))
        case typed.ListLength(name):
            return lambda row: _length(row.record.get(name))
        case typed.Attribute(key):
            return lambda row: _attribute(row.record.get("attributes"), key)
        case typed.Compare(symbol, left, typed.Constant(value)):
            compare = _COMPARE[symbol]
            return _each(lambda x: compare(x, value), compiled(left))
        case typed.Compare(symbol, left, right):
            return _both(_COMPARE[symbol], compiled(left), compiled(right))
        case typed.CompareWhole(symbol, left, right):
            return _both(_whole(_COMPARE[symbol]), compiled(left), compiled(right))
        case typed.Either(operands):
            return _either([compiled(o) for o in operands])
        case typed.AsDouble(operand):
            return _each(lambda x: x if -EXACT < x < EXACT else ODD, compiled(operand))
        case typed.OneOf(operand, values):
            among = frozenset(values)
            return _each(lambda x: x in among, compiled(operand))
        case typed.Matches(operand, pattern):
            return _each(like(pattern), compiled(operand))
        case typed.Unknown(operand):
            inner = compiled(operand)
            return lambda row: (value := inner(row)) is None or value is ODD
        case typed.Is(operand, wanted):
            inner = compiled(operand)
            return lambda row: inner(row) is wanted
        case typed.Opposite(operand):
            return _each(operator.not_, compiled(operand))
        case typed.Every(operands):
            return _every([compiled(o) for o in operands])
        case typed.Some(operands):
            return _some([compiled(o) for o in operands])
        case typed.Compute(symbol, left, right):
            return _both(_finite(_COMPUTE[symbol]), compiled(left), compiled(right))
        case typed.Apply(function, arguments):
            return _apply(function, [compiled(a) for a in arguments])


def _column(name: str, kind: typed.ValueKind, stored: str) -> Evaluate:
    if stored == "long":
        return lambda row: None if (value := row.record.get(name)) is None else _exact(value)
    if kind == "number":
        return lambda row: None if (value := row.record.get(name)) is None else float(value)
    return lambda row: row.record.get(name)


def _exact(value: int) -> float | int:
    return float(value) if -EXACT < value < EXACT else value


def _argument(path: tuple[str, ...], kind: typed.ValueKind) -> Evaluate:
    # Numbers are mostly floats, and a bool is an int.
    of_kind = {"number": float, "text": str, "boolean": bool}[kind]
    whole = kind == "number"

    def run(row: Row) -> Any:
        value = row.argument(path)
        if value is None or isinstance(value, of_kind) or (whole and type(value) is int):
            return value
        return ODD

    return run


def _length(value: Any) -> Any:
    if value is None:
        return None
    return float(len(value)) if isinstance(value, list | tuple) else ODD


def _attribute(attributes: Any, key: str) -> str | None:
    return next((str(item["value"]) for item in attributes or () if item["key"] == key), None)


def _each(function: Callable[[Any], Any], operand: Evaluate) -> Evaluate:
    return lambda row: value if (value := operand(row)) is None or value is ODD else function(value)


def _both(function: Callable[[Any, Any], Any], left: Evaluate, right: Evaluate) -> Evaluate:
    def run(row: Row) -> Any:
        a = left(row)
        b = right(row)
        if a is None or b is None or a is ODD or b is ODD:
            return ODD if a is ODD or b is ODD else None
        return function(a, b)

    return run


def _whole(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool | Odd]:
    def run(a: float, b: float) -> bool | Odd:
        if -EXACT < a < EXACT or -EXACT < b < EXACT or (type(a) is int and type(b) is int):
            return compare(a, b)
        return ODD if float(a) == float(b) else compare(a, b)

    return run


def _every(operands: list[Evaluate]) -> Evaluate:
    def run(row: Row) -> bool | Odd | None:
        result: bool | Odd | None = True
        for operand in operands:
            value = operand(row)
            if value is False:
                return False
            if value is ODD or (value is None and result is not ODD):
                result = value
        return result

    return run


def _some(operands: list[Evaluate]) -> Evaluate:
    def run(row: Row) -> bool | Odd | None:
        result: bool | Odd | None = False
        for operand in operands:
            value = operand(row)
            if value is True:
                return True
            if value is ODD or (value is None and result is not ODD):
                result = value
        return result

    return run


def _either(operands: list[Evaluate]) -> Evaluate:
    def run(row: Row) -> bool | Odd | None:
        result: bool | Odd | None = ODD
        for operand in operands:
            value = operand(row)
            if value is None:
                result = None
            elif value is not ODD:
                return cast("bool", value)
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


def _apply(function: str, arguments: list[Evaluate]) -> Evaluate:
    if function == "coalesce":
        return lambda row: next((value for a in arguments if (value := a(row)) is not None), None)
    if function in ("least", "greatest"):
        return _extreme(min if function == "least" else max, arguments)
    if len(arguments) == 1:
        return _each(_FUNCTIONS[function], arguments[0])
    return _both(_FUNCTIONS[function], arguments[0], arguments[1])


def _extreme(choose: Callable[..., Any], operands: list[Evaluate]) -> Evaluate:
    def run(row: Row) -> Any:
        given = [value for operand in operands if (value := operand(row)) is not None]
        return ODD if ODD in given else choose(given, default=None)

    return run


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
