"""`seamwatch config`: the digest of a system's configuration, and what differs between two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="one JSON object")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="Prompt, retrieval, tools and model of a system as one unit.")
    group.command()(digest)
    group.command()(compare)
    app.add_typer(group, name="config")


def digest(
    model: Annotated[str | None, typer.Option(help="the model that is called, by name and version")] = None,
    prompt: Annotated[Path | None, typer.Option(help="the prompt: a file, or a folder of files")] = None,
    retrieval: Annotated[Path | None, typer.Option(help="what retrieval is configured by: a file or a folder")] = None,
    tools: Annotated[Path | None, typer.Option(help="the tools' definitions: a file or a folder")] = None,
    part: Annotated[
        list[str] | None, typer.Option(help="another part, a file or folder by a name of your own", metavar="NAME=PATH")
    ] = None,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="the lines for `versions` of the System document")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the config_digest of a configuration, made of the parts that are given.

    Serve with it (`config_digest` of every event), and declare it with its parts in the System document (--yaml): then
    an unannounced one is told with the parts that changed. What is made of other parts is another configuration, so
    give the same ones each time.

    Example: seamwatch config digest --model example-model-2026-05 --prompt prompt.txt --tools tools/
    """
    from seamwatch.configuration import content_digest, digest_of_parts, part_digest
    from seamwatch.errors import UsageError

    parts = {} if model is None else {"model": part_digest(model)}
    files = {"prompt": prompt, "retrieval": retrieval, "tools": tools}
    for given in part or []:
        name, equals, path = given.partition("=")
        if not equals or not path:
            raise UsageError(f"--part {given}: write a name and a file, such as --part parameters=parameters.json")
        if files.get(name) is not None or name in parts:
            raise UsageError(f"--part {given}: {name} is given twice")
        files[name] = Path(path)
    parts |= {name: content_digest(path) for name, path in files.items() if path is not None}
    whole = digest_of_parts(parts)
    if as_json:
        print(json.dumps({"config_digest": whole, "config": dict(sorted(parts.items()))}))
    elif as_yaml:
        print(f'config_digest: "{whole}"\nconfig:')
        for name, own in sorted(parts.items()):
            print(f'  {name}: "{own}"')
    else:
        print(whole)


def compare(
    before: Annotated[str, typer.Argument(help="a config_digest", metavar="BEFORE")],
    after: Annotated[str, typer.Argument(help="another one", metavar="AFTER")],
    as_json: AsJson = False,
) -> None:
    """Say which parts differ between two configurations, as far as their digests tell. Exit 1 when they differ.

    Example: seamwatch config compare sha256:1c2f… sha256:9d0e…
    """
    from seamwatch.configuration import changed

    parts = () if before == after else changed(after, [before])
    if as_json:
        print(json.dumps({"same": before == after, "changed": None if parts is None else list(parts)}))
    elif before == after:
        print("the same configuration")
    elif parts:
        print(f"changed: {', '.join(parts)}")
    else:
        print("another configuration; its digests do not say which part")
    raise typer.Exit(0 if before == after else 1)
