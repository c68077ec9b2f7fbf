"""Statements: what a review says of an episode that is over, as the JSON that its reviewer signs, and read back.

One part of the clause `follow_up`, used as well by whoever writes a review. Reads and writes text; judges nothing.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from seamwatch.durations import DAY
from seamwatch.instants import parse_instant

MOST_ACTIONS: Final = 20
MOST_BYTES: Final = 16_384
_LONGEST: Final = 2_000
_LONGEST_ACTION: Final = 500
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

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
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def read_statement(text: str | None) -> Statement:
    """The statement of such JSON. Raises ValueError, whose text says what is missing or wrong, for anything else."""
    if text is None:
        raise ValueError("it states nothing")
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise ValueError(f"its statement has more than {MOST_BYTES:,} bytes")
    try:
        return statement_of(json.loads(text, object_pairs_hook=_single_keys))
    except RecursionError:
        raise ValueError("its statement is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"its statement is no JSON: {error}") from None


def statement_of(content: Any) -> Statement:
    """The statement of content that was read, of YAML as well. Raises ValueError, which names the place."""
    try:
        return Statement.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
        said = str(first["msg"]).removeprefix("Value error, ")
        raise ValueError(f"{place}: {said}" if place else said) from None


def _single_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key of its statement stands twice")
    return found
