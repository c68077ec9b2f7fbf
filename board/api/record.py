"""The record by the API: decisions and why they were allowed, traces, stale data, who answered what, and the ledger."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from board.api.access import Reader
from board.api.answering import answer_of
from board.api.models import ANSWER, ASKED, DECIDED, HAPPENED, INCIDENT, LEDGER, OWED, STALE, WHY, listing, without_nan
from board.api.paging import Limit, Name, Offset, Since, moment, page_of_list
from board.api.problems import documented
from board.security.origins import RefusedError
from seamwatch.judging.model.text import violation_object
from sinks.store.questions import stale
from sinks.store.questions.acknowledgements import asked, refused
from sinks.store.questions.approved import Publications, with_approval
from sinks.store.questions.basis import gone
from sinks.store.questions.decisions import Wanted, decisions
from sinks.store.questions.episodes import caused_by
from sinks.store.questions.followups import followups
from sinks.store.questions.incidents import incidents
from sinks.store.questions.ledger import grown
from sinks.store.questions.names import demand_known
from sinks.store.questions.rows import record, records
from sinks.store.questions.signatures import signatures
from sinks.store.questions.trail import trail
from sinks.store.questions.why import contents, decision

router = APIRouter(tags=["record"], responses=documented(404))


@router.get("/decisions", response_model=listing(DECIDED))
def decided(
    request: Request,
    page: Reader,
    system: Name = None,
    version: Name = None,
    cohort: Name = None,
    contract: Name = None,
    contract_version: Name = None,
    since: Since = None,
    until: Since = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """What was decided and called, and under which contracts, the latest first. ``total`` is not counted."""
    wanted = Wanted(
        system, version, cohort, contract, contract_version,
        moment("since", since, page.now), moment("until", until, page.now),
    )  # fmt: skip
    with page.store() as store:
        found = decisions(store, wanted, offset + limit + 1)
        if not found:
            demand_known(store, system=system, version=version, cohort=cohort, contract=contract)
    return page_of_list(request, records(found), limit, offset) | {"total": None}


@router.get("/decisions/{event_id}", response_model=WHY)
def why(page: Reader, event_id: Annotated[str, Path(max_length=128, description="of an inference or a call")]) -> Any:
    """Why it was allowed: its approval, the contracts that bind it, who answers for it, where it is kept."""
    with page.store() as store:
        found = decision(store, event_id)
        if found is None:
            raise RefusedError(f"no inference or tool call with event_id {event_id!r} is on record", 404)
        allowed = Publications(store, [found.system]).allowed(found)
        basis = gone(store, found, allowed.approval, page.context.estate)
        signed = records(signatures(store, found.contracts))
        caused = [violation_object(each) for each in caused_by(store, event_id)]
        held = contents(store, found) if page.everything else None
    told = record(with_approval(found, allowed.approval)) | {
        "why_not": allowed.why_not,
        "basis_gone": list(basis),
        "signatures": signed,
        "violations": caused,
        "attributes": None if held is None else held.attributes,
        "arguments": None if held is None else held.arguments,
    }
    return without_nan(told)


@router.get("/traces/{trace_id:path}", response_model=listing(HAPPENED))
def traced(
    request: Request,
    page: Reader,
    trace_id: Annotated[str, Path(max_length=512)],
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """Everything that happened in a trace, in order, with the approval that covers it."""
    with page.store() as store:
        found = records(trail(store, trace_id))
    if not found:
        raise RefusedError(f"nothing with trace_id {trace_id!r} is on record", 404)
    return page_of_list(request, found, limit, offset)


@router.get("/stale", response_model=listing(STALE))
def stale_decisions(
    request: Request, page: Reader, system: Name = None, since: Since = None, limit: Limit = 100, offset: Offset = 0
) -> Any:
    """Which decisions were made on data older than agreed, the latest first."""
    of = stale.Since(system, moment("since", since, page.now))
    with page.store() as store:
        found = stale.stale(store, of, offset + limit)
        if not found:
            demand_known(store, system=system)
        total = stale.number(store, of)
    return page_of_list(request, records(found)[offset:], limit, offset, total)


@router.get("/acknowledgements", response_model=listing(ASKED))
def asked_of(
    request: Request,
    page: Reader,
    system: Name = None,
    person: Name = None,
    waiting: Annotated[bool, Query(description="only what waits for an answer")] = False,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """Who was asked about which change, violation or summary, and what they answered; the latest first."""
    ask = partial(asked, system=system, person=person, waiting=waiting)
    return page_of_list(request, answer_of(page, ask, system=system, person=person), limit, offset)


@router.get("/followups", response_model=listing(OWED))
def owed(
    request: Request,
    page: Reader,
    system: Name = None,
    person: Name = None,
    done: Annotated[bool, Query(description="also what is done")] = False,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """Which reviews and actions are owed after what was broken, what is due first before the rest."""
    ask = partial(followups, system=system, person=person, done=done)
    return page_of_list(request, answer_of(page, ask, system=system, person=person), limit, offset)


@router.get("/incidents", response_model=listing(INCIDENT))
def declared(
    request: Request,
    page: Reader,
    system: Name = None,
    person: Name = None,
    over: Annotated[bool, Query(description="also those of which nothing is owed any more")] = False,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """Which episodes are declared serious incidents, and what is owed of each; what is due first before the rest."""
    ask = partial(incidents, system=system, person=person, over=over)
    return page_of_list(request, answer_of(page, ask, system=system, person=person), limit, offset)


@router.get("/answers/without-effect", response_model=listing(ANSWER))
def without_effect(
    request: Request,
    page: Reader,
    system: Name = None,
    person: Name = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """The answers that do not count, or of which that is not known, the latest first."""
    ask = partial(refused, system=system, person=person)
    return page_of_list(request, answer_of(page, ask, system=system, person=person), limit, offset)


@router.get("/ledger", response_model=listing(LEDGER))
def ledger(request: Request, page: Reader, limit: Limit = 100, offset: Offset = 0) -> Any:
    """How far the ledger of each topic partition has got; `seamwatch verify` says whether it holds."""
    with page.store() as store:
        found = records(grown(store))
    return page_of_list(request, found, limit, offset)
