"""Rotas: who is on call when, by turns that are handed over at a local time, and by exceptions to them.

The document's shape, and what follows from it for a time. Pure: it knows no clock, no other document and nobody's
channel. What a contract's escalation list makes of a rota is `seamwatch.judging.model.seam`'s to say.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from heapq import heappop, heappush
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator, model_validator

from seamwatch.documents.fields import Identifier, Words
from seamwatch.documents.parts import Document, Part
from seamwatch.durations import DAY, Duration, compact_duration
from seamwatch.instants import parse_time
from seamwatch.local_times import LAST, instant_of, local_of, zone

_TIME_OF_DAY: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_LOCAL: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2})(?::00)?)?")
_YEARS: Final = range(1970, 3000)
_LONGEST: Final = 366 * DAY
_NOT_YET: Final = "the rota has not begun"
BEGINNING: Final = -(2**63)
"""Where a shift begins that was always so."""
_NEVER: Final = 2**63 - 1


def _day(value: Any) -> date:
    text = value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(f"{value!r} is no date: write it as 2026-11-02")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date: there is no such day") from None
    if day.year not in _YEARS:
        raise ValueError(f"{text!r} is no day that is worked on: the year is from {_YEARS[0]} to {_YEARS[-1]}")
    return day


def _time_of_day(value: Any) -> str:
    if not isinstance(value, str) or not _TIME_OF_DAY.fullmatch(value):
        raise ValueError(f"{value!r} is no time of day: write it as 09:00")
    return value


def _moment(value: Any) -> str:
    """A local date, with or without the time of day, or an instant with its zone; as written."""
    text = value.isoformat() if isinstance(value, date) else value
    if not isinstance(text, str):
        raise ValueError(f"{value!r} is no time: {_EITHER}")  # noqa: TRY004  pydantic's
    if (local := _LOCAL.fullmatch(text)) is not None:
        _day(local[1])
        if local[2] is not None:
            _time_of_day(local[2])
        return text
    try:
        parse_time(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time: {_EITHER}") from None
    return text


_EITHER: Final = "write a day (2026-12-24), a local time (2026-12-24 14:00) or one with its zone (2026-12-24T13:00:00Z)"

Day = Annotated[date, BeforeValidator(_day)]
"""A date, in the local time of whoever wrote it."""
TimeOfDay = Annotated[str, BeforeValidator(_time_of_day)]
"""A local time of the day, to the minute."""
Moment = Annotated[str, BeforeValidator(_moment)]
"""A day, which means the hand-over on it; a local time; or a time with its zone."""


class Instead(Part):
    """Somebody who is on call for a while, whoever's turn it is."""

    since: Moment = Field(
        alias="from",
        description="from when: a day (from the hand-over on it), a local time, or one with its zone",
        examples=["2026-12-24"],
    )
    to: Moment = Field(description="until when, in the same forms", examples=["2026-12-27"])
    person: Identifier = Field(description="who is on call then", examples=["owner@example.org"])
    reason: Words = Field(description="why, for whoever reads it later", examples=["holiday"])


@dataclass(frozen=True, slots=True)
class Shift:
    """A person's time on call, [start, end) in micros since the epoch; ``why``: what made it no turn of the rota."""

    start: int
    end: int
    person: str
    why: str | None = None


