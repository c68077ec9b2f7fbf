"""The ClickHouse target: an expression as SQL over the record's own table (`sinks/migrations`).

The text is made from the tree alone: names are of the schema, literals are quoted here. It agrees with the Python
and polars targets value for value.
"""

from __future__ import annotations

from typing import Final

from seamwatch.expressions import typed
from seamwatch.expressions.expression import Expression, ExpressionKind
from seamwatch.expressions.resolving import resolve

_FUNCTIONS: Final = {
    "abs": "abs({})",
    "ceil": "ceil({})",
    "contains": "(position({}, {}) > 0)",
    "ends_with": "endsWith({}, {})",
    "floor": "floor({})",
    "length": "toFloat64(lengthUTF8({}))",
    "lower": "lower({})",
    "round": "round({})",
    "starts_with": "startsWith({}, {})",
    "upper": "upper({})",
}
_NULLS: Final = {
    "number": "CAST(NULL, 'Nullable(Float64)')",
    "text": "CAST(NULL, 'Nullable(String)')",
    "boolean": "CAST(NULL, 'Nullable(Bool)')",
}
# Strings of a JSON text; without them a bare number is a number.
_STRINGS: Final = r"""'"(?:[^"\\\\]|\\\\.)*"'"""


def clickhouse(expression: Expression, record_type: str, kind: ExpressionKind = "boolean") -> str:
    """The SQL of an expression: for a condition 1, 0 or NULL.

    Raises ExpressionError when the expression has no meaning for the record type, or gives no value of ``kind``.
    """
    return _sql(resolve(expression, record_type, kind))


def _sql(node: typed.Typed) -> str:  # noqa: C901  one line a form
    match node:
        case typed.Constant(value):
            return _literal(value)
        case typed.Column():
            return _column(node)
        case typed.Argument(path, kind):
            return _argument(path, kind)
        case typed.ArgumentGiven(path):
            return f"(JSONType({_raw(path)}) != 'Null')"
        case typed.ArgumentLength(path):
            raw = _raw(path)
            return f"if(JSONType({raw}) = 'Array', toFloat64(JSONLength({raw})), {_NULLS['number']})"
        case typed.ListLength(name):
            return f"toFloat64(length({_name(name)}))"
        case typed.Attribute(key):
            return f"arrayElementOrNull(arrayFilter(a -> a.1 = {_text(key)}, attributes).2, 1)"
        case typed.Compare(operator, left, right):
            return f"({_sql(left)} {operator} {_sql(right)})"
        case typed.OneOf(operand, values):
            return _one_of(operand, values)
        case typed.Matches(operand, pattern):
            return f"({_sql(operand)} LIKE {_text(pattern)})"
        case typed.Unknown(operand):
            return f"isNull({_sql(operand)})"
        case typed.Is(operand, value):
            return f"ifNull({_sql(operand)} = {_literal(value)}, false)"
        case typed.Opposite(operand):
            return f"(NOT {_sql(operand)})"
        case typed.Every(operands):
            return "(" + " AND ".join(_sql(o) for o in operands) + ")"
        case typed.Some(operands):
            return "(" + " OR ".join(_sql(o) for o in operands) + ")"
        case typed.Compute(operator, left, right):
            return f"ifNotFinite({_sql(left)} {operator} {_sql(right)}, {_NULLS['number']})"
        case typed.Apply(function, arguments):
            return _apply(function, [_sql(a) for a in arguments])


def _column(column: typed.Column) -> str:
    name = _name(column.name)
    if column.stored == "time":
        return f"toFloat64(toUnixTimestamp64Micro({name}))"
    return f"toFloat64({name})" if column.stored == "long" else name


def _raw(path: tuple[str, ...]) -> str:
    # Key by key, taking the last of a key given twice, as other readers of JSON do.
    raw = "arguments"
    for key in path:
        raw = f"arrayLast(a -> a.1 = {_text(key)}, JSONExtractKeysAndValuesRaw({raw})).2"
    return raw


def _argument(path: tuple[str, ...], kind: typed.ValueKind) -> str:
    raw = _raw(path)
    if kind == "boolean":
        return f"if(JSONType({raw}) = 'Bool', CAST(JSONExtractBool({raw}), 'Bool'), {_NULLS[kind]})"
    # ClickHouse takes a whole number beyond 64 bits for text; it is one if its digits stand outside all strings.
    bare = (
        rf"(match({raw}, '^\"-?[0-9]{{19,}}\"$') AND "
        f"position(replaceRegexpAll(arguments, {_STRINGS}, '\"\"'), trim(BOTH '\"' FROM {raw})) > 0)"
    )
    text = f"JSONExtractString({raw})"
    if kind == "text":
        return f"if(JSONType({raw}) = 'String' AND NOT {bare}, {text}, {_NULLS[kind]})"
    plain = f"JSONType({raw}) IN ('Int64', 'UInt64', 'Double')"
    return f"multiIf({plain}, JSONExtractFloat({raw}), {bare}, toFloat64OrNull({text}), {_NULLS[kind]})"


def _one_of(operand: typed.Typed, values: tuple[str, ...] | tuple[float, ...]) -> str:
    listed = ", ".join(_literal(value) for value in values)
    # Sets tell 0 from -0; adding 0 makes one of them.
    inner = f"({_sql(operand)} + 0.)" if isinstance(values[0], float) else _sql(operand)
    return f"({inner} IN ({listed}))"


def _apply(function: str, arguments: list[str]) -> str:
    if function in ("coalesce", "least", "greatest"):
        return arguments[0] if len(arguments) == 1 else f"{function}({', '.join(arguments)})"
    return _FUNCTIONS[function].format(*arguments)


def _literal(value: float | str | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    return repr(value + 0.0) if value >= 0 else f"({value!r})"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _name(name: str) -> str:
    return f"`{name}`"
