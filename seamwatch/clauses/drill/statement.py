"""Statements: what whoever runs a drill says of it, as the JSON that they sign, and read back.

One part of the clause `drill`, used as well by whoever runs one. Reads and writes text; judges nothing.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from seamwatch.clauses.stated import read_state
from seamwatch.durations import HOUR, SECOND

MOST_BYTES: Final = 65_536
MOST_STEPS: Final = 50
MOST_PAGES: Final = 200
LONGEST_SECONDS: Final = 24 * HOUR // SECOND

_Short = Annotated[str, Field(min_length=1, max_length=200)]
_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Result = Literal["passed", "failed", "skipped"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Begun(_Part):
    """A drill begins: people are paged. ``limit_seconds`` is after how long it is over if nobody says so before."""

    state: Literal["begun"] = "begun"
    scenario: _Short
    title: _Short
    limit_seconds: int = Field(ge=60, le=LONGEST_SECONDS)


class Step(_Part):
    """What came of one step: how long it took, of how long it might have, who did it, and what they said."""

    id: _Short
    what: str = Field(max_length=500)
    result: Result
    took_seconds: _Seconds | None = None
    within_seconds: _Seconds | None = None
    by: _Short | None = None
    said: str = Field("", max_length=1_000)


class Paged(_Part):
    """One attempt to tell a person by a channel: after how long, and what came of it."""

    person: _Short
    channel: str = Field(max_length=200)
    step: int = Field(ge=0)
    after_seconds: float = Field(allow_inf_nan=False)
    result: str = Field(max_length=500)


class Taken(_Part):
    """Who took it on, by what, how long after it began, and how long after they themselves were first told of it."""

    person: _Short
    by: str = Field(max_length=200)
    after_seconds: float = Field(allow_inf_nan=False)
    told_seconds: float | None = Field(None, allow_inf_nan=False)


class Held(_Part):
    """A drill was held to its end, and came to this. ``report`` is the digest of the report."""

    state: Literal["held"] = "held"
    scenario: _Short
    violation: _Short | None = None
    passed: bool
    taken: Taken | None = None
    paged: tuple[Paged, ...] = Field((), max_length=MOST_PAGES)
    steps: tuple[Step, ...] = Field((), max_length=MOST_STEPS)
    report: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")


class CalledOff(_Part):
    """A drill was broken off, and why: it is over, and counts for nothing."""

    state: Literal["called_off"] = "called_off"
    scenario: _Short
    why: str = Field(min_length=1, max_length=500)


Statement = Begun | Held | CalledOff
_READS: Final[TypeAdapter[Statement]] = TypeAdapter(Annotated[Statement, Field(discriminator="state")])


def read_statement(text: str | None) -> Statement:
    """The statement of such JSON. Raises ValueError, whose text says what is missing or wrong, for anything else."""
    return read_state(_READS, text, "a drill is run by `seamwatch drill`", MOST_BYTES)
