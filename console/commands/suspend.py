"""`seamwatch suspend`: a person with authority stops a system, one of its versions or one of its tools."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(suspend)


def suspend(
    system: Annotated[str, typer.Argument(help="a system's id", metavar="SYSTEM")],
    *,
    person: Annotated[str, typer.Option("--as", help="who suspends: the id of a Person document", metavar="PERSON")],
    reason: Annotated[str, typer.Option(help="why, in words: whoever is refused reads it")],
    version: Annotated[str | None, typer.Option(help="this version alone")] = None,
    tool: Annotated[str | None, typer.Option(help="the calls of this tool alone")] = None,
    until: Annotated[
        str | None, typer.Option(help="when it ends by itself: a duration from now, or a time; else when it is resumed")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="your Ed25519 private key, to sign with; needed when your Person has keys")
    ] = None,
    wait: Annotated[
        str, typer.Option(help="how long to wait for the judge to say whether it counts; 0s sends it and asks nobody")
    ] = "15s",
    as_json: Annotated[bool, typer.Option("--json", help="print the event as one object, with the verdict")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Suspend a system, one of its versions or one of its tools: guards and the gate refuse it, and traffic pages.

    Who may is said by the System document (`authority`); the owner by default. Exit 1 when it does not count, and why;
    3 when no judge has said in time that it holds, though it was sent.

    Example: seamwatch suspend order-agent --tool refund --as owner@example.org --key owner.pem --reason "refunds twice"
    """
    from console.reach import reach
    from console.suspending import say
    from seamwatch.errors import UsageError
    from seamwatch.wire.schemas import nearest
    from statements.published import Published
    from statements.suspension import draft

    if version is not None and tool is not None:
        raise UsageError("--version and --tool: name one of them, or suspend the whole system")
    if not reason.strip():
        raise UsageError("--reason: say why: whoever is refused reads it")
    running = reach(data)
    published = Published(running)
    published.demand_system(system, "SYSTEM")
    declared = tuple(each.version for each in published.estate.versions_for(system))
    if version is not None and version not in declared:
        hint = nearest(version, declared) or "; it is what events bear as their version that is suspended"
        print(f"note: no document declares version {version!r} of {system}{hint}", file=sys.stderr)
    event = draft(
        system, "suspended", person, reason, published.now, "seamwatch suspend", version=version, tool=tool,
        until=None if until is None else _until(until, published.now),
    )  # fmt: skip
    say(running, published, event, key, wait, as_json=as_json)


def _until(text: str, now: int) -> int:
    from seamwatch.durations import parse_duration
    from seamwatch.errors import UsageError
    from seamwatch.instants import parse_instant

    try:
        at = parse_instant(text)
    except ValueError:
        try:
            at = now + parse_duration(text)
        except ValueError:
            raise UsageError(
                f"--until {text}: write a duration such as 2h, or a time such as 2026-03-02T10:00:00Z"
            ) from None
    if at <= now:
        raise UsageError(f"--until {text}: that is over already")
    return at
