"""What happened in one trace, in order, and what led to what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sinks.store.questions.approved import Publications
from sinks.store.questions.rows import Micros, columns, rows
from sinks.store.questions.why import decisions

if TYPE_CHECKING:
    from seamwatch.judging.model.seam import Approval
    from sinks.store.client import Store

SERVED: Final = frozenset({"inference", "tool_call"})
"""The types of which each event needs an approval."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a trace; ``approval_id`` is of the approval that allowed it, None where none did or none need."""

    trace_id: str | None
    event_time: Micros
    type: str
    event_id: str
    parent_id: str | None
    system: str
    version: str
    what: str
    topic: str
    partition: int
    offset: int
    approval_id: str | None = None


_OF_VIEW: Final = columns(Happened).removesuffix(", `approval_id`")
_TRAIL: Final = f"SELECT {_OF_VIEW} FROM trail WHERE trace_id = {{trace:String}} ORDER BY event_time, event_id"


def trail(store: Store, trace_id: str) -> list[Happened]:
    """Every event of a trace by event time, with the approval that covers it."""
    events = rows(store, Happened, _TRAIL, {"trace": trace_id})
    decided = decisions(store, [event.event_id for event in events if event.type in SERVED])
    published = Publications(store, [decision.system for decision in decided])
    allowed: dict[tuple[str, str], Approval | None] = {
        (each.type, each.event_id): published.allowed(each).approval for each in decided
    }
    return [
        event
        if (found := allowed.get((event.type, event.event_id))) is None
        else replace(event, approval_id=found.approval_id)
        for event in events
    ]


def branches(rows: Sequence[Happened]) -> Iterator[tuple[str, Happened]]:
    """Each event below its parent, with the lines of the tree that go before it; siblings in the order of ``rows``.

    An event whose parent is not among them is a root, and so is one that would be its own ancestor.
    """
    by_id: dict[str, Happened] = {}
    for row in rows:
        by_id.setdefault(row.event_id, row)
    roots = _loop_ends(by_id)
    below: dict[str | None, list[Happened]] = {}
    for event_id, row in by_id.items():
        parent = row.parent_id if row.parent_id in by_id and event_id not in roots else None
        below.setdefault(parent, []).append(row)

    # A list of what is still to be shown, since a chain of agents may be longer than Python's own stack.
    waiting = [("", "", row) for row in reversed(below.get(None, []))]
    while waiting:
        lead, further, row = waiting.pop()
        yield lead, row
        children = below.get(row.event_id, [])
        for number, child in reversed(list(enumerate(children))):
            last = number == len(children) - 1
            waiting.append((f"{further}{'└─ ' if last else '├─ '}", f"{further}{'   ' if last else '│  '}", child))


def _loop_ends(by_id: dict[str, Happened]) -> set[str]:
    """One event of each loop of parents, at which it is broken."""
    ends: set[str] = set()
    done: set[str] = set()
    for event_id in by_id:
        way: dict[str, None] = {}
        at: str | None = event_id
        while at is not None and at in by_id and at not in done:
            if at in way:
                ends.add(at)
                break
            way[at] = None
            at = by_id[at].parent_id
        done.update(way)
    return ends
