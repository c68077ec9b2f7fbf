"""Rules: which clause an item of an ODCS document states, and which item states a clause.

A clause may say more than its item can (`warn_at`, `quiet`); `seen` is the part of it that the item shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import ValidationError

from seamwatch.clauses import kinds
from seamwatch.durations import compact_duration, parse_duration
from seamwatch.errors import ExpressionError
from seamwatch.odcs.ages import SHORTEST, age_of
from seamwatch.odcs.numbers import number_of

Where = Literal["sla", "object", "column", "bounds"]

EVENTS: Final = ("inference", "tool_call")
_WRITTEN: Final = {"m": "minutes"}  # a bare m may be read as months
_NOT_NULL = re.compile(r"\s*([A-Za-z_][\w.]*)\s+IS\s+NOT\s+NULL\s*", re.IGNORECASE)
_STABLE_ID = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Item:
    """What states a clause: an SLA property, a quality rule of an object or a column, or a column's bounds."""

    where: Where
    content: Mapping[str, Any]
    object_name: str | None = None
    column: str | None = None


def clause_of(item: Item) -> dict[str, Any] | None:
    """The clause that an item states, without its id; None where no clause says the same."""
    reader = {"sla": _freshness, "object": _volume, "column": _assertion, "bounds": _range}[item.where]
    clause = reader(item)
    if clause is None or not _is_valid({"id": "x", **clause}):
        return None
    return clause


def item_of(clause: Mapping[str, Any], dataset: str) -> Item | None:
    """The item that states a clause, or None where ODCS has none; ``dataset`` names the object of row counts."""
    if clause.get("where") is not None or not _STABLE_ID.fullmatch(str(clause["id"])):
        return None
    head = {"id": str(clause["id"])}
    match clause["kind"]:
        case "freshness" if clause.get("of", "dataset") == "dataset":
            text = compact_duration(parse_duration(clause["max_lag"]))
            found = re.fullmatch(r"(\d+)(ms|s|m|h|d|w)", text)
            if found is None:
                return None
            unit = _WRITTEN.get(found[2], found[2])
            name = "latency" if parse_duration(text) >= SHORTEST else "freshness"
            return Item("sla", {**head, "property": name, "value": int(found[1]), "unit": unit})
        case "volume" if clause.get("of") == "dataset" and clause.get("per") is None:
            rule = {**head, "type": "library", "metric": "rowCount", **_compared(clause), "unit": "rows"}
            return Item("object", {**rule, **_severity_item(clause)}, dataset)
        case "range" if not clause.get("tolerate"):
            options = {long: clause[short] for short, long in _BOUNDS.items() if clause.get(short) is not None}
            required = {} if clause.get("nullable", True) else {"required": True}
            content = {**head, "logicalType": "number", "logicalTypeOptions": options, **required}
            return Item("bounds", content, "inference", "score")
        case "assertion":
            return _null_rule(clause, head)
    return None


def seen(clause: Mapping[str, Any]) -> dict[str, Any] | None:
    """The part of a clause that its item shows, as reading the item gives it; None for a clause without item."""
    item = item_of(clause, "dataset")
    return None if item is None else clause_of(item)


def items(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Item]]:
    """Every SLA property, quality rule and bounded column of a document, with its place."""
    for index, content in _mappings(document.get("slaProperties")):
        yield ("slaProperties", index), Item("sla", content)
    objects = _mappings(document.get("schema"))
    datasets = [thing for _, thing in objects if thing.get("name") not in EVENTS]
    for index, thing in objects:
        name = str(thing.get("name"))
        place = ("schema", index)
        for at, rule in _mappings(thing.get("quality")):
            # A dataset's refresh counts the rows of all of it: of several objects no single one is known.
            yield (*place, "quality", at), Item("object", rule, name if len(datasets) == 1 else None)
        for column_at, column in _mappings(thing.get("properties")):
            here = (*place, "properties", column_at)
            if isinstance(column.get("logicalTypeOptions"), Mapping):
                yield here, Item("bounds", column, name, str(column.get("name")))
            for at, rule in _mappings(column.get("quality")):
                yield (*here, "quality", at), Item("column", rule, name, str(column.get("name")))


def _mappings(value: Any) -> list[tuple[int, Mapping[str, Any]]]:
    return [(at, item) for at, item in enumerate(value) if isinstance(item, Mapping)] if isinstance(value, list) else []


