"""`seamwatch resume`: a person with authority lets a system, a version or a tool that was suspended go on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(resume)


def resume(
    system: Annotated[str, typer.Argument(help="a system's id", metavar="SYSTEM")],
    *,
    person: Annotated[str, typer.Option("--as", help="who resumes: the id of a Person document", metavar="PERSON")],
    version: Annotated[str | None, typer.Option(help="the version that was suspended")] = None,
    tool: Annotated[str | None, typer.Option(help="the tool that was suspended")] = None,
    evidence: Annotated[str | None, typer.Option(help="where the evidence lies on which it is resumed: a URI")] = None,
    note: Annotated[str | None, typer.Option(help="the same in words")] = None,
    key: Annotated[
        Path | None, typer.Option(help="your Ed25519 private key, to sign with; needed when your Person has keys")
    ] = None,
    wait: Annotated[
        str, typer.Option(help="how long to wait for the judge to say whether it counts; 0s sends it and asks nobody")
    ] = "15s",
    as_json: Annotated[bool, typer.Option("--json", help="print the event as one object, with the verdict")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Resume what was suspended, by a person or by a contract, and say on which evidence.

    Named is what was suspended: the system, or with --version or --tool that alone. Who may is said by the System
    document (`authority`); the owner by default. Exit 1 when it does not count, and why; 3 when no judge has said in
    time that it holds, though it was sent.

    Example: seamwatch resume order-agent --tool refund --as owner@example.org --evidence https://example.org/runs/81
    """
    from console.reach import reach
    from console.suspending import say
    from seamwatch.errors import UsageError
    from statements.published import Published
    from statements.suspension import draft

    if version is not None and tool is not None:
        raise UsageError("--version and --tool: name the one that was suspended")
    if evidence is None and note is None:
        raise UsageError("say on which evidence it is resumed: --evidence URI, --note TEXT, or both")
    running = reach(data)
    published = Published(running)
    published.demand_system(system, "SYSTEM")
    event = draft(
        system, "resumed", person, note or f"on the evidence of {evidence}", published.now, "seamwatch resume",
        version=version, tool=tool, evidence=evidence,
    )  # fmt: skip
    say(running, published, event, key, wait, as_json=as_json)
