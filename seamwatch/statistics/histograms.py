"""Approved scores: as they are counted window by window, as a file of histograms, and as a clause refers to them.

Counts only, as plain values that need no numpy: what they allow is `seamwatch.statistics.bands`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from seamwatch.durations import MINUTE, Duration
from seamwatch.expressions import Expression
from seamwatch.instants import Instant

HOURS: Final = 24

T = TypeVar("T")
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class Reference:
    """Approved scores by hour of day, 24 entries each.

    ``hours``: histograms; ``windows``: how many windows held scores; ``squares``: Σs²/n over these windows, s the sum
    of the bins' numbers of a window's n scores, from which the design effect comes. ``absence``: the same of whether
    there was a score, in two bins (with one, without one); None where that was not counted.
    """

    hours: tuple[tuple[int, ...], ...]
    windows: tuple[int, ...] = (0,) * HOURS
    squares: tuple[float, ...] = (0.0,) * HOURS
    absence: Reference | None = None

    @classmethod
    def empty(cls, bins: int, *, absence: bool = False) -> Self:
        """No score so far; ``absence``: decisions without one are to be counted as well."""
        return cls(((0,) * bins,) * HOURS, absence=Reference.empty(2) if absence else None)

    def with_window(self, hour: int, counts: Sequence[int], missing: int = 0) -> Reference:
        """With one more window of that hour of day, and so many decisions without a score."""
        absence, present = self.absence, sum(counts)
        if absence is not None and present + missing:
            absence = absence.with_window(hour, (present, missing))
        if not present:
            return Reference(self.hours, self.windows, self.squares, absence)
        total = sum(place * count for place, count in enumerate(counts))
        summed = tuple(a + b for a, b in zip(self.hours[hour], counts, strict=True))
        return Reference(
            _put(self.hours, hour, summed),
            _put(self.windows, hour, self.windows[hour] + 1),
            _put(self.squares, hour, self.squares[hour] + total * total / present),
            absence,
        )


class Slice(BaseModel):
    """The histograms of one cohort, or of all scores together (``cohort`` null)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cohort: str | None = Field(None, description="whose scores; null for those of all together")
    hours: tuple[tuple[Count, ...], ...] = Field(
        min_length=HOURS, max_length=HOURS, description="for each hour of day, UTC, how many scores lie in each bin"
    )
    windows: tuple[Count, ...] = Field(
        (0,) * HOURS, min_length=HOURS, max_length=HOURS, description="for each hour, how many windows held scores"
    )
    squares: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        (0.0,) * HOURS, min_length=HOURS, max_length=HOURS, description="for each hour, Σs²/n over these windows"
    )

    missing: tuple[Count, ...] | None = Field(
        None, min_length=HOURS, max_length=HOURS, description="for each hour, how many decisions had no score"
    )
    missing_windows: tuple[Count, ...] = Field(
        (0,) * HOURS, min_length=HOURS, max_length=HOURS, description="for each hour, how many windows held decisions"
    )
    missing_squares: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        (0.0,) * HOURS,
        min_length=HOURS,
        max_length=HOURS,
        description="for each hour, Σm²/n over these windows, m of their n decisions without a score",
    )

    @cached_property
    def reference(self) -> Reference:
        """As the judge compares with it."""
        absence = None
        if self.missing is not None:
            hours = tuple((sum(scores), missing) for scores, missing in zip(self.hours, self.missing, strict=True))
            absence = Reference(hours, self.missing_windows, self.missing_squares)
        return Reference(self.hours, self.windows, self.squares, absence)

    @classmethod
    def of(cls, cohort: str | None, known: Reference) -> Slice:
        """A reference as it is written."""
        more: dict[str, object] = {}
        if known.absence is not None:
            more = {
                "missing": [missing for _, missing in known.absence.hours],
                "missing_windows": known.absence.windows,
                "missing_squares": known.absence.squares,
            }
        written = {"cohort": cohort, "hours": known.hours, "windows": known.windows, "squares": known.squares}
        return cls.model_validate(written | more)


