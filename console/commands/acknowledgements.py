"""`seamwatch acknowledgements`: how long each person who was asked took to answer, and which answers do not count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sinks.store.questions.acknowledgements import Answer, Asked


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(acknowledgements)


def acknowledgements(
    system: Annotated[str | None, typer.Option(help="only this system")] = None,
    person: Annotated[str | None, typer.Option(help="only this person")] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="only what waits for an answer")] = False,
    only_refused: Annotated[
        bool, typer.Option("--refused", help="the answers that do not count, and why, instead of questions")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="one object a question and person; with --refused an answer")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Say who was asked about which change, violation or summary, and how long each took; the latest first.

    An answer counts when the judge says so: by somebody who was asked, signed where they have keys, in time. What
    somebody else has taken on, and what is over, waits for nobody. --waiting says until when, where that is agreed, and
    by which command each can answer. Exit 0, whoever still waits: whether an answer is
    late is for the contract's clock (`seamwatch violations`).

    Example: seamwatch acknowledgements --waiting
    """
    from console.asking import auditor, print_lines
    from console.naming import counted
    from console.tables import print_note
    from seamwatch.errors import UsageError
    from seamwatch.settings import load_settings
    from sinks.store.questions.acknowledgements import asked, refused, without_effect
    from sinks.store.questions.names import demand_known
    from sinks.store.questions.published import keys
    from sinks.store.questions.rows import records

    if waiting and only_refused:
        raise UsageError("--waiting lists questions and --refused answers: ask for one of them")
    named = {"system": system, "person": person}
    with auditor(data) as store:
        answers = refused(store, **named) if only_refused else []
        questions = [] if only_refused else asked(store, **named, waiting=waiting)
        if not answers and not questions:
            demand_known(store, **named)
        none = None if only_refused else without_effect(store, **named)
        commands = _commands(questions, keys(store)) if waiting else None
    if as_json:
        print_lines([*records(answers), *_records(questions, commands)])
    elif only_refused:
        _print_answers(answers, load_settings().clock().now())
    else:
        _print_questions(questions, load_settings().clock().now(), commands)
    noted = (
        ()
        if none is None
        else (
            (none.refused, "does not count", "do not count"),
            (none.unjudged, "was not judged so far", "were not judged so far"),
        )
    )
    for count, of_one, of_more in noted:
        if count:
            verb = of_one if count == 1 else of_more
            print_note(f"{counted(count, 'answer')} {verb}: `seamwatch acknowledgements --refused`", aside=as_json)


def _commands(questions: Sequence[Asked], keys: Mapping[str, Mapping[str, str]]) -> list[str]:
    """By question, the command by which it is answered."""
    from seamwatch.remedies import ack_command

    return [ack_command(one.reference, one.person, signs=bool(keys.get(one.person))) for one in questions]


def _records(questions: Sequence[Asked], commands: Sequence[str] | None) -> list[dict[str, Any]]:
    from sinks.store.questions.rows import records

    lines = records(questions)
    return (
        lines
        if commands is None
        else [row | {"command": command} for row, command in zip(lines, commands, strict=True)]
    )


def _print_questions(questions: Sequence[Asked], now: int, commands: Sequence[str] | None) -> None:
    """``commands`` are those that answer what waits, where only that is asked for."""
    from console.asking import ago
    from console.tables import print_table
    from seamwatch.printable import printable
    from sinks.store.questions.acknowledgements import standing, until

    waiting = commands is not None
    print_table(
        ("PERSON", "ANSWER", "OF", "REFERENCE", "SYSTEM", "ASKED", *(("UNTIL",) if waiting else ())),
        (
            (
                one.person,
                standing(one, now),
                one.of,
                one.reference,
                one.system,
                ago(one.asked_at, now),
                *((until(one, now),) if waiting else ()),
            )
            for one in questions
        ),
        empty="nobody waits for an answer" if waiting else "nobody was asked anything",
    )
    if commands:
        print("\nTo answer:")
        for command in dict.fromkeys(commands):
            print(f"  {printable(command)}")


def _print_answers(answers: Sequence[Answer], now: int) -> None:
    from console.asking import ago
    from console.tables import print_table
    from sinks.store.questions.acknowledgements import why_uncounted

    print_table(
        ("PERSON", "SAID", "OF", "REFERENCE", "SYSTEM", "WHEN", "WHY IT DOES NOT COUNT"),
        (
            (
                one.person,
                one.answer,
                one.of,
                one.reference,
                one.system,
                ago(one.answered_at, now),
                why_uncounted(one),
            )
            for one in answers
        ),
        empty="every answer counts",
    )
