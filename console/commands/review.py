"""`seamwatch review`: a person states what violations that are over come to, and what is done about it by whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from seamwatch.clauses.follow_up.statement import Statement


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(review)


def review(
    violations: Annotated[
        list[str],
        typer.Argument(metavar="VIOLATION...", help="the ids of violations that are over, or their beginning"),
    ],
    person: Annotated[str, typer.Option("--as", help="who reviews: the id of a Person document", metavar="PERSON")],
    key: Annotated[
        Path | None, typer.Option(help="your Ed25519 private key, to sign with; needed when your Person has keys")
    ] = None,
    implied: Annotated[str | None, typer.Option(help="what the contract between the two sides implied")] = None,
    diverged: Annotated[str | None, typer.Option(help="where behaviour diverged from that")] = None,
    cause: Annotated[str | None, typer.Option(help="why it did")] = None,
    action: Annotated[
        list[str] | None, typer.Option(help="what one person does, as 'PERSON by DATE: what'; once for each")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="a YAML file that states all of it: implied, diverged, cause, actions")
    ] = None,
    wait: Annotated[
        str, typer.Option(help="how long to wait for the judge to say whether it counts; 0s sends it and asks nobody")
    ] = "15s",
    as_json: Annotated[
        bool, typer.Option("--json", help="print each review as one object, with the judge's verdict")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Review violations that are over, as a clause of kind follow_up asks for, and give out what is to be done.

    What several violations come to is stated once: each has the review, and the first its actions. Nothing is sent
    when one of them is not over, or the review would not count (exit 1). Exit 1 as well when the judge says that one
    does not count, and why; 3 when no judge has said anything in time, though it was sent.

    Example: seamwatch review 4f1c2a9be0d7 --as owner@example.org --implied "scores are shares" --diverged "one was 1.7"
    --cause "an input in cents" --action "lead@example.org by 2026-03-20: refuse inputs without a unit"
    """
    from console.asking import auditor
    from console.reach import reach
    from console.signing import sign_as
    from console.waiting import seconds_of
    from seamwatch.engine.seams import Seams
    from seamwatch.errors import SeamwatchError, UnreachableError
    from seamwatch.settings import load_settings
    from seamwatch.signatures import attestation_bytes
    from statements import review as reviews
    from statements.published import Published

    patience, said = seconds_of(wait), _statement(file, implied, diverged, cause, action or [])
    system = reach(data)
    with auditor(data) as store:
        found = [reviews.reviewed(store, system, one, patience) for one in dict.fromkeys(violations)]
    published = Published(system)
    keys = published.keys_of(person)
    seams, now = Seams(published.estate, load_settings().default_owner), load_settings().clock().now()
    events = []
    for number, violation in enumerate(found):
        bound = reviews.asking(seams, violation, person)
        stated = said if number == 0 else said.model_copy(update={"actions": ()})
        event = reviews.draft(bound, violation, person, stated, now, "seamwatch review")
        event["key_id"], event["signature"] = sign_as(attestation_bytes(event), person, keys, key)
        reviews.demand_effect(bound, event)
        events.append(event)
    verdicts = reviews.submit(system, events, patience)
    for violation, event, verdict in zip(found, events, verdicts, strict=True):
        if as_json:
            print(json.dumps(event | {"verdict": verdict and _fields(verdict)}, ensure_ascii=False))
        elif verdict is None or verdict["counted"]:
            sent = "" if verdict else " (sent; no judge has said whether it counts)"
            print(f"{person} has reviewed violation {violation.violation_id} of {violation.system}{sent}")
    refused = [verdict for verdict in verdicts if verdict is not None and not verdict["counted"]]
    if refused:
        raise SeamwatchError("; ".join(f"it does not count: {verdict['summary']}" for verdict in refused))
    if patience and None in verdicts:
        raise UnreachableError(
            f"it was sent, and is on record, but no judge has said within {wait} whether it counts: is one running? "
            "`seamwatch followups` tells what is owed"
        )


def _statement(
    file: Path | None, implied: str | None, diverged: str | None, cause: str | None, actions: list[str]
) -> Statement:
    """What is stated, in a file or by options. Raises UsageError, which says what is missing or wrong."""
    from seamwatch.clauses.follow_up.statement import statement_of
    from seamwatch.errors import UsageError
    from statements.review import action_of, with_ids

    given = {"--implied": implied, "--diverged": diverged, "--cause": cause}
    if file is not None:
        if actions or any(value is not None for value in given.values()):
            raise UsageError("a --file states all of it: leave out --implied, --diverged, --cause and --action")
        content, where = with_ids(_read(file)), f"{file}: "
    else:
        if lacking := [name for name, value in given.items() if value is None]:
            raise UsageError(f"a review says all of it: give {', '.join(lacking)}, or a --file")
        content = {name.removeprefix("--"): value for name, value in given.items()}
        content["actions"] = [action_of(text, number) for number, text in enumerate(actions, 1)]
        where = ""
    try:
        return statement_of(content)
    except ValueError as error:
        raise UsageError(f"{where}{error}") from None


def _read(file: Path) -> Any:
    from seamwatch.documents.reading import read_file
    from seamwatch.errors import UsageError

    documents, problems = read_file(file, str(file))
    if problems:
        raise UsageError(str(problems[0]))
    if len(documents) != 1:
        raise UsageError(f"{file}: it has {len(documents)} documents; a review is one")
    return documents[0].content


def _fields(verdict: dict[str, Any]) -> dict[str, Any]:
    """What of a verdict its reviewer does not know."""
    return {name: verdict[name] for name in ("counted", "reason", "summary", "contract", "contract_version", "clause")}
