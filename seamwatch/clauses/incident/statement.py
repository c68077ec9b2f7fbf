"""Statements: what a declaration, a withdrawal or a report of a serious incident says, as the JSON that is signed.

One part of the clause `incident`, used as well by whoever writes one. Reads and writes text; judges nothing.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from seamwatch.clauses.stated import content_of, read_as, stated_text
from seamwatch.durations import DAY
from seamwatch.instants import parse_instant

KIND: Final = r"^[a-z][a-z0-9_-]{0,31}$"
"""How a kind of incident is spelt."""
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST: Final = 2_000
_LONGEST_TEXT: Final = 12_000

_Text = Annotated[str, Field(min_length=1, max_length=_LONGEST)]


class _Stated(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def text(self) -> str:
        """The canonical JSON of it: what is signed and sent."""
        return stated_text(self)


def _says_something(text: str) -> str:
    if not text.strip():
        raise ValueError("it says nothing")
    return text


class Declaration(_Stated):
    """That an episode is a serious incident: of which kind, since when one is aware of it, and when it began.

    Times are as they were written: RFC 3339, or a date, from its midnight (UTC) or, on the day it began, from then on.
    """

    kind: str = Field(pattern=KIND)
    aware: str = Field(max_length=40)
    began: str = Field(max_length=40)
    note: _Text

    @field_validator("aware", "began")
    @classmethod
    def _is_a_time(cls, at: str) -> str:
        parse_instant(at)
        return at

    @field_validator("note")
    @classmethod
    def _note(cls, text: str) -> str:
        return _says_something(text)

    @property
    def aware_at(self) -> int:
        """Since when one is aware of it (micros); of the day on which it began, since it did."""
        at, began = parse_instant(self.aware), self.began_at
        return began if _DATE.fullmatch(self.aware) and at <= began < at + DAY else at

    @property
    def began_at(self) -> int:
        """When the episode began (micros)."""
        return parse_instant(self.began)


class Withdrawal(_Stated):
    """That an episode is no serious incident after all, and why."""

    withdrawn: _Text

    @field_validator("withdrawn")
    @classmethod
    def _reason(cls, text: str) -> str:
        return _says_something(text)


class Report(_Stated):
    """A draft of the report, or that it was sent: an initial one, which is not complete, or a complete one.

    ``to`` is the authority, ``text`` what it says, ``sha256`` the digest of the file that the attestation's
    ``evidence_uri`` names.
    """

    stage: Literal["draft", "initial", "complete"]
    to: str | None = Field(None, min_length=1, max_length=200)
    content: str | None = Field(None, min_length=1, max_length=_LONGEST_TEXT)
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    note: str | None = Field(None, min_length=1, max_length=_LONGEST)

    @model_validator(mode="after")
    def _a_draft_says_something(self) -> Report:
        if self.stage == "draft" and self.content is None and self.sha256 is None:
            raise ValueError("a draft says something: content, or the sha256 of a file")
        return self


def read_declaration(text: str | None) -> Declaration | Withdrawal:
    """What an attestation of kind `incident` states. Raises ValueError, which says what is missing or wrong."""
    return declaration_of(content_of(text))


def declaration_of(content: Any) -> Declaration | Withdrawal:
    """The same of content that was read."""
    if isinstance(content, dict) and "withdrawn" in content:
        return read_as(Withdrawal, content)
    return read_as(Declaration, content)


def read_report(text: str | None) -> Report:
    """What an attestation of kind `report` states. Raises ValueError, which says what is missing or wrong."""
    return read_as(Report, content_of(text))
