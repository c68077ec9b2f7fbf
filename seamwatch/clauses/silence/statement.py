"""Statements: what a person says who holds back pages, or lifts that, as the JSON that they sign, and read back.

One part of the clause `silence`, used as well by whoever asks for one. Also whose word counts, and up to when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from seamwatch.clauses.stated import read_state
from seamwatch.durations import format_duration
from seamwatch.instants import parse_instant
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.entitled import not_entitled

MOST_BYTES: Final = 8_192


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Begun(_Part):
    """Pages are held back from now until a time; ``clause`` None: of all clauses of the contract."""

    state: Literal["begun"] = "begun"
    clause: str | None = Field(None, min_length=1, max_length=128)
    until: str = Field(max_length=40)
    reason: str = Field(min_length=1, max_length=500)

    @field_validator("until")
    @classmethod
    def _is_a_time(cls, until: str) -> str:
        parse_instant(until)
        return until

    @field_validator("reason")
    @classmethod
    def _says_something(cls, reason: str) -> str:
        if not reason.strip():
            raise ValueError("it says nothing")
        return reason

    @property
    def until_at(self) -> int:
        """Its end (micros)."""
        return parse_instant(self.until)


class Lifted(_Part):
    """Pages are held back no longer, from now on."""

    state: Literal["lifted"] = "lifted"
    why: str = Field(min_length=1, max_length=500)


Statement = Begun | Lifted
_READS: Final[TypeAdapter[Statement]] = TypeAdapter(Annotated[Statement, Field(discriminator="state")])


def read_statement(text: str | None) -> Statement:
    """The statement of such JSON. Raises ValueError, whose text says what is missing or wrong, for anything else."""
    return read_state(_READS, text, "pages are held back by `seamwatch silence`", MOST_BYTES)


def fault_of(
    seam: Seam, clause: str, may: Sequence[str], longest: int, record: Mapping[str, Any]
) -> tuple[str, str] | None:
    """Why such an attestation counts for nothing whatever is in force, as a word and a sentence; None when it may."""

    def for_whom(who: str) -> str:
        return f"to hold back pages of {seam.system} by {seam.contract} is for {who}"

    fault = not_entitled(seam, clause, "silence", may, for_whom, record)
    if fault is not None:
        return fault
    try:
        said = read_statement(record.get("statement"))
    except ValueError as error:
        return "unreadable", str(error)
    return None if isinstance(said, Lifted) else _too_long(said, int(record["event_time"]), longest)


def _too_long(said: Begun, at: int, longest: int) -> tuple[str, str] | None:
    if said.until_at <= at:
        return "unreadable", f"it ends at {said.until}, before it began"
    if said.until_at - at > longest:
        allowed = format_duration(longest)
        return "unreadable", f"it would last {format_duration(said.until_at - at)}, and at most {allowed} are agreed"
    return None
