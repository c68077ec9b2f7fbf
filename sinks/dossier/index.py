"""The index of a dossier: what it holds, what of each requirement it shows and does not show, and what is lacking.

Values only, for `index.json`; the page that a person reads is `sinks.dossier.page`. It never says that a requirement is
met: that is for its reader.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seamwatch.instants import format_instant
from sinks.dossier.packing import Counts
from sinks.dossier.places import said
from sinks.dossier.removals import said_of_removal
from sinks.dossier.requirements import Evidence, Requirement, Source
from sinks.dossier.scope import Scope


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a question: how many rows it has, and in which files it and its SQL are."""

    question: str
    rows: int
    file: str
    sql: str


@dataclass(frozen=True, slots=True)
class Index:
    """What a dossier holds. ``sealed_by`` says who vouches for the whole, None where nobody does."""

    scope: Scope
    as_of: int
    counts: Counts
    sources: Sequence[Source]
    answers: Mapping[str, Answered]
    sealed_by: str | None
    removed: Sequence[str]
    """What retention removed and could have been of the time, as it was signed."""
    dead_letters: int
    """Records that arrived in the time and that nothing could read: of which system they are, nobody can say."""

    @property
    def gaps(self) -> list[dict[str, str]]:
        """What is lacking: requirements without any evidence, and records without a proof."""
        found = [
            {"of": f"{source.title}, {requirement.number}", "gap": requirement.gap}
            for source in self.sources
            for requirement in source.requirements
            if self.is_gap(requirement)
        ]
        found += [
            {"of": f"records of {table}", "gap": f"{rows} are not under a signed checkpoint yet, and are left out"}
            for table, rows in sorted(self.counts.unsigned.items())
            if rows
        ]
        return found

    def is_gap(self, requirement: Requirement) -> bool:
        """Whether no question that is evidence by itself has any rows."""
        return not any(self.answers[each.question].rows for each in requirement.evidence if each.alone)

    @property
    def content(self) -> bytes:
        """The file."""
        return json.dumps(self.said, ensure_ascii=False, indent=1).encode() + b"\n"

    @property
    def said(self) -> dict[str, Any]:
        """It as plain values."""
        return {
            "system": self.scope.system,
            "from": format_instant(self.scope.start),
            "to": format_instant(self.scope.end),
            "as_of": format_instant(self.as_of),
            "sealed_by": self.sealed_by,
            "gaps": self.gaps,
            "requirements": [self._source(source) for source in self.sources],
            "records": dict(sorted(self.counts.rows.items())),
            "ledger": said(self.counts.shown),
            "removed": [said_of_removal(text) for text in self.removed],
            "dead_letters": self.dead_letters,
            "sealed_values": self.counts.sealed,
            "erased": dict(sorted(self.counts.erased.items())),
        }

    def _source(self, source: Source) -> dict[str, Any]:
        return {
            "id": source.id,
            "title": source.title,
            "version": source.version,
            "applies": [
                {"to": each.to, "since": None if each.since is None else format_instant(each.since), "by": each.by}
                for each in source.applies
            ],
            "requirements": [
                {
                    "number": each.number,
                    "title": each.title,
                    "asks": each.asks,
                    "gap": each.gap if self.is_gap(each) else None,
                    "evidence": [self._evidence(evidence) for evidence in each.evidence],
                    "duty": each.duty,
                }
                for each in source.requirements
            ],
        }

    def _evidence(self, evidence: Evidence) -> dict[str, Any]:
        answer = self.answers[evidence.question]
        return {
            "question": evidence.question,
            "rows": answer.rows,
            "file": answer.file,
            "sql": answer.sql,
            "shows": evidence.shows,
            "not_shown": evidence.not_shown,
            "alone": evidence.alone,
            "nothing": None if answer.rows else evidence.nothing,
        }
