"""Agreed: which duration of a clause lies between when something began and when it became a violation.

Arithmetic over what a contract says. All times are microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

from seamwatch.clauses.clause import Clause
from seamwatch.documents import Contract
from seamwatch.durations import DAY, HOUR

_WINDOWS: Final = ("window", "per", "every")


@dataclass(frozen=True, slots=True)
class Agreed:
    """A parameter of a clause, by its name in the document, that lasted from ``since`` until it was a violation."""

    name: str
    lasts: int
    since: int

    @property
    def is_window(self) -> bool:
        """Whether it is the width of a window, at the end of which is judged."""
        return self.name.rpartition(".")[2] in _WINDOWS


def agreed_on(contract: Contract | None, clause: str, opened_at: int, begins: Sequence[int]) -> Agreed | None:
    """The duration that was agreed to pass from one of ``begins`` to ``opened_at``; None where none fits.

    Else the window that ends at ``opened_at``: windows are aligned to the epoch.
    """
    lasting = list(_durations(_clause(contract, clause)))
    for name, lasts in lasting:
        if opened_at - lasts in begins:
            return Agreed(name, lasts, opened_at - lasts)
    for name, lasts in lasting:
        found = Agreed(name, lasts, opened_at - lasts)
        if found.is_window and opened_at % lasts == 0:
            return found
    return None


def bundled_in(contract: Contract | None, clause: str, at: int) -> int:
    """Where the window begins that an episode of a single event is named by: an hour, or the quiet time if shorter."""
    quiet = dict(_durations(_clause(contract, clause))).get("quiet", DAY)
    return at - at % min(quiet, HOUR)


def _clause(contract: Contract | None, name: str) -> Clause | None:
    return None if contract is None else next((each for each in contract.clauses if each.id == name), None)


def _durations(part: BaseModel | None, before: str = "") -> Iterator[tuple[str, int]]:
    """Every duration that is set in a part of a document, with its path."""
    if part is None:
        return
    written = part.model_dump()
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(value, BaseModel):
            yield from _durations(value, f"{before}{name}.")
        elif isinstance(value, int) and isinstance(written.get(name), str):
            # A duration is held in micros, and written back as people write it.
            yield f"{before}{name}", value
