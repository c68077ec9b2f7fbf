"""The open episodes: the latest state of each, since when its clock runs, and who was told. Values and merging only.

Filled from the store and from the topics, in any order and more than once: what is newer by the broker's time stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from seamwatch.documents import Estate
from seamwatch.documents.escalating import escalation_list, ladder_of
from seamwatch.judging.model.facts import CLIMBING, Violation
from seamwatch.judging.model.seam import Step

_OVER_KEPT: Final = 200
"""So many episodes that are over are remembered, for those who look at one that ends."""


@dataclass(frozen=True, slots=True)
class Telling:
    """One attempt to tell a person of a step; times are micros."""

    step: int
    person: str
    channel: str
    result: str
    sent_at: int


@dataclass(frozen=True, slots=True)
class Followed:
    """An episode as it stands. ``at``: the broker's time (micros) of its latest state.

    ``first``: who had to act first. ``acting_since``: since when (micros) the person who must act now has had to.
    """

    violation: Violation
    at: int
    first: str | None
    acting_since: int
    tellings: tuple[Telling, ...] = ()


@dataclass(frozen=True, slots=True)
class Clock:
    """What runs out: when (micros), and who must act then. ``at`` is None where nothing does."""

    at: int | None
    next: str | None
    runs_for: int | None = None


@dataclass(slots=True)
class OpenEpisodes:
    """All of them, by violation id."""

    followed: dict[str, Followed] = field(default_factory=dict)
    over: dict[str, Followed] = field(default_factory=dict)

    def take(self, violation: Violation, at: int) -> bool:
        """Take in a state that the broker took at a time; whether anything is different now."""
        known = self.followed.get(violation.violation_id) or self.over.get(violation.violation_id)
        if known is not None and (known.at, known.violation.step) > (at, violation.step):
            return False
        again = known is None or known.violation.detected_at != violation.detected_at
        if known is None or again:
            now = Followed(violation, at, violation.person, violation.detected_at if not violation.step else at)
        else:
            taken_back = known.violation.state == "acknowledged" and violation.state in ("open", "escalated")
            anew = taken_back or violation.step != known.violation.step
            now = replace(known, violation=violation, at=at, acting_since=at if anew else known.acting_since)
        if now == known:
            return False
        self._keep(now)
        return True

    def tell(self, violation_id: str, telling: Telling) -> bool:
        """Take in that somebody was told, or could not be; whether it was news."""
        known = self.followed.get(violation_id) or self.over.get(violation_id)
        if known is None or telling in known.tellings:
            return False
        self._keep(replace(known, tellings=tuple(sorted((*known.tellings, telling), key=lambda t: t.sent_at))))
        return True

    def get(self, violation_id: str) -> Followed | None:
        """The episode of an id, open or over a short while ago."""
        return self.followed.get(violation_id) or self.over.get(violation_id)

    def _keep(self, now: Followed) -> None:
        name = now.violation.violation_id
        if now.violation.state != "resolved":
            self.over.pop(name, None)
            self.followed[name] = now
            return
        self.followed.pop(name, None)
        self.over[name] = now
        while len(self.over) > _OVER_KEPT:
            del self.over[next(iter(self.over))]


def steps_of(followed: Followed, estate: Estate) -> tuple[Step, ...]:
    """Who must act, in order, by the version of the contract that found it; empty where it is not published."""
    violation = followed.violation
    contract = next(
        (c for c in estate.versions_of(violation.contract) if c.version == violation.contract_version), None
    )
    if contract is None:
        return ()
    declared = estate.systems.get(violation.system)
    owner = None if declared is None else declared.owner
    return ladder_of(violation, followed.first, escalation_list(contract, estate.rotas.get, owner))


def clock_of(followed: Followed, estate: Estate) -> Clock:
    """Which clock runs for it: none once somebody took it on, for a warning, and for the last of a list."""
    violation = followed.violation
    if violation.state not in ("open", "escalated") or violation.severity not in CLIMBING:
        return Clock(None, None)
    steps = steps_of(followed, estate)
    if violation.step + 1 >= len(steps):
        return Clock(None, None)
    within = steps[violation.step].acknowledge_within
    return Clock(followed.acting_since + within, steps[violation.step + 1].person, within)
