"""Possible: whether any event can make a condition TRUE, and whether one can make it anything else.

For those who write contracts: a condition that no event meets is a slip of the pen. Incomplete, and sound: an event
that meets a condition is never denied. Looks at conditions only; what a clause makes of them is the clause's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Final, Literal

from seamwatch.expressions import demands, typed
from seamwatch.expressions.demands import Demand, Plain
from seamwatch.expressions.doubts import named
from seamwatch.expressions.expression import Expression
from seamwatch.expressions.resolving import resolve
from seamwatch.expressions.shapes import Given, Shape, place_of
from seamwatch.expressions.tree import ComparisonOperator
from seamwatch.wire.schemas import Field, schema

MOST_WAYS: Final = 64
"""In how many ways a condition may hold before no more of them are looked at."""

_INVERSE: Final[dict[ComparisonOperator, ComparisonOperator]] = {
    "=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">",
}  # fmt: skip
_TURNED: Final[dict[ComparisonOperator, ComparisonOperator]] = {
    "=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<=",
}  # fmt: skip
_SIGNS: Final[dict[ComparisonOperator, frozenset[int]]] = {
    "=": frozenset({0}), "<>": frozenset({-1, 1}), "<": frozenset({-1}), ">": frozenset({1}),
    "<=": frozenset({-1, 0}), ">=": frozenset({0, 1}),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a condition that must be TRUE, or FALSE."""

    node: typed.Typed
    value: bool


_Way = tuple[_Part, ...]


def contradiction(condition: Expression, record_type: str) -> str | None:
    """Why no event makes a condition TRUE: "arguments.amount would have to be at least 1000 and at most 100".

    None where one may. Raises ExpressionError when the condition has no meaning for the record type.
    """
    return _never(condition, record_type, value=True)


def certain(condition: Expression, record_type: str) -> bool:
    """Whether a condition is TRUE of every event: never FALSE, and never NULL. False where that cannot be told."""
    never_null = not may_be_null(typed_of(condition.shape, record_type), fields_of(record_type))
    return never_null and _never(condition, record_type, value=False) is not None


def _never(condition: Expression, record_type: str, *, value: bool) -> str | None:
    paths = _paths(condition.shape, record_type, value)
    why = "it is FALSE whatever the event says"
    for number, path in enumerate(paths):
        found = path.never(condition.literals)
        if found is None:
            return None
        why = found if number == 0 else why
    return why


@lru_cache(maxsize=4096)
def typed_of(shape: Shape, record_type: str) -> typed.Typed:
    """What a shape means, with its stand-ins."""
    return resolve(Expression.of(shape.tree), record_type)


@lru_cache(maxsize=4096)
def _paths(shape: Shape, record_type: str, value: bool) -> tuple[_Path, ...]:
    """What each way to make a condition of this shape TRUE (or FALSE) asks of an event; one where one asks nothing."""
    if shape.ambiguous:
        return (_ANY,)
    paths = tuple(_path(way, record_type) for way in _ways(typed_of(shape, record_type), value))
    return paths if all(path.asks for path in paths) else (_ANY,)


def _ways(node: typed.Typed, value: bool) -> list[_Way]:
    """The ways in which a condition is TRUE (or FALSE); what it is then is one of them."""
    match node:
        case typed.Constant(held):
            return [()] if held is value else []
        case typed.Opposite(operand):
            return _ways(operand, not value)
        case typed.Is(operand, wanted) if value:
            return _ways(operand, wanted)
        case typed.Either(operands):
            return _any_of(operands, value)
        case typed.Every(operands):
            return _all_of(operands, value) if value else _any_of(operands, value)
        case typed.Some(operands):
            return _any_of(operands, value) if value else _all_of(operands, value)
        case typed.Compare(operator, typed.Constant(bool() as held), other) | typed.Compare(
            operator, other, typed.Constant(bool() as held)
        ) if operator in ("=", "<>"):
            return _ways(other, held is ((operator == "=") is value))
        case _:
            return [(_Part(node, value),)]


def _any_of(operands: Iterable[typed.Typed], value: bool) -> list[_Way]:
    ways = [way for operand in operands for way in _ways(operand, value)]
    # A way without a part is one that any event may take.
    return ways if len(ways) <= MOST_WAYS else [()]


