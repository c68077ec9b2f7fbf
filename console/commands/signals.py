"""`seamwatch signals`: the five signals of every system."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sinks.store.questions.signals import Signals


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(signals)


def signals(
    system: Annotated[str | None, typer.Option(help="only this system")] = None,
    days: Annotated[int, typer.Option(min=1, max=3660, help="how many days of event time, up to now")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="one object a system, version and day")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Latency, accuracy, drift, abuse and fallback of every system seen in traffic, by version and day.

    Systems that only call tools are listed with their calls. Outcomes that match no decision are counted below, or on
    standard error with --json. What clauses could not tell of events, today and yesterday, is said on standard error.

    Example: seamwatch signals --days 7
    """
    from datetime import UTC, datetime, timedelta

    from console.asking import auditor, print_lines
    from console.tables import print_note
    from seamwatch.settings import load_settings
    from sinks.store.questions.names import demand_known
    from sinks.store.questions.rows import records
    from sinks.store.questions.signals import signals as asked
    from sinks.store.questions.signals import unmatched

    now = datetime.fromtimestamp(load_settings().clock().now() / 1e6, UTC)
    first = (now - timedelta(days=days)).date()
    with auditor(data) as store:
        rows = asked(store, first, system)
        if not rows:
            demand_known(store, system=system)
        lost = unmatched(store, first, system)
    _say_unknown(data, system)
    if as_json:
        print_lines(records(rows))
    else:
        _print(rows, empty=f"nothing was served {'' if system is None else f'by {system} '}since {first}")
    if lost:
        text = f"{lost:,} outcomes since {first} match no decision on record: `SELECT * FROM unmatched` lists them"
        print_note(text, aside=as_json)


def _print(rows: Sequence[Signals], *, empty: str) -> None:
    from console.tables import print_table
    from sinks.store.questions.signals import accuracy, latency, share

    print_table(
        (
            "SYSTEM",
            "VERSION",
            "DAY",
            "DECISIONS",
            "CALLS",
            "LATENCY p50/p95/p99",
            "ACCURACY (Brier)",
            "DRIFT",
            "ABUSE",
            "FALLBACK",
        ),
        (
            (
                row.system,
                row.version,
                str(row.day)[:10],
                f"{row.events:,}",
                f"{row.calls:,}",
                latency(row),
                accuracy(row),
                f"{row.open_drift_episodes} open" if row.open_drift_episodes else "none open",
                share(row.abuse_share),
                share(row.fallback_share),
            )
            for row in rows
        ),
        empty=empty,
    )


def _say_unknown(data: Path | None, system: str | None) -> None:
    from console.reach import reach
    from console.unknown import recent, sentences
    from seamwatch.errors import SeamwatchError

    found = reach(data)
    if "kafka" not in found.known:
        return
    try:
        unknown = recent(found.kafka, found.prefix)
    except SeamwatchError as error:
        print(f"note: what clauses could not tell is not known: {error}", file=sys.stderr)
        return
    for sentence in sentences(Counter({whose: n for whose, n in unknown.items() if system in (None, whose.system)})):
        print(f"note: today and yesterday, {sentence}", file=sys.stderr)