class Counted(BaseModel):
    """How approved scores were counted; the same parameters as the clause's."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    system: str = Field(min_length=1, description="whose scores these are")
    version: str | None = Field(None, description="the one version whose scores these are; null for all")
    start: Instant | None = Field(None, alias="from", description="first instant of the period they are of")
    to: Instant | None = Field(None, description="first instant after it; nothing before it is judged")
    range: tuple[float, float] = Field((0.0, 1.0), description="smallest and largest score")
    bins: int = Field(25, ge=2, le=200, description="equal bins over `range`")
    window: Duration = Field(MINUTE, description="over which scores were counted")
    by: Literal["cohort"] | None = Field(None, description="whether each cohort was counted by itself")
    distinct: bool = Field(False, description="whether equal scores counted once a window")
    where: Expression | None = Field(None, description="which events were counted")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.range[0] >= self.range[1]:
            raise ValueError("range is [smallest, largest]: turn them round")
        if self.start is not None and self.to is not None and self.start >= self.to:
            raise ValueError("from is not before to: turn them round")
        if self.where is not None:
            self.where.check("inference")
        return self


class ReferenceFile(Counted):
    """Approved scores as histograms: what `seamwatch contracts reference` writes."""

    api_version: Literal["seamwatch/v1"] = Field("seamwatch/v1", alias="apiVersion")
    kind: Literal["Reference"]
    slices: tuple[Slice, ...] = Field(min_length=1, description="the histograms")

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        names = [part.cohort for part in self.slices]
        if len(set(names)) < len(names):
            raise ValueError("slices name a cohort twice")
        if any(len(row) != self.bins for part in self.slices for row in part.hours):
            raise ValueError(f"slices: each hour has {self.bins} counts, one a bin")
        if not all(any(map(any, part.hours)) for part in self.slices):
            raise ValueError("slices: one of them holds no score")
        return self

    @classmethod
    def of(cls, counted: Counted, references: Mapping[str | None, Reference]) -> ReferenceFile:
        """The file of what was counted; raises ValueError when there is no reference."""
        slices = [
            Slice.of(cohort, known).model_dump(mode="json")
            for cohort, known in sorted(references.items(), key=lambda item: item[0] or "")
        ]
        return cls.model_validate(
            {**counted.model_dump(mode="json", by_alias=True), "kind": "Reference", "slices": slices}
        )

    def text(self) -> str:
        """The file as YAML, a line an hour."""
        content = self.model_dump(mode="json", by_alias=True, exclude={"slices"})
        lines = [f"{name}: {json.dumps(content[name], ensure_ascii=False)}" for name in ("apiVersion", "kind")]
        lines += [
            f"{name}: {json.dumps(value, ensure_ascii=False)}"
            for name, value in content.items()
            if name not in ("apiVersion", "kind") and value is not None
        ]
        lines.append("slices:")
        for part in self.slices:
            lines += [f"- cohort: {json.dumps(part.cohort, ensure_ascii=False)}", "  hours:"]
            lines += [f"  - {json.dumps(row)}" for row in part.hours]
            more = () if part.missing is None else ("missing", "missing_windows", "missing_squares")
            lines += [f"  {name}: {json.dumps(getattr(part, name))}" for name in ("windows", "squares", *more)]
        return "\n".join(lines) + "\n"

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its content, as hexadecimal digits."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @cached_property
    def references(self) -> dict[str | None, Reference]:
        """The reference of each cohort; under None that of all together."""
        return {part.cohort: part.reference for part in self.slices}


class Period(BaseModel):
    """A span of event time, ``from`` included and ``to`` excluded."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    start: Instant = Field(alias="from", description="first instant of the reference")
    to: Instant = Field(description="first instant after the reference")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start >= self.to:
            raise ValueError("the reference period ends before it begins: turn from and to round")
        return self


class ReferenceOf(BaseModel):
    """What the scores are compared with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    period: Period | None = Field(None, description="the system's own scores of this period: {from, to}")
    first: Duration | None = Field(
        None, gt=0, description="the system's own first scores: so long from the first of them on"
    )
    file: str | None = Field(None, description="histograms beside the contract, by `seamwatch contracts reference`")
    histograms: ReferenceFile | None = Field(
        None, description="the file's content, which is put in when the contract is loaded"
    )
    version: str | None = Field(None, description="look at the scores of this version only; null for all")

    @model_validator(mode="after")
    def _one(self) -> Self:
        of_file = self.file is not None or self.histograms is not None
        if sum((self.period is not None, self.first is not None, of_file)) != 1:
            raise ValueError("reference is either a period {from, to}, a file, or the first scores {first: 14d}")
        if of_file and self.histograms is None:
            raise ValueError(f"reference: file {self.file!r} is read with the contract's folder, and was not")
        if self.histograms is not None and self.version not in (None, self.histograms.version):
            raise ValueError(f"reference: version is {self.version!r}, in the file {self.histograms.version!r}")
        return self

    @property
    def end(self) -> int | None:
        """The event time before which nothing is judged, in micros; None where only the scores tell, or nothing."""
        if self.period is not None:
            return self.period.to
        return self.histograms.to if self.histograms is not None else None

    @property
    def of_version(self) -> str | None:
        """The one version whose scores count; None for all."""
        return self.version or (self.histograms.version if self.histograms is not None else None)


def _put(values: tuple[T, ...], index: int, value: T) -> tuple[T, ...]:
    return (*values[:index], value, *values[index + 1 :])
