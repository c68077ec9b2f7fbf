"""`seamwatch signals`: the five signals of every system."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sinks.store import Store


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
    from console.names import demand_known
    from console.tables import print_note
    from seamwatch.settings import load_settings

    now = datetime.fromtimestamp(load_settings().clock().now() / 1e6, UTC)
    first = (now - timedelta(days=days)).date().isoformat()
    conditions, values = ["day >= toDate({first:String})"], {"first": first}
    if system is not None:
        conditions.append("system = {system:String}")
        values["system"] = system
    with auditor(data) as store:
        rows = store.rows(
            f"SELECT * FROM five_signals WHERE {' AND '.join(conditions)} ORDER BY system, day DESC, version", values
        )
        if not rows:
            demand_known(store, system=system)
        unmatched = _unmatched(store, first, system)
    _say_unknown(data, system)
    if as_json:
        print_lines(rows)
    else:
        _print(rows, empty=f"nothing was served {'' if system is None else f'by {system} '}since {first}")
    if unmatched:
        told = f"{unmatched:,} outcomes since {first} match no decision on record: `SELECT * FROM unmatched` lists them"
        print_note(told, aside=as_json)


def _print(rows: list[dict[str, Any]], *, empty: str) -> None:
    from console.tables import print_table

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
                row["system"],
                row["version"],
                str(row["day"])[:10],
                f"{row['events']:,}",
                f"{row['calls']:,}",
                _latency(row),
                f"{row['brier']:.3f} of {row['outcomes']:,}" if row["outcomes"] else "no outcomes yet",
                f"{row['open_drift_episodes']} open" if row["open_drift_episodes"] else "none open",
                _share(row["abuse_share"]),
                _share(row["fallback_share"]),
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


def _unmatched(store: Store, first: str, system: str | None) -> int:
    """How many outcomes, observed since a day, are of no decision that is on record: no accuracy counts them."""
    named = "" if system is None else "AND system = {system:String}"
    since = f"event_time >= toDate({{first:String}}) {named}"
    (row,) = store.rows(
        f"SELECT count() AS found FROM outcomes WHERE {since} AND (system, inference_id) NOT IN "
        f"(SELECT system, event_id FROM inference WHERE event_id IN (SELECT inference_id FROM outcome WHERE {since}))",
        {"first": first} if system is None else {"first": first, "system": system},
    )
    return int(row["found"])


def _share(value: float | None) -> str:
    return "decides nothing" if value is None else f"{value:.2%}"


def _latency(row: dict[str, Any]) -> str:
    shown = [row[f"latency_p{quantile}_ms"] for quantile in (50, 95, 99)]
    if shown[0] is None or shown[0] != shown[0]:  # NaN where no event carried one
        return "not reported"
    return " / ".join(f"{value:.0f}" for value in shown) + " ms"
