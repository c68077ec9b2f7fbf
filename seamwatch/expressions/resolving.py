"""Resolving: what an expression means for one record type, or why it means nothing.

Settles each name against the record type's schema, checks that kinds mix, turns times and durations written as text
into microseconds, and pushes the kind a place asks for down to values inside `arguments`, whose kind only the event
knows.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import Literal

from seamwatch.durations import parse_duration
from seamwatch.errors import ExpressionError
from seamwatch.expressions import tree, typed
from seamwatch.expressions.expression import Expression, ExpressionKind
from seamwatch.expressions.functions import FUNCTIONS
from seamwatch.instants import parse_instant
from seamwatch.record_types import INPUT_TYPES
from seamwatch.wire.schemas import Field, schema

# "any" is a value inside `arguments`; "duration" is the difference of two times.
Kind = Literal["number", "text", "boolean", "time", "duration", "any"]
_SAID = {
    "number": "a number",
    "text": "text",
    "boolean": "a condition",
    "time": "a time",
    "duration": "a duration",
    "any": "a value inside arguments",
}
_WILD = re.compile(r"[%_]{2,}")
_VALUE_KINDS: tuple[typed.ValueKind, ...] = ("number", "text", "boolean")


def resolve(expression: Expression, record_type: str, kind: ExpressionKind = "boolean") -> typed.Typed:
    """The typed tree of an expression for a record type.

    Raises ExpressionError naming the unknown field or the kinds that do not mix.
    """
    try:
        return _resolved(expression, record_type, kind)
    except ExpressionError as error:
        raise ExpressionError(f"{error} (in {expression.shown!r})") from None


@lru_cache(maxsize=4096)
def _resolved(expression: Expression, record_type: str, kind: ExpressionKind) -> typed.Typed:
    if record_type not in INPUT_TYPES:
        raise ExpressionError(f"expressions are over events: {record_type!r} is none of {', '.join(INPUT_TYPES)}")
    return _Resolver(record_type).as_kind(expression.tree, kind)


class _Resolver:
    """Resolves nodes against one record type."""

    def __init__(self, record_type: str) -> None:
        self._record_type = record_type
        self._fields = {field.name: field for field in schema(record_type).fields}

    def kind_of(self, node: tree.Node) -> Kind:
        """The kind of value a node gives; errors inside it are left to `as_kind`."""
        match node:
            case tree.Text():
                return "text"
            case tree.Number():
                return "number"
            case tree.Name(path):
                return self._kind_of_name(path)
            case tree.Arithmetic(operator, left, right):
                return self._kind_of_arithmetic(operator, left, right)
            case tree.Call("coalesce", arguments):
                kinds = [self.kind_of(a) for a in arguments]
                return next((k for k in kinds if k != "any"), "any")
            case tree.Call(function, _):
                result = FUNCTIONS[function].result
                assert result != "any"
                return result
            case _:
                return "boolean"

    def as_kind(self, node: tree.Node, wanted: Kind) -> typed.Typed:
        """The typed node, giving a value of the wanted kind; ExpressionError when it cannot."""
        match node:
            case tree.Text(value) if wanted in ("time", "duration"):
                return typed.Constant(float(_micros(value, wanted)))
            case tree.Text(value) if wanted == "text":
                return typed.Constant(value)
            case tree.Number(value) if wanted in ("number", "time", "duration"):
                return typed.Constant(value if wanted == "number" else float(value))
            case tree.Truth(value) if wanted == "boolean":
                return typed.Constant(value)
        kind = self.kind_of(node)
        if kind == "any" and wanted in _VALUE_KINDS:
            return self._any(node, wanted)
        if not _serves(kind, wanted):
            raise ExpressionError(f"{tree.canonical(node)} is {_SAID[kind]}, where {_SAID[wanted]} is needed")
        return self._plain(node)

    def _plain(self, node: tree.Node) -> typed.Typed:  # noqa: C901  one case a form
        match node:
            case tree.Name(path):
                return self._name(path)
            case tree.Arithmetic(operator, left, right):
                return self._compute(operator, left, right)
            case tree.Comparison(operator, left, right):
                return self._comparison(operator, left, right)
            case tree.Membership(operand, values):
                return self._membership(operand, values)
            case tree.Like(operand, pattern):
                if "\\" in pattern:
                    raise ExpressionError(f"LIKE {pattern!r}: a backslash has no meaning here; use contains")
                return typed.Matches(self.as_kind(operand, "text"), _settled(pattern))
            case tree.IsNull(operand):
                return self._is_null(operand)
            case tree.IsTruth(operand, value):
                return typed.Is(self.as_kind(operand, "boolean"), value)
            case tree.Not(operand):
                return typed.Opposite(self.as_kind(operand, "boolean"))
            case tree.And(operands):
                return typed.Every(tuple(self.as_kind(o, "boolean") for o in operands))
            case tree.Or(operands):
                return typed.Some(tuple(self.as_kind(o, "boolean") for o in operands))
            case tree.Call(function, arguments):
                return self._call(function, arguments)
            case tree.Text(value) | tree.Number(value) | tree.Truth(value):
                return typed.Constant(value)

    # Names

    def _field(self, path: tuple[str, ...]) -> Field:
        field = self._fields.get(path[0])
        if field is None:
            raise ExpressionError(self._unknown(path[0]))
        return field

    def _unknown(self, name: str) -> str:
        close = difflib.get_close_matches(name, self._fields, n=1)
        hint = f": did you mean {close[0]!r}?" if close else ""
        if not close and not name.isidentifier():
            hint = ": text is written in single quotes"
        return f"unknown field {name!r} of {self._record_type}{hint}"

    def _kind_of_name(self, path: tuple[str, ...]) -> Kind:
        field = self._field(path)
        if path[0] == "arguments":
            if len(path) == 1:
                raise ExpressionError("arguments is a JSON object: reach inside it with arguments.<name>")
            return "any"
        if path[0] == "attributes":
            if len(path) != 2:
                raise ExpressionError("attributes is a list of keys and values: reach inside it with attributes.<key>")
            return "text"
        if len(path) > 1:
            raise ExpressionError(f"{path[0]} has nothing inside it, so {'.'.join(path)} is unknown")
        if field.primitive == "array":
            raise ExpressionError(f"{path[0]} is a list: only array_length({path[0]}) can be asked of it")
        if field.time:
            return "time"
        kinds: dict[str, Kind] = {"double": "number", "long": "number", "int": "number", "boolean": "boolean"}
        return kinds.get(field.primitive, "text")

    def _name(self, path: tuple[str, ...]) -> typed.Typed:
        if path[0] == "attributes":
            return typed.Attribute(path[1])
        field = self._field(path)
        name = path[0]
        if field.time:
            return typed.Column(name, "number", "time")
        match field.primitive:
            case "double":
                return typed.Column(name, "number", "double")
            case "long" | "int":
                return typed.Column(name, "number", "long")
            case "boolean":
                return typed.Column(name, "boolean", "boolean")
            case "enum":
                return typed.Column(name, "text", "enum")
            case _:
                return typed.Column(name, "text", "text")

    def _any(self, node: tree.Node, kind: typed.ValueKind) -> typed.Typed:
        if isinstance(node, tree.Name):
            return typed.Argument(node.path[1:], kind)
        assert isinstance(node, tree.Call)
        return typed.Apply("coalesce", tuple(self._any(a, kind) for a in node.arguments))

    # Conditions

    def _comparison(self, operator: tree.ComparisonOperator, left: tree.Node, right: tree.Node) -> typed.Typed:
        kind = self._common(left, right)
        ordered = operator not in ("=", "<>")
        if kind == "boolean" and ordered:
            raise ExpressionError(f"conditions have no order: {operator} compares numbers, text or times")
        if kind != "any":
            self._check_symbols(left, [right])
            self._check_symbols(right, [left])
            return _compared(operator, self.as_kind(left, kind), self.as_kind(right, kind), kind)
        # Two values inside arguments: compared when they are of one kind, whichever that is.
        kinds = [k for k in _VALUE_KINDS if not (k == "boolean" and ordered)]
        return typed.Either(tuple(_compared(operator, self._any(left, k), self._any(right, k), k) for k in kinds))

    def _common(self, left: tree.Node, right: tree.Node) -> Kind:
        kinds = (self.kind_of(left), self.kind_of(right))
        for kind in ("time", "duration"):
            if kind in kinds and all(_becomes(n, k, kind) for n, k in zip((left, right), kinds, strict=True)):
                return kind
        known = [k for k in kinds if k != "any"]
        if len(set(known)) > 1:
            raise ExpressionError(
                f"{tree.canonical(left)} is {_SAID[kinds[0]]} and {tree.canonical(right)} is {_SAID[kinds[1]]}: "
                "they cannot be compared"
            )
        if known == ["time"]:
            raise ExpressionError("a time cannot be compared with a value inside arguments")
        if known == ["duration"]:
            return "number"
        return known[0] if known else "any"

    def _check_symbols(self, node: tree.Node, against: list[tree.Node]) -> None:
        if not isinstance(node, tree.Name) or node.path[0] not in self._fields:
            return
        symbols = self._fields[node.path[0]].symbols
        for value in against:
            if symbols and isinstance(value, tree.Text) and value.value not in symbols:
                close = difflib.get_close_matches(value.value, symbols, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"it is one of {', '.join(symbols)}"
                raise ExpressionError(f"{node.text} is never {value.value!r}: {hint}")

    def _membership(self, operand: tree.Node, values: tuple[tree.Text, ...] | tuple[tree.Number, ...]) -> typed.Typed:
        self._check_symbols(operand, list(values))
        kind = self._common(operand, values[0])
        literals = [self.as_kind(value, kind) for value in values]
        texts = tuple(c.value for c in literals if isinstance(c, typed.Constant) and isinstance(c.value, str))
        asked = self.as_kind(operand, kind)
        if texts:
            return typed.OneOf(asked, texts)
        numbers = tuple(c.value for c in literals if isinstance(c, typed.Constant) and isinstance(c.value, float | int))
        plain = [v for v in numbers if abs(v) < tree.EXACT or not (isinstance(v, int) or _may_be_whole(asked))]
        # Beyond 2^53 each is compared for itself: a set knows nothing of what cannot be told.
        some: list[typed.Typed] = [typed.OneOf(asked, tuple(map(float, plain)))] if plain else []
        some += [_compared("=", asked, typed.Constant(v), kind) for v in numbers if v not in plain]
        return some[0] if len(some) == 1 else typed.Some(tuple(some))

    def _is_null(self, operand: tree.Node) -> typed.Typed:
        if self.kind_of(operand) == "any":
            given = tuple(typed.ArgumentGiven(path) for path in _paths(operand))
            return typed.Opposite(given[0] if len(given) == 1 else typed.Some(given))
        return typed.Unknown(self._plain(operand))

    # Values

    def _kind_of_arithmetic(self, operator: str, left: tree.Node, right: tree.Node) -> Kind:
        kinds = self._sides(left, right)
        if "time" in kinds:
            if operator == "-" and kinds == ("time", "time"):
                return "duration"
            if (operator in ("+", "-") and kinds[1] in ("number", "duration")) or (
                operator == "+" and kinds[0] in ("number", "duration")
            ):
                return "time"
            raise ExpressionError(
                f"{tree.canonical(left)} {operator} {tree.canonical(right)} means nothing: two times can be "
                "subtracted, and a duration added to a time or taken from it"
            )
        return "duration" if "duration" in kinds else "number"

    def _sides(self, left: tree.Node, right: tree.Node) -> tuple[Kind, Kind]:
        # Text beside a time is a duration, such as '26h'.
        kinds = (self.kind_of(left), self.kind_of(right))
        if "time" in kinds:
            return (_beside_time(left, kinds[0]), _beside_time(right, kinds[1]))
        return kinds

    def _compute(self, operator: tree.ArithmeticOperator, left: tree.Node, right: tree.Node) -> typed.Typed:
        kinds = self._sides(left, right)
        sides = (
            self.as_kind(n, k if k in ("time", "duration") else "number")
            for n, k in zip((left, right), kinds, strict=True)
        )
        return typed.Compute(operator, *(_calculable(side) for side in sides))

    def _call(self, function: str, arguments: tuple[tree.Node, ...]) -> typed.Typed:
        if function == "array_length":
            return self._length(arguments[0])
        if function == "coalesce":
            kind = self.kind_of(tree.Call(function, arguments))
            return typed.Apply(function, tuple(self.as_kind(a, kind) for a in arguments))
        wanted = FUNCTIONS[function].argument
        assert wanted in ("number", "text")
        given = (self._argument(a, wanted) for a in arguments)
        return typed.Apply(function, tuple(_calculable(a) if wanted == "number" else a for a in given))

    def _argument(self, node: tree.Node, wanted: Kind) -> typed.Typed:
        # A duration is a number of microseconds wherever a number is asked for.
        return self._plain(node) if self.kind_of(node) == wanted == "duration" else self.as_kind(node, wanted)

    def _length(self, node: tree.Node) -> typed.Typed:
        if isinstance(node, tree.Name):
            field = self._field(node.path)
            if node.path[0] == "arguments" and len(node.path) > 1:
                return typed.ArgumentLength(node.path[1:])
            if field.primitive == "array" and len(node.path) == 1:
                return typed.ListLength(node.path[0])
        raise ExpressionError(f"array_length takes a list: {tree.canonical(node)} is none")


def _compared(
    operator: tree.ComparisonOperator, left: typed.Typed, right: typed.Typed, kind: Kind
) -> typed.Compare | typed.CompareWhole:
    """The two compared: exactly, where doubles would take neighbours among large whole numbers for one."""
    if kind != "number" or _is_small(left) or _is_small(right):
        return typed.Compare(operator, left, right)
    exactly = _may_be_whole(left) or _may_be_whole(right)
    return typed.CompareWhole(operator, left, right) if exactly else typed.Compare(operator, left, right)


def _is_small(node: typed.Typed) -> bool:
    return isinstance(node, typed.Constant) and not isinstance(node.value, str) and abs(node.value) < tree.EXACT


def _may_be_whole(node: typed.Typed) -> bool:
    """Whether a number may be a whole one of 2^53 or beyond that no double holds."""
    match node:
        case typed.Argument() | typed.Column(stored="long") | typed.Constant(int()):
            return True
        case typed.Apply("coalesce", arguments):
            return any(_may_be_whole(a) for a in arguments)
        case _:
            return False


def _calculable(node: typed.Typed) -> typed.Typed:
    """A number to calculate with."""
    if isinstance(node, typed.Constant) and isinstance(node.value, int):
        raise ExpressionError(f"{node.value} cannot be held exactly in a calculation: write it below 2^53")
    return typed.AsDouble(node) if _may_be_whole(node) else node


def _serves(kind: Kind, wanted: Kind) -> bool:
    # Times are microseconds, and so are durations; a number may stand for either.
    return (
        kind == wanted
        or (kind == "duration" and wanted == "number")
        or (kind == "number" and wanted in ("time", "duration"))
    )


def _beside_time(node: tree.Node, kind: Kind) -> Kind:
    return "duration" if isinstance(node, tree.Text) else kind


def _becomes(node: tree.Node, kind: Kind, wanted: Kind) -> bool:
    return _serves(kind, wanted) or isinstance(node, tree.Text)


def _micros(text: str, kind: Kind) -> int:
    try:
        return parse_instant(text) if kind == "time" else parse_duration(text)
    except ValueError as error:
        raise ExpressionError(str(error)) from None


def _settled(pattern: str) -> str:
    """The same pattern with each run of ``%`` and ``_`` as so many ``_`` and one ``%``.

    ``%_%_%_`` has an engine of regular expressions go over the whole text for each of its ways to match.
    """
    return _WILD.sub(lambda run: "_" * run[0].count("_") + "%" * ("%" in run[0]), pattern)


def _paths(node: tree.Node) -> list[tuple[str, ...]]:
    if isinstance(node, tree.Name):
        return [node.path[1:]]
    assert isinstance(node, tree.Call)
    return [path for argument in node.arguments for path in _paths(argument)]
