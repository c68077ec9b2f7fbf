"""Statements: what a review says of an episode that is over, as the JSON that its reviewer signs, and read back.

One part of the clause `follow_up`, used as well by whoever writes a review. Reads and writes text; judges nothing.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from seamwatch.clauses.stated import MOST_BYTES, content_of, read_as, stated_text
from seamwatch.durations import DAY
from seamwatch.instants import parse_instant

MOST_ACTIONS: Final = 20
_LONGEST: Final = 2_000
_LONGEST_ACTION: Final = 500
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

__all__ = ["MOST_ACTIONS", "MOST_BYTES", "Action", "Statement", "read_statement", "statement_of"]

_Text = Annotated[str, Field(min_length=1, max_length=_LONGEST)]


class Action(BaseModel):
    """What one person does by a date. ``due`` is as it was written: a date, until the end of which it is, or a time."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")
    person: str = Field(min_length=1, max_length=200)
    due: str = Field(max_length=40)
    what: str = Field(min_length=1, max_length=_LONGEST_ACTION)

    @field_validator("due")
    @classmethod
    def _is_a_time(cls, due: str) -> str:
        parse_instant(due)
        return due

    @property
    def due_at(self) -> int:
        """The event time (micros) by which it is done: of a date the end of that day, UTC."""
        return parse_instant(self.due) + (DAY if _DATE.fullmatch(self.due) else 0)


class Statement(BaseModel):
    """What the contract between the two sides implied, where behaviour diverged from it, why, and what is done now."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    implied: _Text
    diverged: _Text
    cause: _Text
    actions: tuple[Action, ...] = Field((), max_length=MOST_ACTIONS, strict=False)

    @field_validator("implied", "diverged", "cause")
    @classmethod
    def _says_something(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("it says nothing")
        return text

    @model_validator(mode="after")
    def _each_action_once(self) -> Statement:
        ids = [action.id for action in self.actions]
        if twice := [name for name in dict.fromkeys(ids) if ids.count(name) > 1]:
            raise ValueError(f"two actions have the id {twice[0]!r}")
        return self

    def text(self) -> str:
        """The canonical JSON of it: what is signed and sent."""
        return stated_text(self)


def read_statement(text: str | None) -> Statement:
    """The statement of such JSON. Raises ValueError, whose text says what is missing or wrong, for anything else."""
    return statement_of(content_of(text))


def statement_of(content: Any) -> Statement:
    """The statement of content that was read, of YAML as well. Raises ValueError, which names the place."""
    return read_as(Statement, content)
