"""What a row of what could not be judged says, as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sinks.store.questions.unjudged.row import Looked, Why

_EVENTS: Final = {
    "inference": ("decision", "decisions"),
    "tool_call": ("call", "calls"),
    "outcome": ("outcome", "outcomes"),
    "dataset_refresh": ("refresh", "refreshes"),
    "document": ("document", "documents"),
}

_RECORDS: Final = ("record", "records")
_SAID: Final[Mapping[Why, str]] = MappingProxyType(
    {
        "judged": "{count} of {looked_at} could be judged",
        "missing": "{count} of {came} lack {what}",
        "unreadable": "{count} of {came} give what cannot be used: {what}",
        "too few": "{count} of {came} are too few to be judged: {what}",
        "no outcome": "of {count} of {came} no outcome is on record so far",
        "no decision": "{count} of {came} are of no decision on record",
        "no event": "nothing to judge: no {one} came",
        "none selected": "nothing to judge: none of {came} is one that it looks at ({what})",
        "unwatched": "no clause is on {what}: {came} came unwatched",
        "no contract": "no contract covers it: the defaults alone looked at {came}",
        "hidden": "{whose} of what is for auditors alone",
    }
)


def sentence(row: Looked) -> str:
    """What could not be judged, of how many, and why."""
    if row.why == "not used":
        return _unused(row)
    decided = _number(row.came, "inference" if row.why == "no outcome" else row.source)
    values = {"what": row.what, "came": decided, "count": f"{row.count:,}", "one": _EVENTS.get(row.source, _RECORDS)[0]}
    values |= {"looked_at": _number(row.looked_at, row.source), "whose": "records that cannot be read tell"}
    if row.clause is not None:
        values["whose"] = "it asks (attributes, arguments)"
    return _SAID[row.why].format_map(values)


def standing(row: Looked) -> str:
    """Whose sentence it is: a clause of a contract, or none."""
    return "no clause" if row.clause is None else f"{row.contract}@{row.version}/{row.clause}"


def _unused(row: Looked) -> str:
    if row.source == "document":
        return row.what
    return f"{row.count:,} records of {row.source or 'no known type'} could not be read, such as: {row.what}"


def _number(count: int, source: str) -> str:
    one, several = _EVENTS.get(source, _RECORDS)
    return f"{count:,} {one if count == 1 else several}"
