"""`seamwatch contracts reference`: approved scores as histograms, for a `distribution` clause to name.

Counts nothing itself: in the store `sinks.store.questions.reference` does, in files of events
`streams.replay.reference`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seamwatch.errors import UsageError

if TYPE_CHECKING:
    from console.lines import Complaints
    from seamwatch.statistics.histograms import Counted, Reference


def add(group: typer.Typer) -> None:
    """Add the command to the group of `contracts`."""
    group.command()(reference)


def reference(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="whose scores")],
    start: Annotated[str, typer.Option("--from", help="first instant of the period (RFC 3339, or a date)")],
    to: Annotated[str, typer.Option("--to", help="first instant after it")],
    events: Annotated[
        list[str] | None, typer.Argument(metavar="EVENTS...", help="NDJSON files, or -; by default the store")
    ] = None,
    by: Annotated[str | None, typer.Option(help="cohort: count each cohort by itself")] = None,
    version: Annotated[str | None, typer.Option(help="only scores of this version")] = None,
    where: Annotated[str | None, typer.Option(help="only events for which this holds")] = None,
    low: Annotated[float, typer.Option(help="smallest score")] = 0.0,
    high: Annotated[float, typer.Option(help="largest score")] = 1.0,
    bins: Annotated[int, typer.Option(help="equal bins between them")] = 25,
    window: Annotated[str, typer.Option(help="over which scores are counted")] = "60s",
    distinct: Annotated[bool, typer.Option("--distinct", help="count equal scores once a window")] = False,
    out: Annotated[Path | None, typer.Option(help="write to this file; by default standard output")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON, which a contract may name as well as YAML")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Write the scores of a period as histograms, which a clause of kind `distribution` names as its reference.

    Count as the clause does: its `where`, `range`, `bins`, `window`, `by` and `distinct` must be the same. Exit 1
    when the period holds no score.

    Example: seamwatch contracts reference credit-model --from 2026-10-01 --to 2026-10-15 history.ndjson
    """
    from console.lines import Complaints
    from seamwatch.statistics.histograms import ReferenceFile

    counted = _counted(
        {
            "system": system, "from": start, "to": to, "by": by, "version": version, "where": where,
            "range": (low, high), "bins": bins, "window": window, "distinct": distinct,
        }
    )  # fmt: skip
    complaints = Complaints()
    found = _of_files(counted, events, complaints) if events else _of_store(counted, data)
    if not found:
        print(f"seamwatch: there is no score of {system!r} from {start} to {to}", file=sys.stderr)
        raise typer.Exit(1)
    file = ReferenceFile.of(counted, found)
    text = json.dumps(file.model_dump(mode="json", by_alias=True)) + "\n" if as_json else file.text()
    if out is None:
        print(text, end="")
    else:
        out.write_text(text, "utf-8")
    for cohort, known in sorted(found.items(), key=lambda item: item[0] or ""):
        print(_reference_text(cohort, known), file=sys.stderr)
    raise typer.Exit(1 if complaints.count else 0)


def _counted(given: Mapping[str, object]) -> Counted:
    from pydantic import ValidationError

    from seamwatch.statistics.histograms import Counted

    try:
        return Counted.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = {"range": "low"}.get(str(first["loc"][0]), str(first["loc"][0])) if first["loc"] else ""
        text = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"--{name}: {text}" if name else text) from None


def _of_files(counted: Counted, files: list[str], complaints: Complaints) -> dict[str | None, Reference]:
    from console.history import tell_reused
    from console.lines import Progress, lines_of
    from seamwatch.wire.text import read_lines
    from streams.replay.history.reused import Reused
    from streams.replay.reference import references_of

    progress = Progress("events read so far")

    def records() -> Iterator[tuple[str, dict[str, Any]]]:
        read = 0
        for name in files:
            for line in read_lines(lines_of(name), name, make_ids=True):
                if line.error is not None:
                    complaints.add(line.error)
                    continue
                read += 1
                progress.tell(read)
                yield line.type, line.record
        complaints.finish()

    reused = Reused("inference")
    found = references_of(counted, records(), reused)
    tell_reused([reused], complaints)
    return found


def _of_store(counted: Counted, data: Path | None) -> dict[str | None, Reference]:
    from console.asking import auditor
    from sinks.store.questions.names import demand_known
    from sinks.store.questions.reference import references_of

    with auditor(data) as store:
        found = references_of(store, counted)
        if not found:
            demand_known(store, system=counted.system, version=counted.version)
        return found


def _reference_text(cohort: str | None, known: Reference) -> str:
    """What the owner should know of a reference: how many scores, whether the day has parts, how far the band goes."""
    from seamwatch.judging.patterns.wording import share_text
    from seamwatch.statistics.bands import bands_of

    bands = bands_of(known, floor=0.02, alpha=0.01, daily_cycle=True)
    widest = max(float((band.hi - band.share).max()) for band in bands)
    parts = "no daily cycle" if len(bands) == 1 else f"a daily cycle in {len(bands)} parts"
    who = "" if cohort is None else f"cohort {cohort}: "
    absent = (
        "" if known.absence is None else f"{sum(hour[1] for hour in known.absence.hours):,} decisions without one, "
    )
    return (
        f"{who}{sum(map(sum, known.hours)):,} scores, {absent}{parts}; at floor 0.02 and alpha 0.01 a pass rate may"
        f" move by up to {share_text(widest)} before it counts"
    )
