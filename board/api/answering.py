"""Answering: the rows of a question as the API gives them, or that nobody knows what was asked about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from board.page import Page
from sinks.store.questions.names import demand_known
from sinks.store.questions.rows import records

if TYPE_CHECKING:
    from sinks.store.client import Store


def answer_of(page: Page, ask: Callable[[Store], Sequence[Any]], **named: str | None) -> list[dict[str, Any]]:
    """The rows that a question gives, as records. Raises UnknownNameError where there are none and a name is not known.

    ``named``: what was asked about, by kind of name.
    """
    with page.store() as store:
        found = ask(store)
        if not found:
            demand_known(store, **named)
    return records(found)