def _all_of(operands: Iterable[typed.Typed], value: bool) -> list[_Way]:
    ways: list[_Way] = [()]
    for further in sorted((_ways(operand, value) for operand in operands), key=len):
        if len(ways) * len(further) > MOST_WAYS:
            continue
        ways = [one + other for one, other in product(ways, further)]
    return ways


# One way


@dataclass(frozen=True, slots=True)
class _Open:
    """A demand by literals, among them some that the shape has stand-ins for."""

    form: ComparisonOperator | Literal["in", "not in"]
    values: tuple[Plain, ...]

    def demand(self, literals: Sequence[Given] = ()) -> Demand:
        """The demand, of the literals that stand there."""
        values = tuple(_in_place(value, literals) for value in self.values) if literals else self.values
        match self.form:
            case "in":
                return demands.one_of(values)
            case "not in":
                return demands.none_of(values)
            case operator:
                return demands.compared(operator, values[0])


def _in_place(value: Plain, literals: Sequence[Given]) -> Plain:
    place = place_of(value)
    if place is None:
        return value
    given = literals[place]
    return -given if isinstance(given, float) and isinstance(value, float) and value < 0 else given


@dataclass(frozen=True, slots=True)
class _Path:
    """What one way asks: ``why`` it contradicts itself whatever the literals, else the values on which they decide."""

    why: str | None = None
    open: tuple[tuple[str, tuple[Demand | _Open, ...], tuple[Demand, ...]], ...] = ()

    @property
    def asks(self) -> bool:
        """Whether it may contradict itself."""
        return self.why is not None or bool(self.open)

    def never(self, literals: Sequence[Given]) -> str | None:
        """Why nothing meets it; None where something may."""
        if self.why is not None:
            return self.why
        for said, asked, always in self.open:
            wanted = [each.demand(literals) if isinstance(each, _Open) else each for each in asked]
            if (why := demands.impossible(wanted, always)) is not None:
                return f"{said} would have to be {why}"
        return None


_ANY: Final = _Path()


def _path(way: _Way, record_type: str) -> _Path:
    known = fields_of(record_type)
    asked: dict[object, list[Demand | _Open]] = {}
    nodes: dict[object, typed.Typed] = {}
    signs: dict[tuple[typed.Typed, typed.Typed], frozenset[int]] = {}
    for part in way:
        for node, demand in _asked_by(part):
            key = value_of(node)
            asked.setdefault(key, []).append(demand)
            nodes.setdefault(key, node)
        if (pair := _pair(part)) is not None:
            left, right, allowed = pair
            signs[left, right] = signs.get((left, right), frozenset({-1, 0, 1})) & allowed
            if not signs[left, right] or (left == right and 0 not in signs[left, right]):
                return _Path(f"{_shown(left)} cannot compare so with {_shown(right)}")
    undecided = []
    for key, wanted in asked.items():
        node, said, always = nodes[key], _shown(nodes[key]), tuple(_always(nodes[key], known))
        fixed = [each for each in wanted if isinstance(each, Demand)]
        if (why := demands.impossible(fixed, always)) is not None:
            return _Path(f"{said} would have to be {why}")
        field = _field(node, known)
        if field is not None and not field.nullable and any(demand.null for demand in fixed):
            return _Path(f"{said} is always given")
        if len(fixed) < len(wanted) and (len(wanted) > 1 or always):
            undecided.append((said, tuple(wanted), always))
    return _Path(None, tuple(undecided))


def _by_literals(form: ComparisonOperator | Literal["in", "not in"], *values: Plain) -> Demand | _Open:
    wanted = _Open(form, values)
    return wanted.demand() if all(place_of(value) is None for value in values) else wanted


