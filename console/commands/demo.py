"""`seamwatch demo`: the stories, end to end on this machine."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from console.demo.performance import Performance
    from console.system import System
    from seamwatch.judging.model.facts import Violation


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="keep the data folder, to look around in")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object at the end instead of tables")] = False,
) -> None:
    """Play eleven days of a small company's AI systems, with faults, through a real Kafka and ClickHouse, in a minute.

    Then a drill is held, in true time. Exit 0 only if every violation that must follow came, its person was paged, the
    drill was taken on and passed, and nothing else came; 1 otherwise.

    Example: seamwatch demo --keep
    """
    from console.demo.performance import Performance
    from seamwatch.log import configure
    from seamwatch.settings import load_settings
    from stack.supervisor import Stopped, stopped_by_signals

    configure(load_settings().model_copy(update={"log_level": "error"}))
    folder = Path(tempfile.mkdtemp(prefix="seamwatch-demo-"))
    performance = Performance.prepare(folder)
    try:
        with stopped_by_signals():
            _perform(performance, quiet=as_json)
    except Stopped:
        raise typer.Exit(130) from None
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        print(json.dumps(_result(performance, folder if keep else None), default=str))
    else:
        _report(performance, folder if keep else None)
    raise typer.Exit(0 if performance.good else 1)


def _perform(performance: Performance, *, quiet: bool) -> None:
    from console.demo.table import news_line
    from console.status import progress

    def say(news: str, violation: Violation, person: str | None) -> None:
        if not quiet:
            print(news_line(news, violation, person, performance.origin, performance.now), flush=True)

    if not quiet and _console().is_terminal:
        _perform_live(performance)
    else:
        with progress() as show:
            performance.run(
                show, lambda: None, say, lambda system: None if quiet else print(_board(system), flush=True)
            )


def _perform_live(performance: Performance) -> None:
    from rich.live import Live
    from rich.text import Text

    from console.demo.table import board

    with Live(console=_console(), auto_refresh=False) as live:

        def show(line: str) -> None:
            live.update(Text(line, "dim"), refresh=True)

        def look() -> None:
            shown = board(
                performance.stories,
                performance.seen,
                performance.origin,
                performance.now,
                performance.rate,
                is_slow=performance.is_slow,
            )
            live.update(shown, refresh=True)

        performance.run(
            show, look, lambda _news, _violation, _person: None, lambda system: live.console.print(Text(_board(system)))
        )
        look()


def _board(system: System) -> str:
    """Where the board is while the demo goes on, and the link that lets one in."""
    return f"board: {system.board}, for as long as this goes on; sign in: {system.sign_in_link()} (serves once)"


def _console() -> Console:
    from rich.console import Console

    from seamwatch.printable import unguarded

    # A file or a pipe has no width of its own; what a person reads there should not be folded at 80.
    console = Console(file=unguarded(sys.stdout))
    return console if console.is_terminal else Console(width=150)


def _report(performance: Performance, folder: Path | None) -> None:
    from rich.markup import escape

    from console.demo.questions import show
    from console.demo.table import board, summary

    console = _console()
    if not console.is_terminal:
        console.print(board(
            performance.stories, performance.seen, performance.origin, performance.now, performance.rate,
 is_slow=performance.is_slow
        ))  # fmt: skip
    console.rule("what an auditor asks, in SQL")
    for question, rows in performance.answers:
        show(console, question, rows)
    _report_drill(console, performance, folder)
    console.rule("what others are handed, and check by themselves")
    for each in performance.handed:
        console.print(f"\n[bold]{escape(each.command)}[/bold]", highlight=False, soft_wrap=True)
        for line in each.said:
            console.print(f"  {escape(line)}", highlight=False, soft_wrap=True)
        if not each.good:
            console.print(f"  [red]not as it must be: exit {each.code}[/red]")
    console.print(
        f"\n{performance.emitted} events were published; all of them are accounted for: {performance.complete}"
    )
    if folder is not None:
        console.print(
            f"kept: {folder}\n"
            f"  seamwatch up --data {folder}\n"
            f"  seamwatch replay --contracts {folder}/contracts {folder}/events.ndjson",
            soft_wrap=True,
            highlight=False,
        )
    for line in [*performance.notes, *summary(performance.stories, performance.seen)]:
        console.print(f"[red]{line}[/red]")
    word = (
        "[green]every expected violation came, and no other[/green]"
        if performance.good
        else "[red]not as expected[/red]"
    )
    console.print(word)


def _report_drill(console: Console, performance: Performance, folder: Path | None) -> None:
    from rich.markup import escape

    console.rule("a drill, when the stories are over and time passes as on the wall")
    drilled = performance.drilled
    if drilled is None:
        console.print("[red]none was held: the stories were not all seen[/red]")
        return
    console.print(f"\n[bold]{escape(drilled.command)}[/bold]", highlight=False, soft_wrap=True)
    for line in drilled.said:
        console.print(f"  {escape(line)}", highlight=False, soft_wrap=True)
    if drilled.missing:
        console.print(f"  [red]not as it must be: {escape(drilled.missing)}[/red]")
    elif folder is not None:
        console.print(f"  the report: {(folder / drilled.file).as_uri()}", highlight=False, soft_wrap=True)


def _result(performance: Performance, folder: Path | None) -> dict[str, Any]:
    from console.demo.sightings import unexpected, verdicts
    from seamwatch.judging.model.text import violation_object

    return {
        "good": performance.good,
        "events": performance.emitted,
        "accounted": performance.complete,
        "held_up": performance.held_up,
        "notes": performance.notes,
        "expected": [
            {
                "what": verdict.expected.what,
                "violation_id": verdict.sighting.first.violation_id if verdict.sighting else None,
                "wall_seconds": None if (wall := verdict.wall_seconds(performance.rate)) is None else round(wall, 2),
                "paged": [page.person for page in verdict.sighting.pages] if verdict.sighting else [],
                "missing": verdict.missing,
            }
            for verdict in verdicts(performance.stories, performance.seen)
        ],
        "violations": [violation_object(sighting.latest) for sighting in performance.seen],
        "unexpected": [sighting.first.summary for sighting in unexpected(performance.stories, performance.seen)],
        "answers": {question.name: rows for question, rows in performance.answers},
        "drill": None if performance.drilled is None else asdict(performance.drilled),
        "handed": [asdict(each) for each in performance.handed],
        "folder": folder,
    }
