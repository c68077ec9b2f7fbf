"""Audit: find a decision, why it was allowed, what happened in its trace; and how far the ledger is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse

from board.listing import PAGE, address
from board.page import Page, Signed
from board.security.origins import RefusedError
from seamwatch.errors import UsageError
from seamwatch.instants import parse_instant
from seamwatch.sdk.sealer import ERASED, SEALED
from seamwatch.sealing import key_id_of
from sinks.ledger.verified import last
from sinks.store.client import Store
from sinks.store.questions import ledger
from sinks.store.questions import trail as trails
from sinks.store.questions import why as whys
from sinks.store.questions.approved import Publications, with_approval
from sinks.store.questions.basis import gone
from sinks.store.questions.decisions import Wanted, decisions
from sinks.store.questions.episodes import caused_by, standing
from sinks.store.questions.erasures import Erasure, erasures
from sinks.store.questions.names import UnknownNameError, demand_known
from sinks.store.questions.rotas import paged_text
from sinks.store.questions.signatures import by_contract, signatures, signed

router = APIRouter(include_in_schema=False)

Number = Annotated[int, Query(alias="page", ge=1, le=10_000)]
Text = Annotated[str, Query(max_length=1_000)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form asks, as it was typed; empty texts ask nothing."""

    event: str = ""
    trace: str = ""
    subject: str = ""
    system: str = ""
    version: str = ""
    cohort: str = ""
    contract: str = ""
    since: str = ""
    until: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked."""
        return self == Asked()

    def fields(self) -> dict[str, object]:
        """What stands in an address that asks the same."""
        return {name: getattr(self, name) for name in self.__slots__}

    def wanted(self) -> Wanted:
        """The same for the store. Raises UsageError for what is no time."""
        contract, _, version = self.contract.partition("@")
        return Wanted(
            system=self.system or None,
            version=self.version or None,
            cohort=self.cohort or None,
            contract=contract or None,
            contract_version=version or None,
            since=_moment("from", self.since),
            until=_moment("before", self.until),
            event_id=self.event or None,
            trace_id=self.trace or None,
            subject=self.subject or None,
        )


def _typed(
    event: Text = "",
    trace: Text = "",
    subject: Text = "",
    system: Text = "",
    version: Text = "",
    cohort: Text = "",
    contract: Text = "",
    since: Text = "",
    until: Text = "",
) -> Asked:
    given = (event, trace, subject, system, version, cohort, contract, since, until)
    return Asked(*(text.strip() for text in given))


Form = Annotated[Asked, Depends(_typed)]


@router.get("/audit", response_class=HTMLResponse)
def page_of_audit(page: Signed, asked: Form, at: Number = 1, whole: bool = False) -> HTMLResponse:
    """The page: a form, what it found, and how far the ledger is."""
    given: dict[str, object] = {"asked": asked, "whole": whole}
    if whole:
        given |= _found(page, asked, at) | _ledger(page)
    fields = asked.fields() | {"page": at}
    return page.render(
        "audit.html",
        given
        | {
            "part": address("/parts/audit/decisions", **fields),
            "plain": address("/audit", **fields, whole=1),
        },
    )


@router.get("/parts/audit/decisions", response_class=HTMLResponse)
def decisions_part(page: Signed, asked: Form, at: Number = 1) -> HTMLResponse:
    """What was found, alone."""
    return page.render("parts/audit_decisions.html", _found(page, asked, at))


@router.get("/parts/audit/ledger", response_class=HTMLResponse)
def ledger_part(page: Signed) -> HTMLResponse:
    """How far the ledger is, alone."""
    return page.render("parts/audit_ledger.html", _ledger(page))


@router.get("/audit/why/{event:path}", response_class=HTMLResponse)
def why(page: Signed, event: str, whole: bool = False) -> HTMLResponse:
    """Why a decision was allowed, in the words of the command: with ``whole`` at once, and else by itself."""
    return _about(page, "why", event, _why(page, event) if whole else None)


@router.get("/parts/audit/why", response_class=HTMLResponse)
def why_part(page: Signed, id: Text) -> HTMLResponse:  # noqa: A002 - the name in the address
    """That alone."""
    return page.render("parts/audit_why.html", _why(page, id))


@router.get("/audit/trail/{trace:path}", response_class=HTMLResponse)
def trail(page: Signed, trace: str, whole: bool = False) -> HTMLResponse:
    """Every event of a trace in order, what an event led to below it: with ``whole`` at once, and else by itself."""
    return _about(page, "trail", trace, _trail(page, trace) if whole else None)


@router.get("/parts/audit/trail", response_class=HTMLResponse)
def trail_part(page: Signed, id: Text) -> HTMLResponse:  # noqa: A002 - the name in the address
    """That alone."""
    return page.render("parts/audit_trail.html", _trail(page, id))


def _about(page: Page, what: str, name: str, found: dict[str, object] | None) -> HTMLResponse:
    """A page about one decision or trace, with what was found of it where that was asked already."""
    path = f"/audit/{what}/{quote(name, safe='')}"
    asked = {
        "name": name,
        "whole": found is not None,
        "part": address(f"/parts/audit/{what}", id=name),
        "plain": address(path, whole=1),
    }
    return page.render(f"audit_{what}.html", asked | (found or {}))


def _why(page: Page, event: str) -> dict[str, object]:
    with page.store() as store:
        found = whys.decision(store, event)
        if found is None:
            raise RefusedError(
                f"no inference or tool call with event_id {event!r} is on record: it may not have arrived, or its kind "
                "is another (the trail of its trace shows all kinds)",
                404,
            )
        allowed = Publications(store, [found.system]).allowed(found)
        basis = gone(store, found, allowed.approval, page.context.estate)
        found = with_approval(found, allowed.approval)
        under = by_contract(signatures(store, found.contracts))
        caused = caused_by(store, event)
        held, erased = _held(store, found) if page.everything else ({}, ())
    lines = [
        ("served by", whys.served_by(found)),
        ("approval", whys.allowed_by(found, allowed.why_not)),
        *(("basis gone", text) for text in basis),
        ("owner", whys.owned_by(found)),
        ("contracts", whys.bound_by(found)),
        *(("signed", f"{name}: {signed(those)}") for name, those in under.items()),
        *([("paged", paged_text(found.escalation, lambda: page.context.estate, page.now))] if found.escalation else []),
        ("on record", f"{found.topic}, partition {found.partition}, offset {found.offset}"),
    ]
    return {
        "found": found,
        "said": whys.said(found),
        "lines": lines,
        "held": held,
        "erasures": erased,
        "violations": [(violation, standing(violation)) for violation in caused],
    }


def _trail(page: Page, trace: str) -> dict[str, object]:
    with page.store() as store:
        rows = trails.trail(store, trace)
    if not rows:
        raise RefusedError(f"nothing with trace_id {trace!r} is on record", 404)
    known = {row.event_id for row in rows}
    lost = [row for row in rows if row.parent_id and row.parent_id not in known]
    branches = list(trails.branches(rows))
    return {
        "branches": branches[:_MOST_OF_TRACE],
        "left_out": max(0, len(branches) - _MOST_OF_TRACE),
        "lost": lost[:PAGE],
        "served": trails.SERVED,
    }


_MOST_OF_TRACE: Final = 1_000


def _found(page: Page, asked: Asked, at: int) -> dict[str, object]:
    if asked.is_empty:
        return {"asked": asked, "found": (), "at": 1, "more": False, "hint": None}
    wanted = asked.wanted()
    hint = None
    with page.store() as store:
        found = decisions(store, wanted, PAGE + 1, (at - 1) * PAGE)
        if not found:
            hint = _hint(store, wanted)
    fields = asked.fields()
    return {
        "asked": asked,
        "found": found[:PAGE],
        "at": at,
        "earlier": address("/audit", **fields, page=at + 1) if len(found) > PAGE else None,
        "later_ones": address("/audit", **fields, page=at - 1) if at > 1 else None,
        "hint": hint,
    }


def _hint(store: Store, wanted: Wanted) -> str | None:
    """The name that nobody knows, with the nearest that somebody does."""
    try:
        demand_known(
            store, system=wanted.system, version=wanted.version, cohort=wanted.cohort, contract=wanted.contract
        )
    except UnknownNameError as error:
        return str(error)
    return None


def _ledger(page: Page) -> dict[str, object]:
    with page.store() as store:
        return {"trees": ledger.grown(store), "verified": last(page.context.settings.data)}


def _held(store: Store, found: whys.Decision) -> tuple[dict[str, dict[str, str]], Sequence[Erasure]]:
    """Its attributes and arguments; what is sealed stays sealed here, and what was erased is told as such."""
    contents = whys.contents(store, found)
    texts = {"attributes": contents.attributes, "arguments": contents.arguments}
    ids = {key.hex() for each in texts.values() for text in each.values() if (key := key_id_of(text)) is not None}
    gone = erasures(store, sorted(ids))
    erased = {each.key_id for each in gone}
    return {
        title: {name: _shown(text, erased) for name, text in each.items()} for title, each in texts.items() if each
    }, gone


def _shown(text: str, erased: set[str]) -> str:
    key = key_id_of(text)
    if key is None:
        return text
    return ERASED if key.hex() in erased else SEALED


def _moment(name: str, text: str) -> int | None:
    """A time as the form gives it, UTC where it names no zone."""
    if not text:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        for end in ("Z", ":00Z"):
            try:
                return parse_instant(text + end)
            except ValueError:
                continue
        raise UsageError(f"{name}: {error}") from None