def _asked_by(part: _Part) -> Iterator[tuple[typed.Typed, Demand | _Open]]:
    """What a part that holds asks of single values."""
    match part.node:
        case typed.Compare(operator, typed.Constant(value), term) | typed.CompareWhole(
            operator, typed.Constant(value), term
        ):
            yield term, _by_literals(_inverted(_TURNED[operator], part), value)
            if isinstance(term, typed.Constant):
                yield term, _by_literals("=", term.value)
        case typed.Compare(operator, term, typed.Constant(value)) | typed.CompareWhole(
            operator, term, typed.Constant(value)
        ):
            yield term, _by_literals(_inverted(operator, part), value)
        case typed.Compare(_, left, right) | typed.CompareWhole(_, left, right):
            yield left, _given(left)
            yield right, _given(right)
        case typed.OneOf(term, values):
            yield term, _by_literals("in" if part.value else "not in", *values)
        case typed.Matches(term, pattern):
            yield term, demands.matching(pattern, matches=part.value)
        case typed.Apply("starts_with" | "ends_with" as function, (term, typed.Constant(str() as text))):
            begins, ends = (text, "") if function == "starts_with" else ("", text)
            wanted = str.startswith if function == "starts_with" else str.endswith
            said = f"text that {'begins' if function == 'starts_with' else 'ends'} with {demands.shown(text)}"
            if part.value:
                fits = lambda v: isinstance(v, str) and wanted(v, text)  # noqa: E731
                yield term, Demand(said, "text", fits=fits, begins=begins, ends=ends)
        case typed.ArgumentGiven():
            yield part.node, demands.GIVEN if part.value else demands.ABSENT
        case typed.Unknown(term) if not isinstance(term, typed.Argument):
            yield term, demands.ABSENT if part.value else demands.GIVEN
        case typed.Column(kind="boolean") | typed.Argument(kind="boolean"):
            yield part.node, demands.compared("=", part.value)


def _inverted(operator: ComparisonOperator, part: _Part) -> ComparisonOperator:
    return operator if part.value else _INVERSE[operator]


def _given(term: typed.Typed) -> Demand:
    match term:
        case typed.Argument(_, kind) | typed.Column(_, kind):
            return demands.of_kind(kind)
        case _:
            return demands.GIVEN


def _pair(part: _Part) -> tuple[typed.Typed, typed.Typed, frozenset[int]] | None:
    """Two values that are compared with each other, and how they may compare."""
    match part.node:
        case typed.Compare(operator, left, right) | typed.CompareWhole(operator, left, right):
            if isinstance(left, typed.Constant) or isinstance(right, typed.Constant):
                return None
            operator = _inverted(operator, part)
            if repr(right) < repr(left):
                left, right, operator = right, left, _TURNED[operator]
            return left, right, _SIGNS[operator]
    return None


def value_of(term: typed.Typed) -> object:
    """What is one value, of whatever kind it is taken for."""
    match term:
        case typed.Argument(path) | typed.ArgumentGiven(path):
            return path
        case _:
            return term


def _shown(term: typed.Typed) -> str:
    match term:
        case typed.Apply(function, arguments):
            return f"{function}({', '.join(map(_shown, arguments))})"
        case typed.ListLength() | typed.ArgumentLength():
            return f"array_length({named(term)})"
        case typed.Constant():
            return "a literal"
        case typed.AsDouble(operand):
            return _shown(operand)
        case typed.Compute(operator, left, right):
            return f"{_shown(left)} {operator} {_shown(right)}"
        case _:
            return named(term)


# What is always so


@lru_cache(maxsize=16)
def fields_of(record_type: str) -> dict[str, Field]:
    """The fields of a record type by name."""
    return {field.name: field for field in schema(record_type).fields}


def _field(term: typed.Typed, known: dict[str, Field]) -> Field | None:
    return known.get(term.name) if isinstance(term, typed.Column) else None


def _always(term: typed.Typed, known: dict[str, Field]) -> list[Demand]:
    field = _field(term, known)
    if field is None:
        return demands.domain(term, (), None, None)
    return demands.domain(term, field.symbols, field.minimum, field.maximum)


def may_be_null(node: typed.Typed, known: dict[str, Field]) -> bool:
    """Whether a node may be NULL; True where that cannot be told."""
    match node:
        case typed.Constant() | typed.Is() | typed.Unknown():
            return False
        case typed.Column(name) | typed.ListLength(name):
            return known[name].nullable
        case typed.Compare() | typed.OneOf() | typed.Matches() | typed.Opposite() | typed.Every() | typed.Some():
            return any(may_be_null(below, known) for below in typed.children(node))
        case _:
            return True
