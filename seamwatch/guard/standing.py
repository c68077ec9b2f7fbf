"""Standing: what is suspended, as values, and which of it stops an act. Follows nothing; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seamwatch.judging.patterns.suspensions import Target
from seamwatch.judging.patterns.wording import moment_text, quoted


@dataclass(frozen=True, slots=True)
class Standing:
    """That a system, one of its versions or one of its tools is suspended; times in micros."""

    system: str
    version: str | None
    tool: str | None
    person: str | None
    contract: str | None
    reason: str
    since: int
    until: int | None

    def stops(self, version: object, tool: str | None, now: int) -> bool:
        """Whether an act of this version, a call of this tool (None: a decision), may not happen now."""
        if self.until is not None and self.until <= now:
            return False
        return (self.version is None or self.version == version) and (self.tool is None or self.tool == tool)

    @property
    def sentence(self) -> str:
        """What is suspended, since when, by whom and why."""
        what = Target(self.version, self.tool).text(self.system)
        by = self.person or f"contract {self.contract}"
        until = "" if self.until is None else f" until {moment_text(self.until)}"
        return f"{what} is suspended by {by} since {moment_text(self.since)}{until}: {quoted(self.reason)}"


Table = Mapping[str, tuple[Standing, ...]]
"""What is suspended, by system."""


def standing_of(record: Mapping[str, Any]) -> Standing:
    """What a record of type ``suspended`` says is suspended."""
    names = ("system", "version", "tool", "person", "contract", "reason", "since", "until")
    return Standing(**{name: record[name] for name in names})


def table_of(latest: Iterable[Mapping[str, Any]]) -> Table:
    """The table of the latest records of type ``suspended``, one for each target."""
    found: dict[str, list[Standing]] = {}
    for record in latest:
        if record["state"] == "suspended":
            found.setdefault(record["system"], []).append(standing_of(record))
    return {system: tuple(sorted(those, key=_widest)) for system, those in found.items()}


def stopping(standing: Sequence[Standing], version: object, tool: str | None, now: int) -> Standing | None:
    """The first of a system's that stops an act, the widest before others."""
    return next((one for one in standing if one.stops(version, tool, now)), None)


def _widest(one: Standing) -> tuple[bool, str, str]:
    return (one.version is not None or one.tool is not None, one.version or "", one.tool or "")
