"""`seamwatch trail`: everything that happened in one trace, in order, and what led to what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(trail)


def trail(
    trace: Annotated[str, typer.Argument(help="trace_id that the events carry", metavar="TRACE_ID")],
    as_json: Annotated[bool, typer.Option("--json", help="one object an event, in order of event time")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """List every event of a trace in order: models, tools, outcomes, refreshes, each with the approval that covers it.

    What an event led to (`parent_id`) stands below it, indented. Exit 1 when nothing of the trace is on record.

    Example: seamwatch trail conversation-0042
    """
    from console.asking import auditor, micros_of, print_lines
    from console.tables import print_table, print_text
    from seamwatch.errors import SeamwatchError
    from seamwatch.judging.wording import millis_text

    with auditor(data) as store:
        # Only the approvals of what served in this trace: a whole store's would take longer than its trail.
        rows = store.rows(
            "SELECT steps.*, approved.approval_id AS approval_id FROM "
            "(SELECT * FROM trail WHERE trace_id = {trace:String}) AS steps LEFT ANY JOIN "
            "(SELECT system, version, toNullable(approval_id) AS approval_id FROM approvals) AS approved "
            "ON steps.system = approved.system AND steps.version = approved.version "
            "ORDER BY event_time, event_id",
            {"trace": trace},
        )
    if not rows:
        raise SeamwatchError(f"nothing with trace_id {trace!r} is on record")
    if as_json:
        print_lines(rows)
        return
    print_table(
        ("TIME (UTC)", "TYPE", "SYSTEM", "VERSION", "WHAT", "APPROVAL", "EVENT"),
        (
            (
                f"{branch}{millis_text(micros_of(row['event_time']) or 0)}",
                row["type"],
                row["system"],
                row["version"],
                row["what"],
                row["approval_id"] or ("none" if row["type"] in {"inference", "tool_call"} else ""),
                row["event_id"],
            )
            for branch, row in branches(rows)
        ),
        empty="nothing",
    )
    known = {row["event_id"] for row in rows}
    for row in rows:
        if row["parent_id"] and row["parent_id"] not in known:
            print_text(f"{row['event_id']} names a parent that is not on record in this trace: {row['parent_id']}")


def branches(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each event below its parent, with the lines of the tree that go before it; siblings in the order of ``rows``.

    An event whose parent is not among them is a root, and so is one that would be its own ancestor.
    """
    by_id: dict[str, dict[str, Any]] = {}
    for row in rows:
        by_id.setdefault(row["event_id"], row)
    roots = _loop_ends(by_id)
    below: dict[str | None, list[dict[str, Any]]] = {}
    for event_id, row in by_id.items():
        parent = row["parent_id"] if row["parent_id"] in by_id and event_id not in roots else None
        below.setdefault(parent, []).append(row)

    # A list of what is still to be shown, since a chain of agents may be longer than Python's own stack.
    waiting = [("", "", row) for row in reversed(below.get(None, []))]
    while waiting:
        lead, further, row = waiting.pop()
        yield lead, row
        children = below.get(row["event_id"], [])
        for number, child in reversed(list(enumerate(children))):
            last = number == len(children) - 1
            waiting.append((f"{further}{'└─ ' if last else '├─ '}", f"{further}{'   ' if last else '│  '}", child))


def _loop_ends(by_id: dict[str, dict[str, Any]]) -> set[str]:
    """One event of each loop of parents, at which it is broken."""
    ends: set[str] = set()
    done: set[str] = set()
    for event_id in by_id:
        way: dict[str, None] = {}
        at = event_id
        while at in by_id and at not in done:
            if at in way:
                ends.add(at)
                break
            way[at] = None
            at = by_id[at]["parent_id"]
        done.update(way)
    return ends
