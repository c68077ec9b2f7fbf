"""What every clause kind is made of: what is agreed, what is measured, how it is judged.

The shape only; each kind is a file, or a folder, beside this one. A judge here is pure: it reads no clock, topic or
table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from seamwatch.durations import DAY, HOUR, Duration
from seamwatch.errors import ExpressionError
from seamwatch.expressions import Expression
from seamwatch.expressions.build import always
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Input, Judgement, Moment
from seamwatch.judging.model.measure import COHORTS, UNJUDGED, WAITING, Measure, Source, Watch
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.model.tolerance import Tolerance

BEGINNING: Final = -(2**62)
"""Before all events."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition as it is written in a clause, so that it can be told whether it makes sense.

    ``place`` is where, below the clause. ``role``: it *selects* events, an event for which it holds *offends*, or each
    event that is selected must *meet* it. ``within``: what holds of all events that are asked. ``lenient``: whether
    what is absent is meant to pass, or is told otherwise.
    """

    place: tuple[str | int, ...]
    expression: Expression
    sources: tuple[str, ...]
    role: Literal["selects", "offends", "meets"]
    within: Expression | None = None
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Whose cohorts a clause looks at, so that it is told of one that comes no longer or is spelt otherwise.

    - ``source`` and ``select``: the events; one without a cohort counts as one in which none is named.
    - ``agreed``: the cohorts that the clause names, or that are approved, if it knows them.
    - ``followed``: whether a cohort that no longer comes is told of, and one is told from another of the traffic;
      otherwise only what is spelt otherwise than what is agreed is looked at.
    """

    source: Source
    select: Expression | None = None
    agreed: tuple[str, ...] = ()
    followed: bool = True


class Clause(BaseModel):
    """One clause of a contract. A kind subclasses it with ``kind="<name>"``.

    ``state_type`` is a frozen dataclass with defaults (the state before the first received), kept as JSON.
    ``wants`` names the rare event types that the kind judges directly. ``ends_with_input``: the kind waits for what
    is to follow, and is told when a replay's input ends (`TimePassed.ended`). ``spreads``: of ``wants`` those of which
    each slice is told, not only the state that `part_of` says. ``at_once``: those that are judged as they come, also in
    a backfill, because the kind itself puts them in order. ``answers``: the kinds of attestations of which it says what
    each came to, as of an acknowledgement. ``most_parts``: how many slices of one system are remembered at once; fewer
    for a kind that remembers much of each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    kind_name: ClassVar[str] = ""
    state_type: ClassVar[type[Any]]
    wants: ClassVar[frozenset[str]] = frozenset()
    at_once: ClassVar[frozenset[str]] = frozenset()
    spreads: ClassVar[frozenset[str]] = frozenset()
    answers: ClassVar[frozenset[str]] = frozenset()
    ends_with_input: ClassVar[bool] = False
    most_parts: ClassVar[int] = 100_000

    id: str = Field(
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="names the clause within its contract",
    )
    kind: str = Field(description="the clause kind")
    severity: Literal["warning", "breach"] = Field("breach", description="how a finding of this clause is marked")
    on_breach: Literal["page", "review", "suspend"] = Field(
        "page",
        description="what a breach leads to: the escalation list is paged; `review`, its first person is told and "
        "nobody after them; `suspend`, it is paged and the system is suspended until a person resumes it",
    )
    where: Expression | None = Field(
        None, description="only events for which this holds are looked at; an absent value is not selected"
    )

    def __init_subclass__(cls, kind: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.kind_name = kind

    @model_validator(mode="after")
    def _selection(self) -> Self:
        if self.where is None:
            return self
        if not (sources := self.sources()):
            raise ValueError("it looks at no events: leave out 'where'")
        for record_type in sources:
            self.where.check(record_type)
        return self

    def sources(self) -> tuple[str, ...]:
        """The record types whose events `where` selects from, if any; its fields must be known in each."""
        return ("inference",)

    def conditions(self) -> Iterator[Condition]:
        """The conditions that are written in it: `where` by default."""
        if self.where is not None:
            yield Condition(("where",), self.where, self.sources(), "selects")

    def people(self) -> tuple[str, ...]:
        """The ids of persons this clause names, so that unknown ones are found when it is loaded."""
        return ()

    def co_signatories(self) -> tuple[str, ...]:
        """Persons who must sign the contract beside its parties, because this clause binds them."""
        return ()

    def why_void(self, seam: Seam, record: Mapping[str, Any]) -> str | None:
        """Why what a person attests in a record counts for nothing here, in words; None when it counts."""
        return f"a {self.kind_name} clause takes no attestation"

    @property
    def attested_as(self) -> str | None:
        """The kind of the attestations that it takes, where it is not that of the clause."""
        return None

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """What is to be measured of one system's events; nothing by default."""
        return ()

    def tolerance(self) -> Tolerance | None:
        """Which share of events may offend; None where no share is agreed."""
        return None

    def watches(self, seam: Seam) -> tuple[Watch, ...]:
        """The conditions of which it is counted, and told, how often they are NULL: `where` by default.

        Each kind adds what it asks of an event.
        """
        if self.where is None:
            return ()
        sources = dict.fromkeys(measure.source for measure in self.measures(seam))
        return tuple(Watch(source, self.where) for source in sources)

    def cohorts(self) -> Cohorts | None:
        """Of which events it judges cohorts by themselves; None where it does not."""
        return None

    @property
    def unjudged_after(self) -> int | None:
        """For how long (micros) events may come of which it can judge none, before it says so; None for ever."""
        return None

    def gives(self, source: str) -> str:
        """What an event of a source does that it can judge, in the third person ("gives a score")."""
        return "gives what it looks at"

    def all_measures(self, seam: Seam) -> tuple[Measure, ...]:
        """What is to be measured, and whether there is anything to judge."""
        return self.measures(seam)

    def counts_from(self, seam: Seam) -> int | None:
        """Since when (micros) measured events count together; None where only windows and conversations do."""
        return None

    def part_of(self, received: Input) -> str | None:
        """Which of the clause's states a fact or event belongs to: its slice by default, "" for one a system.

        None leaves the input unjudged.
        """
        return (received.slice or "") if isinstance(received, Fact) else ""

    def judge(self, seam: Seam, state: Any, received: Input, moment: Moment) -> Judgement:
        """The pure judge: the new state, what was found, and when to be asked again."""
        raise NotImplementedError


