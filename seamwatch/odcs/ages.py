"""Ages: which SLA property of an ODCS document is the freshness of its data set, and why another is not.

The standard says `latency` for the age of data and prefers it to `freshness`; people write it for the time that an API
takes to answer, too. Seamwatch knows one age of a data set, so of several limits none is taken where nothing says which
is meant of the whole.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from seamwatch.durations import SECOND, compact_duration, parse_duration
from seamwatch.odcs.numbers import number_of

AGES: Final = ("latency", "ly", "freshness")
SHORTEST: Final = 10 * SECOND
"""A latency below is how long something takes to answer; no data set is refreshed like that."""

_UNITS: Final = {
    "ms": "ms", "s": "s", "sec": "s", "second": "s", "seconds": "s", "min": "m", "minute": "m", "minutes": "m",
    "h": "h", "hr": "h", "hour": "h", "hours": "h", "d": "d", "day": "d", "days": "d", "w": "w", "week": "w",
    "weeks": "w",
}  # fmt: skip
_ANSWERING: Final = re.compile(
    r"\b(api|endpoints?|requests?|responses?|quer(y|ies)|pipelines?|jobs?|runs?|processing|service)\b", re.IGNORECASE
)


def name_of(item: Mapping[str, Any]) -> str:
    """The property of an SLA item; the standard's names are the same in any case of their letters."""
    return str(item.get("property", "")).lower()


def age_of(item: Mapping[str, Any]) -> str:
    """The age that an SLA item for itself is a limit of, as a duration; raises ValueError that says why it is none."""
    if name_of(item) not in AGES:
        raise ValueError("no clause says this")
    value, unit = number_of(item.get("value")), item.get("unit")
    if value is None:
        raise ValueError(f"its value {item.get('value')!r} is no number: write the number, and the unit under 'unit'")
    if item.get("valueExt") is not None:
        raise ValueError("it has two values, and a limit is one")
    if unit is None:
        raise ValueError("it has no unit")
    known = _UNITS.get(str(unit).lower())
    if known is None:
        why = "may be minutes or months" if str(unit).lower() == "m" else "is none from milliseconds to weeks"
        raise ValueError(f"its unit {str(unit)!r} {why}")
    if value <= 0:
        raise ValueError("data are always older than that")
    lag = parse_duration(f"{value}{known}")
    if name_of(item) != "freshness":
        if lag < SHORTEST:
            raise ValueError(
                f"a latency of {compact_duration(lag)} is how long something takes to answer, not how old data are; "
                "an age is called 'freshness'"
            )
        stated = _ANSWERING.search(" ".join(str(item.get(key) or "") for key in ("description", "element")))
        if stated:
            raise ValueError(f"it is told of {stated.group().lower()!r}, not of data; an age is called 'freshness'")
    return compact_duration(lag)


def ages(
    document: Mapping[str, Any], told_apart: Collection[str] = (), *, whole: bool = False
) -> tuple[dict[int, str], dict[int, str]]:
    """By position among `slaProperties`: the ages that are the data set's, and why each other property is none.

    ``told_apart`` are the ids of items that each state a clause of their own, because they came from one. With
    ``whole`` the limit of a single element is not taken for that of the data set, though it is the only one.
    """
    listed = document.get("slaProperties")
    found: dict[int, str] = {}
    why: dict[int, str] = {}
    items = [(at, item) for at, item in enumerate(listed if isinstance(listed, list) else []) if _is_mapping(item)]
    for at, item in items:
        try:
            found[at] = age_of(item)
        except ValueError as error:
            why[at] = str(error)
            continue
        if name_of(item) != "freshness" and (what := _answers(document, item)):
            why[at] = f"the latency of {what} is not how old data are; an age is called 'freshness'"
            del found[at]
    known = dict(items)
    mine = {at for at in found if str(known[at].get("id")) in told_apart}
    meant = {at: known[at] for at in found if at not in mine and not (whole and known[at].get("element"))}
    taken = mine or _chosen(meant, found)
    why |= {at: _why_unwatched(at, known, found, taken) for at in found.keys() - taken}
    return {at: found[at] for at in sorted(taken)}, why


def _chosen(items: Mapping[int, Mapping[str, Any]], limits: Mapping[int, str]) -> set[int]:
    """Of several limits that which is meant of the whole data set; none where nothing says so."""
    whole = {at for at, item in items.items() if not item.get("element")}
    for those in (set(items), whole, {at for at in whole if name_of(items[at]) == "freshness"}):
        if those and len({limits[at] for at in those}) == 1:
            return {min(those)}
    return set()


def _why_unwatched(at: int, items: Mapping[int, Mapping[str, Any]], found: Mapping[int, str], taken: set[int]) -> str:
    element = items[at].get("element")
    if taken:
        other = min(taken)
        what = f"it is of {element!r} alone" if element else "it is another limit"
        return f"{what}, and elements are not told apart: {found[other]} (slaProperties.{other}) is watched"
    if len(found) == 1:
        return f"it is of {element!r} alone, and the contract has no such clause"
    those = ", ".join(
        f"{found[other]}" + (f" of {items[other]['element']!r}" if items[other].get("element") else "")
        for other in sorted(found)
    )
    return f"there are several limits ({those}), and elements are not told apart: leave one, or one without element"


def _answers(document: Mapping[str, Any], item: Mapping[str, Any]) -> str | None:
    """What an item is the latency of, where the document says that it is no table."""
    servers = [s for s in document.get("servers") or [] if _is_mapping(s)]
    if servers and all(str(server.get("type")).lower() == "api" for server in servers):
        return "an API"
    things = [t for t in document.get("schema") or [] if _is_mapping(t)]
    element = str(item.get("element") or "")
    named = [t for t in things if element and element.partition(".")[0] in (t.get("name"), t.get("physicalName"))]
    types = {str(thing.get("physicalType") or "") for thing in named or things}
    found = sorted(kind for kind in types if _ANSWERING.search(kind))
    return f"what is of type {found[0]!r}" if found and len(found) == len(types) else None


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)