class Rota(Document):
    """Who is on call when: persons who take turns, and who stands in for them."""

    kind_name: ClassVar[str] = "Rota"

    kind: Literal["Rota"] = Field("Rota", description="what this document is")
    id: Identifier = Field(description="names the rota", examples=["credit-on-call"])
    title: Words | None = Field(None, description="as colleagues call it", examples=["Credit models, on call"])
    owner: Identifier = Field(
        description="the person who keeps it, signs its changes, and is on call before it starts",
        examples=["owner@example.org"],
    )
    time_zone: Words = Field(
        description="the time zone of its days and times, by its IANA name", examples=["Europe/Berlin"]
    )
    starts: Day = Field(description="the day of the first hand-over", examples=["2026-11-02"])
    hand_over: TimeOfDay = Field(
        "09:00", description="the local time at which one hands over to the next", examples=["09:00"]
    )
    every: Duration = Field(7 * DAY, description="how long a turn is, in whole days", examples=["7d"])
    persons: tuple[Identifier, ...] = Field(
        min_length=1, description="who takes turns, in this order, over and over", examples=[["owner@example.org"]]
    )
    instead: tuple[Instead, ...] = Field(
        (),
        description="who is on call in place of whoever's turn it is: {from, to, person, reason}; of several for the "
        "same time the last one holds",
        examples=[
            [{"from": "2026-12-24", "to": "2026-12-27", "person": "owner@example.org", "reason": "holiday of the team"}]
        ],
    )

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        zone(name)
        return name

    @field_validator("every")
    @classmethod
    def _whole_days(cls, every: int) -> int:
        if every % DAY or not DAY <= every <= _LONGEST:
            raise ValueError(
                f"{compact_duration(every)} is not from 1 to {_LONGEST // DAY} whole days: a turn begins at the same "
                "local time on another day, as in 7d"
            )
        return every

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for number, (each, (start, end)) in enumerate(zip(self.instead, self.spans, strict=True), 1):
            if end <= start:
                raise ValueError(
                    f"item {number} of instead ends at {each.to}, which is not after {each.since}, where it begins"
                )
        return self

    @cached_property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The times of `instead`, [from, to) in micros, in its order."""
        return tuple((self._instant(each.since), self._instant(each.to)) for each in self.instead)

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Everybody who may ever be on call, each once: who takes turns, who stands in, and who keeps the rota."""
        return tuple(dict.fromkeys((*self.persons, *(each.person for each in self.instead), self.owner)))

    def on_call(self, at: int) -> str:
        """The id of the person who is on call at an instant (micros since the epoch): there always is one."""
        return self.shift_at(at).person

    def shifts(self, start: int, end: int) -> Iterator[Shift]:
        """Who is on call from ``start`` until ``end`` (micros), in order, without gaps; the ends are cut to these."""
        while start < end:
            shift = self.shift_at(start)
            until = min(shift.end, end)
            yield Shift(start, until, shift.person, shift.why)
            start = until

    def shift_at(self, at: int) -> Shift:
        """The whole shift that holds at an instant; it begins at `BEGINNING` where it was always so."""
        at = min(at, LAST)
        place = bisect_right(self._exceptions, at, key=lambda exception: exception.start)
        before = self._exceptions[place - 1] if place else None
        if before is not None and at < before.end:
            return before
        start = BEGINNING if before is None else before.end
        end = self._exceptions[place].start if place < len(self._exceptions) else _NEVER
        if at < self._begins:
            return Shift(start, min(end, self._begins), self.owner, _NOT_YET)
        turn = self._turn(at)
        person = self.persons[turn % len(self.persons)]
        return Shift(max(start, self._hand_over(turn)), min(end, self._hand_over(turn + 1)), person)

    @cached_property
    def _exceptions(self) -> tuple[Shift, ...]:
        """The times in which somebody stands in, in order and apart from one another."""
        found: list[tuple[int, int, int]] = []
        waiting = sorted(range(len(self.spans)), key=lambda number: self.spans[number][0], reverse=True)
        begun: list[int] = []  # the last of the list first; those that are over are taken out when they come first
        for start, end in pairwise(sorted({border for span in self.spans for border in span})):
            while waiting and self.spans[waiting[-1]][0] <= start:
                heappush(begun, -waiting.pop())
            while begun and self.spans[-begun[0]][1] <= start:
                heappop(begun)
            if not begun:
                continue
            holding = -begun[0]
            goes_on = bool(found) and found[-1][1:] == (start, holding)
            found.append((found.pop()[0] if goes_on else start, end, holding))
        return tuple(Shift(start, end, self.instead[n].person, self.instead[n].reason) for start, end, n in found)

    @cached_property
    def _begins(self) -> int:
        return self._hand_over(0)

    def _turn(self, at: int) -> int:
        """The number of the turn at an instant that is not before the first."""
        turn = max(0, (local_of(at, self._zone).date() - self.starts).days // self._days)
        while turn and self._hand_over(turn) > at:
            turn -= 1
        while self._hand_over(turn + 1) <= at:
            turn += 1
        return turn

    def _hand_over(self, turn: int) -> int:
        """The instant (micros) at which a turn begins, counted from 0; the end of all time beyond the calendar."""
        try:
            day = self.starts + timedelta(days=turn * self._days)
            began = instant_of(datetime.combine(day, self._at), self._zone)
        except OverflowError:
            return _NEVER
        return began if began <= LAST else _NEVER

    def _instant(self, written: str) -> int:
        local = _LOCAL.fullmatch(written)
        if local is None:
            return parse_time(written)
        at = self._at if local[2] is None else time.fromisoformat(local[2])
        return instant_of(datetime.combine(date.fromisoformat(local[1]), at), self._zone)

    @property
    def _zone(self) -> ZoneInfo:
        return zone(self.time_zone)

    @cached_property
    def _at(self) -> time:
        return time.fromisoformat(self.hand_over)

    @property
    def _days(self) -> int:
        return self.every // DAY
