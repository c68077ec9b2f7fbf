"""`seamwatch doctor`: whether everything is there that Seamwatch needs, and whether what runs keeps up."""

from __future__ import annotations

import json
import shutil
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from console.finding import Finding

_SUBJECT_WIDTH: Final = 18


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(
    data: Annotated[Path | None, typer.Option(help="data folder of the system to look at")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """Look at what Seamwatch needs here, and at the system that runs.

    Its processes and how often they had to be started again, room on the disk, what is published of people and rotas,
    when the newest measurement came, how far behind each stage is and whether it moves, what outages go on, whether the
    store's tables and views are as the migrations make them; which clauses events came too late for, which could not be
    told of events, and which producers gave several events one id, today and yesterday (UTC). It asks broker and store,
    and needs no stage to run.

    Exit 1 when there is a problem; a system that does not run is none.

    Example: seamwatch doctor --data ./data
    """
    from console.examination import findings
    from console.naming import counted
    from seamwatch.log import configure
    from seamwatch.settings import load_settings

    settings = load_settings(data=data)
    configure(settings.model_copy(update={"log_level": "error"}))  # what was found is told here
    found = list(findings(settings, data))
    for finding in found:
        if as_json:
            print(json.dumps(asdict(finding)))
        else:
            print(_line(finding))
    problems = [finding.subject for finding in found if finding.verdict == "problem"]
    if not as_json:
        total = counted(len(problems), "problem")
        print(f"\n{total}: {', '.join(problems)}" if problems else f"\n{total}")
    raise typer.Exit(1 if problems else 0)


def _line(finding: Finding) -> str:
    """A finding as lines of a table, as wide as the terminal; long words, such as paths, are never broken."""
    head = f"{finding.verdict:<8} {finding.subject:<{_SUBJECT_WIDTH}} "
    width = max(60, shutil.get_terminal_size().columns)
    return textwrap.fill(
        finding.found, width, initial_indent=head, subsequent_indent=" " * len(head), break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
