"""The ClickHouse target: an expression as SQL over the record's own table (`sinks/store/migrations`).

The text is made from the tree alone: names are of the schema, literals are quoted here. It agrees with the Python
and polars targets value for value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from seamwatch.expressions import typed
from seamwatch.expressions.arguments import MAX_DEPTH
from seamwatch.expressions.expression import Expression, ExpressionKind
from seamwatch.expressions.resolving import resolve
from seamwatch.expressions.tree import EXACT, ComparisonOperator

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
_EXACT: Final = float(EXACT)

# Each string of a text, keys too, gets a mark in front; a long number becomes a string with the mark behind, because
# ClickHouse reads whole numbers of up to 64 bits, and takes those beyond for text.
_MARK: Final = "~"
_STRING: Final = r'"((?:[^"\\\\]|\\\\.)*)"'
_LONG: Final = r"([:,\\[\\s])(-?[1-9][0-9]{15,}(?:\\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"
_MARKED: Final = f"""replaceRegexpAll(arguments, '{_STRING}|{_LONG}', '\\\\2"\\\\3{_MARK}\\\\1"')"""

# The keys and brackets of the text as ClickHouse writes it, each string in one way; keys of two objects may be alike.
_SIGNS: Final = (
    "arrayFilter(s -> s IN ('{', '}', '[', ']') OR endsWith(s, ':'), "
    r"""extractAll(JSONExtractRaw(arguments), '("(?:[^"\\\\]|\\\\.)*":?|[][{}])'))"""
)
_DEPTHS: Final = "arrayCumSum(s -> multiIf(s IN ('{', '['), 1, s IN ('}', ']'), -1, 0), signs)"
_PLACES: Final = (
    "arrayMap((s, d, i) -> (arrayLastIndex((o, e, j) -> o = '{' AND e = d AND j < i, signs, depths, "
    "arrayEnumerate(signs)), if(endsWith(s, ':'), s, toString(i))), signs, depths, arrayEnumerate(signs))"
)
_KEYS: Final = "arrayFilter(s -> endsWith(s, ':'), signs)"
_TWICE: Final = (
    f"(arrayUniq({_KEYS}) < length({_KEYS}) AND arrayExists(places -> arrayUniq(places) < length(places), [{_PLACES}]))"
)
_DEEP_OR_TWICE: Final = (
    f"arrayExists(signs -> arrayExists(depths -> arrayMax(depths) > {MAX_DEPTH} OR {_TWICE}, [{_DEPTHS}]), [{_SIGNS}])"
)
_TOO_LARGE: Final = (
    f"""arrayExists(n -> isInfinite(toFloat64OrZero(n)), extractAll({_MARKED}, '"(-?[0-9]{{309,}}){_MARK}"'))"""
)
_NOTHING: Final = r"trim(BOTH ' \t\n\r' FROM arguments) IN ('', 'null')"
_READABLE: Final = f"({_NOTHING} OR (JSONType(arguments) = 'Object' AND NOT {_DEEP_OR_TWICE} AND NOT {_TOO_LARGE}))"


def clickhouse(expression: Expression, record_type: str, kind: ExpressionKind = "boolean") -> str:
    """The SQL of an expression: for a condition 1, 0 or NULL.

    Raises ExpressionError when the expression has no meaning for the record type, or gives no value of ``kind``.
    """
    return _over_arguments(expression, _sql(resolve(expression, record_type, kind)))


def clickhouse_odd(expression: Expression, record_type: str) -> str:
    """The SQL of whether a condition is NULL because of what is given, and not because something is absent; 1 or 0.

    Raises ExpressionError when the expression has no meaning for the record type.
    """
    return _over_arguments(expression, _odd(resolve(expression, record_type)) or "false")


def _over_arguments(expression: Expression, sql: str) -> str:
    if "arguments" not in expression.columns:
        return sql
    return f"arrayMap((marked, readable) -> {sql}, [{_MARKED}], [{_READABLE}])[1]"


def _sql(node: typed.Typed) -> str:  # noqa: C901  one line a form
    match node:
        case typed.Constant(value):
            return _literal(value)
        case typed.Column():
            return _column(node)
        case typed.Argument(path, kind):
            return _argument(path, kind)
        case typed.ArgumentGiven(path):
            return f"if(readable, CAST({_type(path)} != 'Null', 'Nullable(Bool)'), {_NULLS['boolean']})"
        case typed.ArgumentLength(path):
            length = f"toFloat64(JSONLength({_at(path)}))"
            return f"if(readable AND {_type(path)} = 'Array', {length}, {_NULLS['number']})"
        case typed.ListLength(name):
            return f"toFloat64(length({_name(name)}))"
        case typed.Attribute(key):
            return f"arrayElementOrNull(arrayFilter(a -> a.1 = {_text(key)}, attributes).2, 1)"
        case typed.Compare(operator, left, right):
            return f"({_sql(left)} {operator} {_sql(right)})"
        case typed.CompareWhole(operator, left, right):
            return _compared_whole(operator, left, right)
        case typed.Either(operands):
            return f"coalesce({', '.join(_sql(o) for o in operands)})"
        case typed.AsDouble(operand):
            return f"if(abs({_sql(operand)}) < {_EXACT!r}, {_sql(operand)}, {_NULLS['number']})"
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
            return _apply(function, arguments)


def _column(column: typed.Column) -> str:
    name = _name(column.name)
    if column.stored == "time":
        return f"toFloat64(toUnixTimestamp64Micro({name}))"
    return f"toFloat64({name})" if column.stored == "long" else name


def _at(path: tuple[str, ...]) -> str:
    return ", ".join(["marked", *(_text(_MARK + key) for key in path)])


def _type(path: tuple[str, ...]) -> str:
    return f"JSONType({_at(path)})"


def _argument(path: tuple[str, ...], kind: typed.ValueKind) -> str:
    null, found = _NULLS[kind], f"JSONExtractString({_at(path)})"
    if kind == "boolean":
        return f"if(readable AND {_type(path)} = 'Bool', CAST(JSONExtractBool({_at(path)}), 'Bool'), {null})"
    if kind == "text":
        return f"if(readable AND startsWith({found}, '{_MARK}'), substring({found}, 2), {null})"
    plain = f"{_type(path)} IN ('Int64', 'UInt64', 'Double')"
    return (
        f"multiIf(NOT readable, {null}, {plain}, JSONExtractFloat({_at(path)}), {_is_long(path)}, "
        f"toFloat64OrNull(trim(TRAILING '{_MARK}' FROM {found})), {null})"
    )


def _is_long(path: tuple[str, ...]) -> str:
    found = f"JSONExtractString({_at(path)})"
    return f"(endsWith({found}, '{_MARK}') AND NOT startsWith({found}, '{_MARK}'))"


# Whole numbers of 2^53 and beyond


def _compared_whole(operator: ComparisonOperator, left: typed.Typed, right: typed.Typed) -> str:
    one, other = _sql(left), _sql(right)
    first, second = _digits(left), _digits(right)
    if operator in ("=", "<>"):
        exactly = f"{first} {operator} {second}"
    else:
        order = f"if(length({first}) = length({second}), {first} < {second}, length({first}) < length({second}))"
        # Of two numbers below zero the one with the smaller digits is the larger one.
        less = f"({first} != {second} AND ({order}) = ({one} > 0))"
        more = f"({first} != {second} AND ({order}) != ({one} > 0))"
        exactly = {"<": less, "<=": f"NOT {more}", ">": more, ">=": f"NOT {less}"}[operator]
    null = _NULLS["boolean"]
    return (
        f"multiIf(isNull({one}) OR isNull({other}), {null}, {one} = {other} AND abs({one}) >= {_EXACT!r}, "
        f"{exactly}, {one} {operator} {other})"
    )


def _digits(node: typed.Typed) -> str:
    match node:
        case typed.Constant(int(value)):
            return f"'{value}'"
        case typed.Column(name, stored="long"):
            return f"toString({_name(name)})"
        case typed.Argument(path, _):
            shown = f"trim(TRAILING '{_MARK}' FROM JSONExtractString({_at(path)}))"
            return f"if(readable AND {_is_long(path)} AND match({shown}, '^-?[0-9]+$'), {shown}, {_NULLS['text']})"
        case typed.Apply("coalesce", arguments):
            return _coalesced(arguments, _digits, "text")
        case _:
            return _NULLS["text"]


def _one_of(operand: typed.Typed, values: tuple[str, ...] | tuple[float, ...]) -> str:
    listed = ", ".join(_literal(value) for value in values)
    # Sets tell 0 from -0; adding 0 makes one of them.
    inner = f"({_sql(operand)} + 0.)" if isinstance(values[0], float) else _sql(operand)
    return f"({inner} IN ({listed}))"


def _apply(function: str, arguments: tuple[typed.Typed, ...]) -> str:
    compiled = [_sql(a) for a in arguments]
    if function == "coalesce":
        return _coalesced(arguments, _sql, None)
    if function in ("least", "greatest"):
        chosen = compiled[0] if len(compiled) == 1 else f"{function}({', '.join(compiled)})"
        odd = [found for a in arguments if (found := _odd(a)) is not None]
        return f"if({' OR '.join(odd)}, {_NULLS['number']}, {chosen})" if odd else chosen
    return _FUNCTIONS[function].format(*compiled)


def _coalesced(operands: tuple[typed.Typed, ...], read: Callable[[typed.Typed], str], null: str | None) -> str:
    """What is read of the first operand with a value, unless one before it is odd."""
    odd = [_odd(operand) for operand in operands]
    if null is None and not any(odd[:-1]):
        compiled = [_sql(operand) for operand in operands]
        return compiled[0] if len(compiled) == 1 else f"coalesce({', '.join(compiled)})"
    parts: list[str] = []
    for operand, wrong in zip(operands[:-1], odd, strict=False):
        parts += [f"isNotNull({_sql(operand)})", read(operand)]
        parts += [wrong, "NULL"] if wrong is not None else []
    return f"multiIf({', '.join([*parts, read(operands[-1])])})" if parts else read(operands[-1])


def _odd(node: typed.Typed) -> str | None:
    """Where a value is odd; None where it never is."""
    match node:
        case typed.Argument(path, _) | typed.ArgumentLength(path):
            return f"(ifNull({_sql(typed.ArgumentGiven(path))}, true) AND isNull({_sql(node)}))"
        case typed.ArgumentGiven():
            return f"isNull({_sql(node)})"
        case typed.CompareWhole(_, left, right):
            both = f"(isNotNull({_sql(left)}) AND isNotNull({_sql(right)}))"
            return _null_by(node, [both, _odd(left), _odd(right)])
        case typed.Compare(_, left, right) | typed.Compute(_, left, right):
            return _null_by(node, [_odd(left), _odd(right)])
        case typed.Every(operands) | typed.Some(operands):
            return _null_by(node, [_odd(o) for o in operands])
        case typed.Either(operands):
            odd = [found for o in operands if (found := _odd(o)) is not None]
            return f"({' AND '.join(odd)})" if len(odd) == len(operands) else None
        case typed.AsDouble(operand):
            return _some([f"ifNull(abs({_sql(operand)}) >= {_EXACT!r}, false)", _odd(operand)])
        case typed.OneOf(operand, _) | typed.Matches(operand, _) | typed.Opposite(operand):
            return _odd(operand)
        case typed.Apply("coalesce", operands):
            found = _odd(operands[-1])
            for operand in reversed(operands[:-1]):
                later = None if found is None else f"(isNull({_sql(operand)}) AND {found})"
                found = _some([_odd(operand), later])
            return found
        case typed.Apply(_, operands):
            return _null_by(node, [_odd(o) for o in operands])
        case _:
            return None


def _null_by(node: typed.Typed, conditions: list[str | None]) -> str | None:
    odd = _some(conditions)
    return None if odd is None else f"(isNull({_sql(node)}) AND {odd})"


def _some(conditions: list[str | None]) -> str | None:
    given = [condition for condition in conditions if condition is not None]
    return f"({' OR '.join(given)})" if given else None


def _literal(value: float | str | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    value = float(value)
    return repr(value + 0.0) if value >= 0 else f"({value!r})"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _name(name: str) -> str:
    return f"`{name}`"
