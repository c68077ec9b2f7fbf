"""`seamwatch spool`: what producers left on disk while the broker was away, and sending it for those that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from seamwatch.sdk.spool import Left

Data = Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")]
Folder = Annotated[
    Path | None, typer.Option(help="a producer's own spool folder, where it was given `spool=`", metavar="FOLDER")
]
Producers = Annotated[
    list[str] | None, typer.Option("--producer", help="only this producer's; more than once for several")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Events that producers left on disk.", no_args_is_help=True)
    group.command("list")(show)
    group.command("send")(send)
    app.add_typer(group, name="spool")


@dataclass(frozen=True, slots=True)
class Spooled:
    """What one producer left."""

    producer: str
    folder: Path
    files: tuple[Left, ...]

    @property
    def orphaned(self) -> int:
        """Events whose process is gone, so that nobody sends them."""
        return sum(file.events or 0 for file in self.files if not file.owned)


def show(
    producer: Producers = None,
    folder: Folder = None,
    as_json: Annotated[bool, typer.Option("--json", help="one object a producer")] = False,
    data: Data = None,
) -> None:
    """List what waits on disk, by producer: events whose process still runs, and events that nobody sends any more.

    Looks below SEAMWATCH_DATA, where the SDK spools unless told otherwise. Exit 1 when there are events that nobody
    sends, and for a file that cannot be read.

    Example: seamwatch spool list
    """
    import sys

    from console.asking import ago, print_lines
    from console.tables import print_table
    from seamwatch.clock import SystemClock
    from seamwatch.instants import format_instant

    found = _spools(data, folder, producer)
    rows, unread = [], 0
    for spooled in found:
        unread += len(bad := [file for file in spooled.files if file.events is None])
        for file in bad:
            print(f"{file.path}: this is no spool file that can be read; it is left as it is", file=sys.stderr)
        if files := [file for file in spooled.files if file.events]:
            since = min(file.since for file in files)
            rows.append((spooled, sum(file.events or 0 for file in files), sum(file.size for file in files), since))
    if as_json:
        print_lines(
            {"producer": spooled.producer, "folder": str(spooled.folder), "events": events, "bytes": size,
             "orphaned": spooled.orphaned, "since": format_instant(since)}
            for spooled, events, size, since in rows
        )  # fmt: skip
    else:
        print_table(
            ("PRODUCER", "EVENTS", "BYTES", "NOBODY SENDS", "SINCE"),
            [
                (spooled.producer, str(events), str(size), str(spooled.orphaned), ago(since, SystemClock().now()))
                for spooled, events, size, since in rows
            ],
            empty="nothing waits on disk",
        )
    raise typer.Exit(1 if unread or any(spooled.orphaned for spooled in found) else 0)


def send(
    producer: Producers = None,
    folder: Folder = None,
    timeout: Annotated[float, typer.Option(help="seconds without any progress after which to give up")] = 30.0,
    data: Data = None,
) -> None:
    """Send what processes that are gone left on disk, in their order; what a running process owns is left to it.

    What is delivered leaves the disk; when the broker goes away in the middle the rest stays there (exit 3). An event
    that was on its way when its process ended may come twice, and counts once.

    Example: seamwatch spool send --producer scoring-service
    """
    import time

    from console.lines import Progress
    from console.reach import reach
    from seamwatch.errors import UnreachableError
    from seamwatch.sdk.emitter import Emitter

    found = [spooled for spooled in _spools(data, folder, producer) if spooled.orphaned]
    if not found:
        print("nothing waits on disk that nobody sends")
        return
    system, progress, sent = reach(data), Progress("events sent so far"), 0
    for spooled in found:
        emitter = Emitter(spooled.producer, bootstrap=system.kafka, prefix=system.prefix, spool=spooled.folder)
        emitter.start()
        last, since = 0, time.monotonic()
        while not (counts := emitter.counts).delivered or counts.pending:
            if counts.delivered != last:
                last, since = counts.delivered, time.monotonic()
                progress.tell(sent + last)
            if time.monotonic() - since > timeout:
                emitter.close(1.0)
                raise UnreachableError(
                    f"Kafka at {system.kafka} has taken none of {spooled.producer}'s events for {timeout:g} s;"
                    f" {counts.pending} stay in {spooled.folder}"
                )
            time.sleep(0.05)
        sent += counts.delivered
        emitter.close()
        print(f"{counts.delivered} events of {spooled.producer} sent")


def _spools(data: Path | None, folder: Path | None, producers: list[str] | None) -> list[Spooled]:
    from seamwatch.errors import UsageError
    from seamwatch.sdk.spool import left_in
    from seamwatch.settings import load_settings

    if folder is not None:
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder: name the one that the producer was given as spool=")
        folders = [folder]
    else:
        folders = sorted(place for place in (load_settings(data=data).data / "spool").glob("*") if place.is_dir())
    if producers:
        known = {place.name for place in folders}
        for name in producers:
            if name not in known:
                raise UsageError(f"no producer {name} has a spool here; there is {', '.join(sorted(known)) or 'none'}")
        folders = [place for place in folders if place.name in producers]
    return [Spooled(place.name, place, files) for place in folders if (files := left_in(place))]
