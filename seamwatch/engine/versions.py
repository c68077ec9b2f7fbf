"""Contract versions: by which version of its contract a keyed state is judged, until when, and what takes over then.

Looks up what the documents say, and is the one place where they are replaced; judges nothing and keeps no state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seamwatch.documents import Estate
from seamwatch.documents.defaults import DEFAULTS
from seamwatch.engine.following import Finder
from seamwatch.engine.handover import begins_anew, why_over
from seamwatch.engine.keyed_state import KeyedState, StateKey
from seamwatch.engine.seams import BoundClause, Seams
from seamwatch.engine.settings import JudgeSettings
from seamwatch.engine.timelines import Timelines
from seamwatch.engine.unjudged import kind_of
from seamwatch.engine.watermarks import LONG_AGO
from seamwatch.judging.model.facts import Fact


@dataclass(frozen=True, slots=True)
class Successor:
    """What takes over from the version of a keyed state.

    - ``at``: the time of the change; ``start`` and ``end`` of the period of event time that follows.
    - ``bound``: the clause by its version; None where that has none, or nothing of the contract is in force.
    - ``over``: whether the episodes that are open end with the change, and ``why``; None where the clause was
      withdrawn.
    """

    version: str
    at: int
    start: int
    end: int
    bound: BoundClause | None
    over: bool
    why: str | None


class ContractVersions:
    """The versions of an estate's contracts, and where keyed state stands among them. ``seams``: their clauses."""

    def __init__(self, estate: Estate, settings: JudgeSettings) -> None:
        self._settings = settings
        self.replace(estate)

    def replace(self, estate: Estate) -> None:
        """Go by these documents from now on."""
        self.seams = Seams(estate, self._settings.default_owner)
        self._timelines = Timelines(estate)

    def is_undeclared(self, key: StateKey) -> bool:
        """Whether the key is of a system that no document declares and no contract covers."""
        return key.contract == DEFAULTS and not self.seams.declares(key.system)

    def of_fact(self, fact: Fact) -> BoundClause | None:
        """The clause for which a fact was measured, by the version that it was measured for."""
        return self.seams.bound(fact.contract, fact.contract_version, fact.clause, fact.system)

    def bound(self, key: StateKey, version: str) -> BoundClause | None:
        """The clause of a version as it binds the key's system."""
        return self.seams.bound(key.contract, version, key.clause, key.system)

    def by_version(self, key: StateKey, state: KeyedState) -> KeyedState:
        """The state with what the documents say of its version: until when it is in force, and its lateness."""
        version = state.version or None
        period = self._timelines.at(key.contract, key.system, state.last)
        if period.version != version:
            found = self._timelines.by(key.contract, key.system, version)
            if found is None:
                # It was withdrawn: the version in force where the clock stands takes over at once.
                return state.by_version(LONG_AGO, self._settings.lateness)
            period = found
        # What a contract agrees on is for what arrives; a history has arrived.
        agreed = None if self._settings.replayed else period.lateness
        return state.by_version(period.end, self._settings.lateness if agreed is None else agreed)

    def begun(self, key: StateKey, state: KeyedState, at: int, reached: Callable[[], int]) -> KeyedState:
        """A new state, whose first input is of event time ``at``, with what the documents say of its version.

        It is judged by the version that is in force where its event time stands (``reached``), if that has the clause:
        what belongs to that version may still be on its way.
        """
        timeline = self._timelines.of(key.contract, key.system)
        if len(timeline) > 1:
            clock = min(at, reached())
            for period in timeline:
                if period.end <= clock or period.version is None:
                    continue
                if period.start > at or period.version == state.version:
                    break
                former = self.bound(key, period.version)
                if former is not None:
                    state = state._replace(kind=kind_of(former.clause, key.part), version=period.version)
                    break
        return self.by_version(key, state)

    def finder(self, bound: BoundClause) -> Finder:
        """Who finds something by that clause: since when its version is in force, and which versions it precedes."""
        seam = bound.seam
        own = self._timelines.by(seam.contract, seam.system, seam.contract_version)
        since = LONG_AGO if own is None else own.start

        def precedes(version: str) -> bool:
            other = self._timelines.by(seam.contract, seam.system, version)
            return other is not None and since < other.start

        return Finder(bound, since, precedes)

    def successor(self, key: StateKey, state: KeyedState, clock: int, now: int) -> Successor:
        """What takes over from the version of a state: at its end, or at once (``now``) where it was withdrawn."""
        withdrawn = state.until == LONG_AGO
        at = now if withdrawn else state.until
        period = self._timelines.at(key.contract, key.system, clock if withdrawn else at)
        before, after = self.bound(key, state.version), self.bound(key, period.version or "")
        otherwise = after is not None and (
            state.kind != kind_of(after.clause, key.part)
            or (before is not None and begins_anew(before, after, key.part))
        )
        why = None
        if otherwise or (after is None and not withdrawn):
            why = why_over(key.system, key.clause, key.contract, period.version, at, measured_otherwise=otherwise)
        return Successor(period.version or "", at, period.start, period.end, after, after is None or otherwise, why)
