"""`seamwatch acknowledgements`: how long each person who was asked took to answer, and which answers do not count."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sinks.store import Store


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(acknowledgements)


def acknowledgements(
    system: Annotated[str | None, typer.Option(help="only this system")] = None,
    person: Annotated[str | None, typer.Option(help="only this person")] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="only what waits for an answer")] = False,
    refused: Annotated[
        bool, typer.Option("--refused", help="the answers that do not count, and why, instead of questions")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="one object a question and person; with --refused an answer")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Say who was asked about which change or violation, and how long each took; the latest first.

    An answer counts when the judge says so: by somebody who was asked, signed where they have keys, in time. What
    somebody else has taken on, and what is over, waits for nobody. Exit 0, whoever still waits: whether an answer is
    late is for the contract's clock (`seamwatch violations`).

    Example: seamwatch acknowledgements --waiting
    """
    from console.asking import auditor, print_lines
    from console.names import demand_known
    from console.tables import print_note
    from seamwatch.errors import UsageError
    from seamwatch.settings import load_settings

    if waiting and refused:
        raise UsageError("--waiting lists questions and --refused answers: ask for one of them")
    asked = {"system": system, "person": person}
    values = {name: value for name, value in asked.items() if value is not None}
    named = [f"{name} = {{{name}:String}}" for name in values]
    with auditor(data) as store:
        rows = _answers(store, named, values) if refused else _questions(store, named, values, waiting=waiting)
        if not rows:
            demand_known(store, **asked)
        uncounted, unjudged = (0, 0) if refused else _without_effect(store, named, values)
    if as_json:
        print_lines(rows)
    elif refused:
        _print_answers(rows, load_settings().clock().now())
    else:
        _print_questions(rows, load_settings().clock().now(), waiting=waiting)
    for count, what in ((uncounted, "do not count"), (unjudged, "were not judged so far")):
        if count:
            print_note(f"{count:,} answers {what}: `seamwatch acknowledgements --refused`", aside=as_json)


def _questions(store: Store, named: list[str], values: dict[str, str], *, waiting: bool) -> list[dict[str, Any]]:
    conditions = " AND ".join([*named, *(["waiting"] if waiting else []), "1"])
    return store.rows(
        f"SELECT * FROM acknowledgement_latency WHERE {conditions} ORDER BY asked_at DESC, reference, person", values
    )


def _answers(store: Store, named: list[str], values: dict[str, str]) -> list[dict[str, Any]]:
    conditions = " AND ".join([*named, "NOT ifNull(counted, false)"])
    return store.rows(f"SELECT * FROM acknowledgements WHERE {conditions} ORDER BY answered_at DESC, event_id", values)


def _without_effect(store: Store, named: list[str], values: dict[str, str]) -> tuple[int, int]:
    (row,) = store.rows(
        "SELECT countIf(NOT counted) AS refused, countIf(counted IS NULL AND reason IS NULL) AS unjudged "
        f"FROM acknowledgements WHERE {' AND '.join([*named, '1'])}",
        values,
    )
    return int(row["refused"]), int(row["unjudged"])


def _print_questions(rows: list[dict[str, Any]], now: int, *, waiting: bool) -> None:
    from console.asking import ago
    from console.tables import print_table

    print_table(
        ("PERSON", "ANSWER", "OF", "REFERENCE", "SYSTEM", "ASKED"),
        (
            (row["person"], _standing(row, now), row["of"], row["reference"], row["system"], ago(row["asked_at"], now))
            for row in rows
        ),
        empty="nobody waits for an answer" if waiting else "nobody was asked anything",
    )


def _standing(row: dict[str, Any], now: int) -> str:
    """What came of a question to one person."""
    from console.asking import micros_of
    from seamwatch.durations import format_duration

    if row["answered_at"] is not None:
        return f"{row['answer']} after {format_duration(max(0, int(row['latency_seconds'] * 1_000_000)))}"
    told = f"; an answer does not count: {row['refused_because']}" if row["refused"] else ""
    told += "; an answer is not judged yet" if row["unjudged"] else ""
    if row["waiting"]:
        return f"waits {format_duration(max(0, now - (micros_of(row['asked_at']) or now)))}{told}"
    if row["before_verdicts"]:
        return f"an answer from before it was kept which of them count{told}"
    if row["taken_by"]:
        return f"none, {row['taken_by']} took it on{told}"
    return f"none, it is over{told}"


def _print_answers(rows: list[dict[str, Any]], now: int) -> None:
    from console.asking import ago
    from console.tables import print_table

    print_table(
        ("PERSON", "SAID", "OF", "REFERENCE", "SYSTEM", "WHEN", "WHY IT DOES NOT COUNT"),
        (
            (
                row["person"],
                row["answer"],
                row["of"],
                row["reference"],
                row["system"],
                ago(row["answered_at"], now),
                _why(row),
            )
            for row in rows
        ),
        empty="every answer counts",
    )


def _why(row: dict[str, Any]) -> str:
    if row["counted"] is not None:
        return str(row["why"])
    if row["reason"] == "before_verdicts":
        return "not known: it was given before this was kept"
    return "not known: no judge has said anything of it so far"
