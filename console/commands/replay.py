"""`seamwatch replay`: judge a history of events by contracts, from files or from the decision store."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.lines import Complaints, Progress
from console.moments import moment_of
from seamwatch.errors import UsageError

if TYPE_CHECKING:
    from console.tally import Tally
    from seamwatch.judging.model.facts import Unknown, Verdict
    from streams.judge.unknown import Doubted

_ANSWERS_SHOWN = 5


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(replay)


def replay(
    contracts: Annotated[Path, typer.Option(help="folder of contracts and the documents they name")],
    events: Annotated[
        list[str] | None,
        typer.Argument(
            help="NDJSON, Avro or Parquet files, also gzipped, or - for standard input", metavar="EVENTS..."
        ),
    ] = None,
    from_store: Annotated[
        bool, typer.Option("--from-store", help="the decision store's events instead of files")
    ] = False,
    since: Annotated[
        str | None, typer.Option(help="episodes not over by then: a duration back from now (30d) or a time (RFC 3339)")
    ] = None,
    until: Annotated[str | None, typer.Option(help="events before then: a duration back from now, or a time")] = None,
    now: Annotated[str | None, typer.Option(help="advance the clock to this time (RFC 3339)")] = None,
    record_type: Annotated[
        str | None, typer.Option("--type", help="record type of Avro or Parquet rows that do not say theirs")
    ] = None,
    summary: Annotated[bool, typer.Option("--summary", help="a table of the clauses instead of violations")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="with --summary: one JSON object")] = False,
    data: Annotated[
        Path | None, typer.Option(help="with --from-store: data folder of a running `seamwatch up`")
    ] = None,
) -> None:
    """Judge history offline: violations as NDJSON on standard output, one object an episode in its last state.

    Exit 0 when there are none, 1 when there are any (or lines that hold no event; they are named and left out). Of how
    many events a clause could not be told is said on standard error.

    Example: seamwatch replay --contracts contracts/ --from-store --since 30d --summary
    """
    from console.history import Asked, gathered
    from console.naming import some_of
    from console.tally import Tally
    from console.unknown import sentences
    from seamwatch.documents.loading import load
    from seamwatch.documents.signing_verdicts import unsigned_of
    from seamwatch.judging.model.text import violation_line
    from streams.judge.unknown import doubted
    from streams.replay.replay import judged

    answers: dict[str, Verdict] = {}

    def hear(verdict: Verdict) -> None:
        if (known := answers.get(verdict.acknowledgement_id)) is None or not known.counted:
            answers[verdict.acknowledgement_id] = verdict

    if as_json and not summary:
        raise UsageError("--json is the form of --summary: without it, violations are JSON as they are")
    clock = moment_of("--now", now, back=False)
    asked = Asked(events or (), from_store, since, until, record_type, data)
    asked.check()
    loaded = load(contracts)
    estate = loaded.estate()
    if not loaded.reads:
        print(f"note: there is no document in {contracts}: judged by the defaults alone", file=sys.stderr)
    if unsigned := unsigned_of(loaded.reads):
        print(f"note: not signed, judged all the same: {some_of(unsigned)}", file=sys.stderr)
    complaints = Complaints()
    found = False
    with gathered(asked, complaints, estate) as (history, period):
        progress = Progress(f"of {history.events} events judged so far")
        end = max((at for at in (history.last, clock) if at is not None), default=None)
        tally = Tally(estate.contracts, end)
        unknown: Counter[Doubted] = Counter()

        def count(some: Sequence[Unknown]) -> None:
            unknown.update(doubted(some))

        found_by = judged(estate, history, clock, progress=progress.tell, hear=hear, unknown=count)
        for violation in filter(period.tells, found_by):
            found = True
            if summary:
                tally.add(violation)
            else:
                print(violation_line(violation))
        if summary:
            begin = history.first if period.since is None else period.since
            _print_summary(tally, history.events, begin, end, unknown, as_json=as_json)
    for sentence in sentences(unknown):
        print(f"note: {sentence}", file=sys.stderr)
    _tell_refused(list(answers.values()))
    raise typer.Exit(1 if found or complaints.count else 0)


def _tell_refused(answers: list[Verdict]) -> None:
    """Say which answers of the history change nothing."""
    refused = [verdict for verdict in answers if not verdict.counted]
    for verdict in refused[:_ANSWERS_SHOWN]:
        print(f"note: an answer of {verdict.person} does not count: {verdict.summary}", file=sys.stderr)
    if len(refused) > _ANSWERS_SHOWN:
        print(f"note: nor do {len(refused) - _ANSWERS_SHOWN:,} answers more, of {len(answers):,}", file=sys.stderr)


def _print_summary(
    tally: Tally, events: int, begin: int | None, end: int | None, unknown: Counter[Doubted], *, as_json: bool
) -> None:
    from console.tables import print_table
    from console.tally import per_week, tally_object
    from seamwatch.durations import format_duration
    from seamwatch.judging.patterns.wording import moment_text

    if as_json:
        lines = [
            {"contract": whose.contract, "clause": whose.clause, "system": whose.system, "why": whose.why, "events": n}
            for whose, n in unknown.most_common()
        ]
        print(json.dumps(tally_object(tally, events, begin, end) | {"unknown": lines}, ensure_ascii=False))
        return
    clauses = tally.clauses
    rates = [per_week(c.episodes, begin, end) for c in clauses]
    print_table(
        ("CONTRACT", "CLAUSE", "KIND", "WARNINGS", "BREACHES", "STILL OPEN", "PER WEEK", "LONGEST", "PAGED FIRST"),
        (
            (
                f"{c.contract}@{c.version}",
                c.clause,
                c.kind,
                str(c.warnings),
                str(c.breaches),
                str(c.open),
                "" if rate is None else f"{rate:.1f}",
                format_duration(c.longest) if c.episodes else "",
                ", ".join(f"{person} {times}×" for person, times in c.paged.most_common()),
            )
            for c, rate in zip(clauses, rates, strict=True)
        ),
        empty="no clause was judged",
    )
    if len(tally.weeks) > 1:
        print()
        print_table(
            ("WEEK OF", "WARNINGS", "BREACHES"),
            ((week, str(n["warning"]), str(n["breach"])) for week, n in tally.weeks.items()),
            empty="",
        )
    span = "" if begin is None or end is None else f" from {moment_text(begin)} to {moment_text(end)}"
    print(f"\n{events:,} events{span}: {sum(c.episodes for c in clauses):,} episodes")
    for person, times in tally.paged.most_common():
        print(f"{person} would have been paged first about {times:,} of them")
