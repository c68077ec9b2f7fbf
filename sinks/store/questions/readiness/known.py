"""What the questions of readiness are decided by: all that is known of one system. Values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seamwatch.documents.defaults import built_in, runbook_schedule, schedule, suspensions
from sinks.store.questions.rows import Micros

if TYPE_CHECKING:
    from seamwatch.documents import Contract, Estate, System
    from sinks.store.questions.due import Due
    from sinks.store.questions.inventory import Running


@dataclass(frozen=True, slots=True)
class Drilled:
    """A drill that was held, and counts."""

    drill: str
    person: str
    passed: bool
    at: Micros


@dataclass(frozen=True, slots=True)
class Reachable:
    """How a person answered pages of violations and drills of any system; ``fastest`` is what they answered soonest."""

    person: str
    asked: int
    answered: int
    fastest: str
    fastest_at: Micros | None
    fastest_seconds: float | None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A review of a contract that counts."""

    contract: str
    person: str
    at: Micros


@dataclass(frozen=True, slots=True)
class Watched:
    """What one clause on scores would find within 48 hours, or why that is not known.

    ``move``: every pass rate that moves by more is found; None where nothing would be. ``rests_on``: what it is by.
    """

    clause: str
    move: float | None = None
    scores: float = 0.0
    rests_on: str = ""
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class Pulled:
    """The log of decisions as it was pulled by an address: by which user, and whether that one may write.

    ``may_write`` None where the store does not say. ``decisions``: of so many days, the newest at ``newest``.
    """

    user: str
    may_write: bool | None
    decisions: int
    newest: Micros | None
    days: int


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of a system at ``now``; ``pulled`` None where nobody tried."""

    system: str
    now: Micros
    estate: Estate
    running: Running | None = None
    due: Sequence[Due] = ()
    drills: Sequence[Drilled] = ()
    reached: Mapping[str, Reachable] = field(default_factory=dict)
    contract_reviews: Sequence[Reviewed] = ()
    watched: Sequence[Watched] = ()
    pulled: Pulled | None = None

    @property
    def declared(self) -> System | None:
        """Its document."""
        return self.estate.systems.get(self.system)

    @property
    def in_force(self) -> tuple[Contract, ...]:
        """The contracts in force for it, with those that nobody wrote."""
        return self.estate.contracts_for(self.system, self.now)

    @property
    def agreed(self) -> tuple[Contract, ...]:
        """The contracts in force for it that somebody agreed on."""
        ours = {each().key for each in (built_in, schedule, runbook_schedule, suspensions)}
        return tuple(contract for contract in self.in_force if contract.key not in ours)
