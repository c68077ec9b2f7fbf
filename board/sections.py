"""Sections: the parts of a long page, each asked for by itself once the page stands, or all at once without JavaScript.

A section that cannot be made says why in its own place; the others stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from board.page import Page
from seamwatch.errors import SeamwatchError, UnreachableError

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Section(Generic[Subject]):
    """A part of a page: its name in addresses, its title, and what its template is given (as ``s``)."""

    name: str
    title: str
    ask: Callable[[Page, Subject], Mapping[str, Any]]
    renewed: str = ""
    """On which events of the stream it is asked for again, as htmx has it."""


@dataclass(frozen=True, slots=True)
class Laid:
    """A section as it stands on a page: with its values, or why there are none, or neither, to be asked for."""

    name: str
    title: str
    template: str
    path: str
    renewed: str
    values: Mapping[str, Any] | None = None
    failed: str | None = None
    status: int = 200


@dataclass(frozen=True, slots=True)
class Sections(Generic[Subject]):
    """The sections of one kind of page, ``of`` its plural in addresses and in the names of templates."""

    of: str
    all: Sequence[Section[Subject]]

    def laid(self, page: Page, name: str, subject: Subject, *, whole: bool) -> list[Laid]:
        """All of them for a page about ``name``; with their values if it is to be whole."""
        from urllib.parse import quote

        found = []
        for section in self.all:
            path = f"/parts/{self.of}/{section.name}?id={quote(name, safe='')}"
            laid = (section.name, section.title, self._template(section), path, section.renewed)
            if not whole:
                found.append(Laid(*laid))
                continue
            try:
                found.append(Laid(*laid, values=section.ask(page, subject)))
            except SeamwatchError as error:
                status = 503 if isinstance(error, UnreachableError) else 500
                found.append(Laid(*laid, failed=str(error), status=status))
        return found

    def part(self, page: Page, name: str, subject: Callable[[], Subject]) -> HTMLResponse:
        """One of them alone. Raises HTTPException where there is none of that name."""
        section = next((each for each in self.all if each.name == name), None)
        if section is None:
            raise HTTPException(404)
        return page.render(self._template(section), {"s": section.ask(page, subject())})

    def _template(self, section: Section[Subject]) -> str:
        return f"parts/{self.of}/{section.name}.html"
