"""SQL of one's own, for those who may see everything: asked read-only, its first rows shown, all of them as CSV.

An address with `?sql=` can be passed on. It is asked at once only where one of our own pages, or the reader by hand,
leads there; a page of another site leads to the text and a button.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from board.listing import address
from board.page import Page, Signed
from board.security.origins import RefusedError
from seamwatch.errors import SeamwatchError, StoreError, UnreachableError
from sinks.store.questions.typed import Answer, answer, csv_of

router = APIRouter(include_in_schema=False)

ROWS: Final = 500
Sql = Annotated[str, Query(max_length=20_000)]
EXAMPLES: Final = ("inventory", "violations", "decided_under", "approvals", "acknowledgements")
"""Views that a person may look at first."""


@router.get("/audit/sql", response_class=HTMLResponse)
def page_of_sql(page: Signed, sql: Sql = "") -> HTMLResponse:
    """The box; and the answer, where the statement may be asked at once."""
    _demand_everything(page)
    found, why_not, took, status = None, None, 0.0, 200
    runs = bool(sql.strip()) and led_here(page.request, page.context.origins)
    if runs:
        began = time.monotonic()
        try:
            found = _answer(page, sql)
        except SeamwatchError as error:
            why_not, status = _told(error), 503 if isinstance(error, UnreachableError) else 422
        took = time.monotonic() - began
    return page.render(
        "audit_sql.html",
        {
            "sql": sql,
            "answer": found,
            "why_not": why_not,
            "took": took,
            "waits": bool(sql.strip()) and not runs,
            "rows": ROWS,
            "seconds": page.context.stores.typed_seconds,
            "link": f"{page.context.address}{address('/audit/sql', sql=sql)}",
            "csv": address("/audit/sql.csv", sql=sql),
            "examples": EXAMPLES,
        },
        status,
    )


@router.get("/audit/sql.csv")
def csv_file(page: Signed, sql: Sql) -> Response:
    """All of an answer, as it comes."""
    _demand_everything(page)
    if not led_here(page.request, page.context.origins):
        raise RefusedError("this was asked for by a page of another site: open the page of the statement, and run it")
    pieces = _pieces(page, sql)
    try:
        first = next(pieces)
    except StoreError as error:
        raise RefusedError(str(error), 422) from None
    return StreamingResponse(
        _joined(first, pieces),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="answer.csv"', "Cache-Control": "no-store"},
    )


def led_here(request: Request, origins: frozenset[str]) -> bool:
    """Whether a page of ours led here, or the reader themselves, as far as the browser tells."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    return any(request.headers.get("referer", "").startswith(f"{origin}/") for origin in origins)


def _demand_everything(page: Page) -> None:
    if not page.everything:
        raise RefusedError("SQL is for auditors (`roles: [auditor]` of their Person document): it shows all on record")


def _answer(page: Page, sql: str) -> Answer:
    with page.context.stores.typed() as store:
        return answer(store, sql, ROWS)


def _pieces(page: Page, sql: str) -> Iterator[bytes]:
    with page.context.stores.typed() as store:
        yield from csv_of(store, sql)


def _joined(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others


def _told(error: SeamwatchError) -> str:
    said = str(error)
    if isinstance(error, UnreachableError) and "timed out" in said:
        return f"{said}. It took too long: ask for less, such as a shorter time or one system"
    return said
