"""Changes: what was announced and what serves unannounced, side by side; who has answered, and whose clock runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from board.announced import Change, Standing, Unannounced
from board.listing import Listed, with_or_after
from board.page import Page, Signed
from sinks.store.questions.acknowledgements import Answer, Asked, answers_to, asked_of, why_uncounted
from sinks.store.questions.acknowledgements import standing as said_of
from sinks.store.questions.announcements import naming, newest, number, of_changes
from sinks.store.questions.seen import seen

router = APIRouter(include_in_schema=False)

_CHANGES: Final = 20
_MOST_UNANNOUNCED: Final = 50
Number = Annotated[int, Query(alias="page", ge=1, le=1_000_000)]


@dataclass(frozen=True, slots=True)
class Clock:
    """One who must acknowledge: what came of it in words, and until when they may while it waits."""

    person: str
    said: str
    waiting: bool
    due_at: int | None
    answers: Sequence[Answer]


@dataclass(frozen=True, slots=True)
class Announced:
    """A change with its clocks, and the answers of those who were not asked; ``mine``: it asks who looks."""

    change: Change
    clocks: Sequence[Clock]
    others: Sequence[Answer]
    mine: bool


@router.get("/changes", response_class=HTMLResponse)
def page_of_changes(page: Signed, at: Number = 1, whole: bool = False) -> HTMLResponse:
    """The page; the lists come with it where ``whole`` asks for that, and else by themselves."""
    return page.render("changes.html", with_or_after("/changes", lambda: _listed(page, at), whole=whole, page=at))


@router.get("/parts/changes", response_class=HTMLResponse)
def part(page: Signed, at: Number = 1) -> HTMLResponse:
    """Both lists alone."""
    return page.render("parts/changes_list.html", _listed(page, at))


def _listed(page: Page, at: int) -> dict[str, object]:
    standing = Standing(page.context.estate, page.now)
    with page.store() as store:
        total = number(store)
        at = min(at, max(1, -(-total // _CHANGES)))
        names = newest(store, _CHANGES, (at - 1) * _CHANGES)
        changes = standing.changes(of_changes(store, names))
        asked = asked_of(store, "change", names) if names else []
        answers = answers_to(store, "change", names) if names else []
        served = seen(store)
        values = sorted({value for _, _, value, _ in standing.undeclared(served)})
        unannounced = standing.unannounced(served, naming(store, values))
    return {
        "changes": Listed([_announced(page, change, asked, answers) for change in changes], at, total, _CHANGES),
        "unannounced": unannounced[:_MOST_UNANNOUNCED],
        "unannounced_in_all": len(unannounced),
        "strays": len({one.system for one in served} - set(page.context.estate.systems)),
        "episodes": _episodes(page, unannounced),
        "why_uncounted": why_uncounted,
    }


def _announced(page: Page, change: Change, asked: Sequence[Asked], answers: Sequence[Answer]) -> Announced:
    record = change.record
    of = [a for a in asked if (a.reference, a.system) == (record["change_id"], record["system"])]
    # Who is asked about each content of a change is asked from when that was announced.
    of = [one for one in of if one.asked_at == record["event_time"]]
    given = [
        answer
        for answer in answers
        if (answer.reference, answer.system) == (record["change_id"], record["system"])
        and answer.answered_at >= record["event_time"]
    ]
    people = {one.person for one in of}
    clocks = [
        Clock(
            one.person,
            said_of(one, page.now),
            bool(one.waiting) and change.stands,
            one.due_at,
            [answer for answer in reversed(given) if answer.person == one.person],
        )
        for one in sorted(of, key=lambda one: (not one.waiting, one.due_at or 0, one.person))
    ]
    others = [answer for answer in given if answer.person not in people] if change.newest else []
    mine = page.viewer.person in people and change.newest
    return Announced(change, clocks, others, mine)


def _episodes(page: Page, found: Sequence[Unannounced]) -> dict[tuple[str, str], str]:
    """The open episode about a version or configuration, by system and value."""
    followed = page.open_episodes()
    about = {(one.system, one.value) for one in found}
    return {
        (violation.system, violation.slice): violation.violation_id
        for violation in (each.violation for each in followed)
        if violation.kind == "change_notice" and violation.slice and (violation.system, violation.slice) in about
    }