def _is_valid(clause: Mapping[str, Any]) -> bool:
    try:
        kinds()[clause["kind"]].model_validate(clause)
    except (ValidationError, ExpressionError):
        return False
    return True


def _freshness(item: Item) -> dict[str, Any] | None:
    try:
        return {"kind": "freshness", "max_lag": age_of(item.content)}
    except ValueError:
        return None


def _volume(item: Item) -> dict[str, Any] | None:
    rule = item.content
    metric = rule.get("metric", rule.get("rule"))
    if item.object_name in (None, *EVENTS) or metric != "rowCount" or rule.get("unit", "rows") != "rows":
        return None
    limits = _limits(rule)
    return None if limits is None else {"kind": "volume", "of": "dataset", **limits, **_severity_clause(rule)}


def _limits(rule: Mapping[str, Any]) -> dict[str, int] | None:
    for operator, names, shift in _OPERATORS:
        if operator not in rule:
            continue
        values = rule[operator] if isinstance(rule[operator], list) else [rule[operator]] * len(names)
        numbers = [number for value in values if (number := number_of(value)) is not None and number == int(number)]
        if len(values) != len(names) or len(numbers) != len(names):
            return None
        return {name: int(number) + shift for name, number in zip(names, numbers, strict=True)}
    return None


_OPERATORS: Final = (
    ("mustBe", ("min", "max"), 0),
    ("mustBeBetween", ("min", "max"), 0),
    ("mustBeGreaterThan", ("min",), 1),
    ("mustBeGreaterOrEqualTo", ("min",), 0),
    ("mustBeLessThan", ("max",), -1),
    ("mustBeLessOrEqualTo", ("max",), 0),
)
_BOUNDS: Final = {"min": "minimum", "max": "maximum"}


def _compared(clause: Mapping[str, Any]) -> dict[str, Any]:
    low, high = clause.get("min"), clause.get("max")
    if low is None:
        return {"mustBeLessOrEqualTo": high}
    if high is None:
        return {"mustBeGreaterOrEqualTo": low}
    return {"mustBe": low} if low == high else {"mustBeBetween": [low, high]}


def _range(item: Item) -> dict[str, Any] | None:
    options = item.content["logicalTypeOptions"]
    numbers = {short: number_of(options.get(long)) for short, long in _BOUNDS.items()}
    bounds = {short: number for short, number in numbers.items() if number is not None}
    # Before 3.1 these two say of the bounds beside them that they are outside; our ranges have theirs inside.
    if (item.object_name, item.column) != ("inference", "score") or not bounds or _excludes(options):
        return None
    return {"kind": "range", **bounds, **({"nullable": False} if item.content.get("required") is True else {})}


def _assertion(item: Item) -> dict[str, Any] | None:
    rule = item.content
    if item.object_name not in EVENTS or rule.get("metric", rule.get("rule")) != "nullValues":
        return None
    share = number_of(rule.get("mustBe", rule.get("mustBeLessOrEqualTo")))
    if share is None or (share != 0 and rule.get("unit") != "percent"):
        return None
    clause: dict[str, Any] = {"kind": "assertion", "must": f"{item.column} IS NOT NULL"}
    if item.object_name != "inference":
        clause["on"] = item.object_name
    if share != 0:
        if "mustBe" in rule:
            return None
        clause["at_least"] = round(1 - share / 100, 12)
    return {**clause, **_severity_clause(rule)}


def _null_rule(clause: Mapping[str, Any], head: Mapping[str, Any]) -> Item | None:
    found = _NOT_NULL.fullmatch(str(clause["must"]))
    if found is None:
        return None
    missing = round((1 - clause.get("at_least", 1)) * 100, 10)
    limit = {"mustBeLessOrEqualTo": missing, "unit": "percent"} if missing else {"mustBe": 0}
    rule = {**head, "type": "library", "metric": "nullValues", **limit, **_severity_item(clause)}
    return Item("column", rule, clause.get("on", "inference"), found[1])


def _severity_clause(rule: Mapping[str, Any]) -> dict[str, str]:
    return {"severity": "warning"} if rule.get("severity") == "warning" else {}


def _severity_item(clause: Mapping[str, Any]) -> dict[str, str]:
    return {"severity": "warning"} if clause.get("severity") == "warning" else {}


def _excludes(options: Mapping[str, Any]) -> bool:
    return any(options.get(key) is True for key in ("exclusiveMinimum", "exclusiveMaximum"))
