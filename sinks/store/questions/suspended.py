"""What is suspended now, since when, by whom and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sinks.store.questions.rows import Micros, Where, columns, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class SuspendedNow:
    """A system, a version or a tool that is suspended, by a person or by a clause of a contract."""

    system: str
    version: str | None
    tool: str | None
    since: Micros
    until: Micros | None
    person: str | None
    contract: str | None
    reason: str
    suspension_id: str
    violation_id: str | None

    @property
    def what(self) -> str:
        """What is suspended, in words."""
        if self.version is not None:
            return f"version {self.version} of {self.system}"
        return self.system if self.tool is None else f"tool {self.tool} of {self.system}"

    @property
    def by(self) -> str:
        """Who suspended it: a person, or the clause of a contract."""
        return self.person or f"contract {self.contract}"


def suspended_now(store: Store, now: Micros, system: str | None = None) -> list[SuspendedNow]:
    """What is suspended at ``now``, of all systems or of one, by system."""
    where = Where()
    where.equal(system=system)
    where.add("(until IS NULL OR until > fromUnixTimestamp64Micro({now:Int64}, 'UTC'))", now=str(now))
    sql = f"SELECT {columns(SuspendedNow)} FROM suspended_now {where} ORDER BY system, version, tool"
    return rows(store, SuspendedNow, sql, where.values)


def sentence(row: SuspendedNow) -> str:
    """What is suspended, since when, by whom and why, in one sentence."""
    from seamwatch.judging.patterns.wording import moment_text, quoted

    until = "" if row.until is None else f" until {moment_text(row.until)}"
    return f"{row.what} is suspended since {moment_text(row.since)}{until} by {row.by}: {quoted(row.reason)}"