class Selecting(Clause):
    """A clause that leaves out events that do not give what it looks at, and says so when it had nothing else for long.

    Not a kind: what those that do so have in common.
    """

    unjudged: Duration | None = Field(
        DAY,
        ge=HOUR,
        description="a warning is given when for so long events came of which none could be judged; null for never",
    )

    @property
    def unjudged_after(self) -> int | None:
        """What was agreed."""
        return self.unjudged

    def left_out(self) -> Mapping[Source, Expression]:
        """By source, which of the events that `where` selects cannot be judged; nothing for a source where all can."""
        return {}

    def asked_of(self, source: Source) -> Expression | None:
        """Which of the events of a source it asks anything of: those that `where` selects by default; None for all."""
        return self.where

    def doubts(self) -> Iterator[tuple[Source, Expression, Literal["odd", "absent"]]]:
        """What `left_out` is made of: because of what is given, or because something is not."""
        for source, condition in self.left_out().items():
            yield source, condition, "absent"

    def watches(self, seam: Seam) -> tuple[Watch, ...]:
        """And what is left out, unless that is agreed to be of no matter."""
        doubts = () if self.unjudged is None else self.doubts()
        doubtful = (Watch(source, condition, self.where, why) for source, condition, why in doubts)
        return (*super().watches(seam), *doubtful)

    def all_measures(self, seam: Seam) -> tuple[Measure, ...]:
        """What is to be measured, and by the hour how many events there are, and how many of them are left out."""
        return (*self.measures(seam), *self._unjudged())

    def _unjudged(self) -> Iterator[Measure]:
        if self.unjudged is None:
            return
        for source, condition in self.left_out().items():
            name = f"{UNJUDGED}/{source}"
            yield Measure(source, condition, HOUR, select=self.asked_of(source), name=name)
            if source == "outcome" and _means(self.where, "inference"):
                yield Measure("inference", None, HOUR, select=self.where, name=name + WAITING)
        cohorts = self.cohorts()
        if cohorts is not None:
            yield Measure(
                cohorts.source,
                None if cohorts.followed else always(),
                HOUR,
                select=cohorts.select,
                slice=("cohort",),
                name=f"{UNJUDGED}/{cohorts.source}{COHORTS}",
            )


def _means(where: Expression | None, source: str) -> bool:
    """Whether a selection of one type of events has a meaning for another."""
    try:
        if where is not None:
            where.check(source)
    except ExpressionError:
        return False
    return True
