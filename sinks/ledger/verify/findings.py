"""Findings: what a verification found wrong, each with the row it begins at, as far as that can be known."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from bus.partitions import Partition


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    ``what`` is one of: column, content, missing, inserted, twice, commit, checkpoint, fork, unsigned, root, ahead,
    retention; of no topic partition, but of the store as a whole: definition, migration.
    """

    what: str
    topic: str | None
    partition: int | None
    message: str
    table: str | None = None
    offset: int | None = None
    event_id: str | None = None
    column: str | None = None

    def line(self) -> dict[str, Any]:
        """It as an object for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        if self.topic is None:
            return f"{self.table}" + (f", {self.column}" if self.column else "") + f": {self.message}"
        place = f"{self.topic}[{self.partition}]" + ("" if self.offset is None else f" offset {self.offset}")
        of = "" if self.event_id is None else f", event {self.event_id}"
        where = "" if self.table is None else f" in {self.table}" + (f".{self.column}" if self.column else "")
        return f"{place}{where}{of}: {self.message}"


@dataclass(slots=True)
class Report:
    """What was verified and what was found.

    ``dropped`` rows are gone by retention and were verified by the hashes they left.
    """

    rows: int = 0
    dropped: int = 0
    partitions: int = 0
    checkpoints: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, what: str, place: Partition, message: str, **named: Any) -> None:
        """Note a finding."""
        self.findings.append(Finding(what, place[0], place[1], message, **named))

    def sort(self) -> None:
        """Put the findings in order: those of the whole store, then by place, a row's bytes before its columns."""
        self.findings.sort(
            key=lambda found: (
                found.topic or "",
                -1 if found.partition is None else found.partition,
                -1 if found.offset is None else found.offset,
                found.what == "column",
            )
        )
