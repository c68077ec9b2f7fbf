"""Demands: what a value would have to be for parts of a condition to hold, and whether anything is all of that.

Incomplete, and sound: what it calls impossible is; what it does not may be impossible all the same. Values only; which
parts of a condition demand them is `seamwatch.expressions.possible`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from seamwatch.expressions import typed
from seamwatch.expressions.closure import like
from seamwatch.expressions.tree import ComparisonOperator, Number, canonical
from seamwatch.expressions.tree import Text as TextNode

Plain = float | int | str | bool
Kind = Literal["number", "text", "boolean", "list"]
_SAID_KIND: Final = {"number": "a number", "text": "text", "boolean": "true or false", "list": "a list"}
_SAID: Final[dict[ComparisonOperator, str]] = {
    "=": "",
    "<>": "not ",
    "<": "below ",
    "<=": "at most ",
    ">": "above ",
    ">=": "at least ",
}


@dataclass(frozen=True, slots=True)
class Demand:
    """What a part of a condition asks of one value. ``kind`` is None where any value will do, or none (``null``)."""

    said: str
    kind: Kind | None = None
    null: bool = False
    among: frozenset[Plain] | None = None
    low: Plain | None = None
    low_open: bool = False
    high: Plain | None = None
    high_open: bool = False
    fits: Callable[[Plain], bool] | None = None
    begins: str = ""
    ends: str = ""


GIVEN: Final = Demand("given")
ABSENT: Final = Demand("NULL", null=True)


def of_kind(kind: Kind) -> Demand:
    """A value of a kind."""
    return Demand(_SAID_KIND[kind], kind)


def compared(operator: ComparisonOperator, value: Plain) -> Demand:
    """A value that compares so with a literal."""
    said, kind = f"{_SAID[operator]}{shown(value)}", kind_of(value)
    match operator:
        case "=":
            return Demand(said, kind, among=frozenset({value}))
        case "<>":
            return Demand(said, kind, fits=lambda other: other != value)
        case "<" | "<=":
            return Demand(said, kind, high=value, high_open=operator == "<")
        case ">" | ">=":
            return Demand(said, kind, low=value, low_open=operator == ">")


def one_of(values: Sequence[Plain]) -> Demand:
    """One of some literals of one kind."""
    return Demand(f"one of {_listed(values)}", kind_of(values[0]), among=frozenset(values))


def none_of(values: Sequence[Plain]) -> Demand:
    """None of some literals of one kind."""
    those = frozenset(values)
    return Demand(f"none of {_listed(values)}", kind_of(values[0]), fits=lambda value: value not in those)


def matching(pattern: str, *, matches: bool) -> Demand:
    """A text that matches a LIKE pattern, or does not."""
    ask = like(pattern)
    said = f"{'' if matches else 'not '}like {shown(pattern)}"
    plain = pattern.replace("_", "%")
    begins, ends = (plain.partition("%")[0], plain.rpartition("%")[2]) if matches else ("", "")
    among: frozenset[Plain] | None = frozenset({pattern}) if matches and "%" not in plain else None
    return Demand(said, "text", among=among, fits=lambda v: ask(str(v)) is matches, begins=begins, ends=ends)


def kind_of(value: Plain) -> Kind:
    """The kind of a literal."""
    return "boolean" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def shown(value: Plain) -> str:
    """A literal as an author writes it, cut short."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = canonical(TextNode(value) if isinstance(value, str) else Number(value))
    return text if len(text) <= 60 else f"{text[:57]}...'"


def _listed(values: Sequence[Plain]) -> str:
    more = f" and {len(values) - 3} more" if len(values) > 3 else ""
    return f"{', '.join(shown(value) for value in values[:3])}{more}"


# Domains


