"""Announced: what of the changes that were announced stands, by the documents in force, and what serves unannounced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from seamwatch.documents import Estate
from seamwatch.engine.seams import Seams
from seamwatch.judging.model.seam import Seam
from seamwatch.signatures import change_digest
from sinks.store.questions.announcements import standing
from sinks.store.questions.seen import Seen


@dataclass(frozen=True, slots=True)
class Unannounced:
    """A version or a configuration (``what``) that serves, and that no document and no announcement names."""

    system: str
    what: str
    value: str
    first_seen: int
    last_seen: int
    events: int


@dataclass(frozen=True, slots=True)
class Change:
    """What was announced under a change_id, in one content; ``record`` is its first announcement.

    ``stands``: it was not withdrawn. ``newest``: it is what an answer to the change_id is to now.
    """

    record: dict[str, Any]
    digest: str
    stands: bool
    newest: bool
    withdrawal: dict[str, Any] | None = None

    @property
    def reference(self) -> str:
        """What an answer names: the change, and which of its contents was read."""
        return f"{self.record['change_id']}@{self.digest[:12]}"


class Standing:
    """Asked of documents as of a time (micros)."""

    def __init__(self, estate: Estate, now: int) -> None:
        self._estate = estate
        self._now = now
        self._seams = Seams(estate, None)
        self._of: dict[str, list[Seam]] = {}

    def changes(self, records: Iterable[dict[str, Any]]) -> list[Change]:
        """The changes of announcements and withdrawals (oldest first), what was announced last first."""
        groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for record in records:
            groups.setdefault((record["change_id"], record["system"]), []).append(record)
        found = [change for those in groups.values() for change in self._changes(those)]
        return sorted(found, key=lambda one: (-one.record["event_time"], one.record["change_id"], one.digest))

    def unannounced(self, seen: Sequence[Seen], records: Sequence[dict[str, Any]]) -> list[Unannounced]:
        """What serves of declared systems and is neither declared nor announced, what came last first."""
        stand = [change.record for change in self.changes(records) if change.stands]
        named = {(r["system"], "version", r["to_value"]) for r in stand if r["kind"] == "model"}
        named |= {(r["system"], "configuration", r["config_digest"]) for r in stand}
        found: dict[tuple[str, str, str], Unannounced] = {}
        for system, what, value, one in self.undeclared(seen):
            if (system, what, value) in named:
                continue
            known = found.get((system, what, value))
            found[system, what, value] = Unannounced(
                system,
                what,
                value,
                one.first_seen if known is None else min(known.first_seen, one.first_seen),
                one.last_seen if known is None else max(known.last_seen, one.last_seen),
                one.events + (0 if known is None else known.events),
            )
        return sorted(found.values(), key=lambda one: (-one.first_seen, one.system, one.what, one.value))

    def undeclared(self, seen: Sequence[Seen]) -> Iterable[tuple[str, str, str, Seen]]:
        """The versions and configurations that decide or call tools, of declared systems, and are not declared."""
        for one in seen:
            system = self._estate.systems.get(one.system)
            if system is None or one.seen_as == "dataset":
                continue
            if one.version not in {known.version for known in system.versions}:
                yield one.system, "version", one.version, one
            if one.config_digest and one.config_digest not in {known.config_digest for known in system.versions}:
                yield one.system, "configuration", one.config_digest, one

    def _changes(self, records: Sequence[dict[str, Any]]) -> list[Change]:
        """Of one change_id and system."""
        stand = {said.digest for seam in self._seams_of(records[0]["system"]) for said in standing(seam, records)}
        first: dict[str, dict[str, Any]] = {}
        for record in records:
            if not record["withdrawn"]:
                first.setdefault(change_digest(record), record)
        left = [digest for digest in first if digest in stand]
        return [
            Change(
                record,
                digest,
                digest in stand,
                bool(left) and digest == left[-1],
                None
                if digest in stand
                else next(
                    (r for r in reversed(records) if r["withdrawn"] and r["event_time"] >= record["event_time"]), None
                ),
            )
            for digest, record in first.items()
        ]

    def _seams_of(self, system: str) -> list[Seam]:
        """Each contract in force for a system, as it binds that; one without parties where there is none."""
        if system not in self._of:
            covering = [
                next(iter(self._seams.covering(contract, system).values())).seam
                for contract in self._estate.contracts_for(system, self._now)
                if contract.clauses
            ]
            keys = {person: self._seams.keys_of(person) for person in self._estate.persons}
            self._of[system] = covering or [Seam("", "", "", system, keys=keys)]
        return self._of[system]
