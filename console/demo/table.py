"""The live table: what each story expects, what has been seen, how long it took, and who was paged. Shows only."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from console.demo import timeline
from console.demo.sightings import Sighting, Verdict, unexpected, verdicts
from console.demo.stories import Story
from seamwatch.durations import DAY, SECOND, format_duration
from seamwatch.judging.model.facts import Violation

_STATES = {"open": "open", "escalated": "climbed", "acknowledged": "acknowledged", "resolved": "over"}


def board(
    stories: Sequence[Story], seen: Sequence[Sighting], origin: int, now: int, rate: float, *, is_slow: bool = False
) -> RenderableType:
    """The whole table at a time of the history (micros), which passes ``rate`` times as fast as the wall.

    ``is_slow``: the history is over, and time is as on the wall.
    """
    table = Table(expand=True, box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("story", ratio=3)
    table.add_column("expected", ratio=6)
    table.add_column("seen", no_wrap=True)
    table.add_column("after", justify="right", no_wrap=True)
    table.add_column("in its time", justify="right", no_wrap=True)
    table.add_column("paged", ratio=3)
    met = {verdict.expected: verdict for verdict in verdicts(stories, seen)}
    strange = unexpected(stories, seen)
    for story in stories:
        name = story.name
        for expected in story.expected:
            table.add_row(name, expected.what, *_cells(met[expected], rate))
            name = ""
        if not story.expected:
            shown = Text("silent", "green") if not strange else Text(f"{len(strange)} unexpected", "bold red")
            table.add_row(name, story.cause, shown, "", "", "")
    for sighting in strange:
        table.add_row("", sighting.first.summary, Text("unexpected", "bold red"), "", "", sighting.first.person or "")
    days = min(max(0.0, (now - origin) / DAY), timeline.LENGTH_DAYS)
    head = Table.grid(expand=True, padding=(0, 2))
    head.add_column(no_wrap=True)
    head.add_column(ratio=1)
    bar = ProgressBar(total=timeline.LENGTH_DAYS, completed=days)
    pace = "now in true time" if is_slow else f"{DAY / SECOND / rate:.0f} s each"
    head.add_row(f"day {days:4.1f} of {timeline.LENGTH_DAYS}, {pace}", bar)
    return Group(head, "", table)


def _cells(verdict: Verdict, rate: float) -> tuple[RenderableType, ...]:
    sighting = verdict.sighting
    if sighting is None:
        return (Text("…", "dim"), "", "", "")
    state = _STATES[sighting.latest.state]
    seen = Text(state, "green" if not verdict.missing else "yellow")
    paged = " → ".join(dict.fromkeys(page.person.split("@")[0] for page in sighting.pages))
    if sighting.latest.acknowledged_by:
        paged += " ✓"
    return (seen, *delays(verdict, rate), paged)


def delays(verdict: Verdict, rate: float) -> tuple[str, str]:
    """From the event (or the moment a clock ran out) to the violation: on the wall, and in the history."""
    seconds, took = verdict.wall_seconds(rate), verdict.took
    return ("", "") if seconds is None or took is None else (f"{seconds:.1f} s", format_duration(took))


def news_line(news: str, violation: Violation, person: str | None, origin: int, now: int) -> str:
    """One line of what happened, for output that is no terminal."""
    about = f"{violation.severity} {violation.contract}/{violation.clause} {violation.system}"
    if violation.slice and violation.slice != violation.system:
        about += f" [{violation.slice}]"
    text = f"{news} {person}" if person else news
    tail = f": {violation.summary}" if news == "opened" else ""
    return f"day {(now - origin) / DAY:5.2f}  {text:<24} {about}{tail}"


def summary(stories: Sequence[Story], seen: Sequence[Sighting]) -> list[str]:
    """What is missing and what came unasked, a line each; none when all is as expected."""
    lines = [
        f"missing: {v.expected.what} ({v.expected.contract}/{v.expected.clause} on {v.expected.system}): {v.missing}"
        for v in verdicts(stories, seen)
        if v.missing
    ]
    return lines + [f"unexpected: {s.first.summary} (person {s.first.person})" for s in unexpected(stories, seen)]