def domain(node: typed.Typed, symbols: Sequence[str], low: float | None, high: float | None) -> list[Demand]:
    """What a value is in any case; ``symbols`` and bounds are those of its field."""
    match node:
        case typed.Apply("lower", _):
            return [Demand("text without A to Z", "text", fits=lambda v: not _has(v, "A", "Z"))]
        case typed.Apply("upper", _):
            return [Demand("text without a to z", "text", fits=lambda v: not _has(v, "a", "z"))]
        case typed.Apply("length" | "abs", _) | typed.ListLength() | typed.ArgumentLength():
            return [Demand("0 or more", low=0.0)]
    found = []
    if symbols:
        found.append(Demand(f"one of {', '.join(map(shown, symbols))}", "text", among=frozenset(symbols)))
    if low is not None:
        found.append(Demand(f"{shown(low)} at the least", "number", low=low))
    if high is not None:
        found.append(Demand(f"{shown(high)} at the most", "number", high=high))
    return found


def _has(value: Plain, first: str, last: str) -> bool:
    return isinstance(value, str) and any(first <= letter <= last for letter in value)


# Whether any value is all of it


def impossible(demands: Sequence[Demand], always: Sequence[Demand] = ()) -> str | None:
    """Why no value is all that is demanded: "at least 1000 and at most 100"; None where one may be.

    ``always`` is what such a value is in any case.
    """
    if _possible(demands, always):
        return None
    for number, demand in enumerate(demands):
        if not _possible([demand], always):
            usual = " and ".join(each.said for each in always)
            return f"{demand.said}, but is {usual}"
        for earlier in demands[:number]:
            if not _possible([earlier, demand], always):
                return f"{earlier.said} and {demand.said}"
    return " and ".join(dict.fromkeys(demand.said for demand in (*demands, *always)))


def _possible(demands: Sequence[Demand], always: Sequence[Demand]) -> bool:
    if any(demand.null for demand in demands):
        return all(demand.null for demand in demands)
    every = [*demands, *always]
    kinds = {demand.kind for demand in every} - {None}
    if len(kinds) > 1:
        return False
    candidates = [demand.among for demand in every if demand.among is not None]
    if not candidates and kinds == {"boolean"}:
        candidates = [frozenset[Plain]({True, False})]
    if candidates:
        return any(all(_is(value, demand) for demand in every) for value in frozenset.intersection(*candidates))
    return (
        _has_room(every)
        and _agree([d.begins for d in every], str.startswith)
        and _agree([d.ends for d in every], str.endswith)
    )


def _is(value: Plain, demand: Demand) -> bool:
    if demand.kind is not None and kind_of(value) != demand.kind:
        return False
    if not (_above(value, demand) and _below(value, demand)):
        return False
    return demand.fits is None or demand.fits(value)


def _above(value: Plain, demand: Demand) -> bool:
    low = demand.low
    return low is None or _less(low, value) or (low == value and not demand.low_open)


def _below(value: Plain, demand: Demand) -> bool:
    high = demand.high
    return high is None or _less(value, high) or (high == value and not demand.high_open)


def _less(one: Plain, other: Plain) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) and isinstance(other, str) and one < other
    return one < other


def _has_room(demands: Sequence[Demand]) -> bool:
    """Whether the narrowest bounds leave room for a value that the rest allows, as far as that can be told."""
    lows = [(demand.low, demand.low_open) for demand in demands if demand.low is not None]
    highs = [(demand.high, not demand.high_open) for demand in demands if demand.high is not None]
    if not lows or not highs:
        return True
    low, high = max(lows, key=_ordered)[0], min(highs, key=_ordered)[0]
    if low == high:
        return all(_is(low, demand) for demand in demands)
    return _less(low, high)


def _ordered(bound: tuple[Plain, bool]) -> tuple[bool, float, str, bool]:
    value, last = bound
    return (True, 0.0, value, last) if isinstance(value, str) else (False, value, "", last)


def _agree(parts: Sequence[str], within: Callable[[str, str], bool]) -> bool:
    longest = max(parts, key=len, default="")
    return all(within(longest, part) for part in parts)
