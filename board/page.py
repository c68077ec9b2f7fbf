"""A page: who looks at it, what it may ask, and its HTML. What each page shows is in `board.pages`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Depends, Form, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader

from board.context import Context
from board.live.open_episodes import Followed, steps_of
from board.security.origins import HEADER, RefusedError, demand_own_page, demand_token
from board.security.viewer import Viewer
from board.words import FILTERS
from seamwatch.guard.standing import Standing
from sinks.store.client import Store

# A template is looked up for each item of a list, by every thread at once: in a dictionary, and not in a cache that
# takes a lock each time and looks whether the file has changed.
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    auto_reload=False,
    cache_size=-1,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(FILTERS)


_SECOND: Final = 1_000_000
_PERSONAL: Final = frozenset({"attributes", "arguments"})

MENU: Final = (
    ("/", "On call"),
    ("/inventory", "Inventory"),
    ("/changes", "Changes"),
    ("/drift", "Drift"),
    ("/compliance", "Compliance"),
    ("/readiness", "Readiness"),
    ("/audit", "Audit"),
)


class NotSignedInError(Exception):
    """Nobody is signed in; ``back`` is where to go afterwards."""

    def __init__(self, back: str) -> None:
        super().__init__("sign in first")
        self.back = back


@dataclass(frozen=True, slots=True)
class Page:
    """One request of somebody who is signed in."""

    context: Context
    request: Request
    viewer: Viewer

    @property
    def now(self) -> int:
        """The stages' time (micros)."""
        return self.context.clock.now()

    @property
    def everything(self) -> bool:
        """Whether raw bytes, attributes, arguments and SQL may be shown."""
        return self.viewer.may_see_everything(self.context.estate.persons)

    @property
    def hidden(self) -> frozenset[str]:
        """The fields of events that who looks may not be told, nor anything that is counted by them."""
        return frozenset() if self.everything else _PERSONAL

    @property
    def team(self) -> str | None:
        """The team whose systems alone are shown; None where those of all are."""
        return self.viewer.team(self.context.estate.persons, self.context.shown.teams)

    def sees(self, followed: Followed) -> bool:
        """Whether an episode may be shown: it is of a system of the team, or names who looks as one who must act."""
        team = self.team
        if team is None:
            return True
        violation = followed.violation
        system = self.context.estate.systems.get(violation.system)
        named = {
            violation.person,
            violation.acknowledged_by,
            *(s.person for s in steps_of(followed, self.context.estate)),
        }
        return (system is not None and system.team == team) or self.viewer.person in named

    def open_episodes(self) -> list[Followed]:
        """The open episodes that may be shown, from the topics."""
        return [each for each in list(self.context.feed.episodes.followed.values()) if self.sees(each)]

    def episode(self, violation_id: str) -> Followed | None:
        """An episode of the topics that may be shown, open or over a short while ago."""
        found = self.context.feed.episodes.get(violation_id)
        return found if found is not None and self.sees(found) else None

    def suspended(self, system: str) -> tuple[Standing, ...]:
        """What is suspended of a system now, from the topics; nothing of one that may not be shown."""
        declared, team = self.context.estate.systems.get(system), self.team
        if team is not None and (declared is None or declared.team != team):
            return ()
        standing = self.context.feed.suspended.get(system, ())
        return tuple(one for one in standing if one.until is None or one.until > self.now)

    def all_suspended(self) -> tuple[Standing, ...]:
        """All that is suspended now and may be shown, by system."""
        return tuple(one for system in sorted(self.context.feed.suspended) for one in self.suspended(system))

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store, with the rights of who looks."""
        with self.context.stores.open(everything=self.everything, team=self.team) as store:
            yield store

    @property
    def rate(self) -> float:
        """How many seconds of the stages' time pass in one of the machine's."""
        wall = self.context.sessions.now()
        return (self.context.clock.at(wall + _SECOND) - self.context.clock.at(wall)) / _SECOND

    @property
    def menu(self) -> tuple[tuple[str, str], ...]:
        """The pages, as paths and words."""
        return MENU

    def is_at(self, path: str) -> bool:
        """Whether this page is the one of a path, or below it."""
        here = self.request.url.path
        return here == path or (path != "/" and here.startswith(f"{path}/"))

    @property
    def signs(self) -> bool:
        """Whether who looks has published keys, so that only what they sign counts."""
        known = self.context.estate.persons.get(self.viewer.person or "")
        return known is not None and bool(known.keys)

    @property
    def form_token(self) -> str:
        """What forms of this session carry."""
        return self.context.sessions.form_token(self.viewer)

    def render(self, template: str, values: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        """A template, with these values and what every page needs."""
        given = {"page": self, "viewer": self.viewer, "now": self.now, "estate": self.context.estate} | dict(values)
        return HTMLResponse(
            _TEMPLATES.get_template(template).render(given), status, {"Cache-Control": "no-store", "Vary": "HX-Request"}
        )


def context_of_request(request: Request) -> Context:
    """What the process stands on."""
    context: Context = request.app.state.context
    return context


def page_of(request: Request) -> Page:
    """The request of somebody who is signed in. Raises NotSignedInError."""
    context = context_of_request(request)
    viewer = context.sessions.viewer(request)
    if viewer is None or not context.still_knows(viewer):
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        raise NotSignedInError(quote(back, safe=""))
    return Page(context, request, viewer)


def act_of(
    request: Request, page: Annotated[Page, Depends(page_of)], csrf: Annotated[str | None, Form()] = None
) -> Page:
    """A request that changes something: from a page of ours, of this session. Raises RefusedError."""
    demand_own_page(request, page.context.origins)
    demand_token(csrf or request.headers.get(HEADER), page.form_token)
    return page


def person_of(page: Page) -> str:
    """Who acts. Raises RefusedError for somebody who has not said who they are, or may not act."""
    if page.viewer.person is None:
        raise RefusedError("say who you are first: one acknowledges as oneself only", 409)
    if not page.viewer.may_answer():
        raise RefusedError("this sign-in may only look")
    return page.viewer.person


def plain(template: str, values: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """A page for somebody who is not signed in."""
    return HTMLResponse(_TEMPLATES.get_template(template).render(dict(values)), status, {"Cache-Control": "no-store"})


def text_of(template: str, values: Mapping[str, Any]) -> str:
    """A template as text that is no answer: what stands alone, away from the board."""
    return _TEMPLATES.get_template(template).render(dict(values))


def wants_fragment(request: Request) -> bool:
    """Whether a part of a page is asked for, by a page that is open."""
    return request.headers.get("hx-request") == "true"


Signed = Annotated[Page, Depends(page_of)]
Acting = Annotated[Page, Depends(act_of)]


def redirected(target: str) -> Response:
    """Go on with another page, by GET."""
    return Response(status_code=303, headers={"Location": target})
