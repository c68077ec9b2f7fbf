"""`seamwatch card`: everything that is on record of a system, as a card; written once or on a schedule, and checked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal
from urllib.parse import quote

import typer

if TYPE_CHECKING:
    from board.cards import Form
    from seamwatch.settings import Settings
    from sinks.store.client import Store
    from sinks.store.questions.cards import Card

_PATIENCE_SECONDS: Final = 60.0
DataOption = Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(card)


def card(
    system: Annotated[str | None, typer.Argument(help="whose card; of every declared system when absent")] = None,
    form: Annotated[
        Literal["html", "markdown", "json"], typer.Option("--format", help="a page that stands alone, or text")
    ] = "html",
    out: Annotated[
        str | None, typer.Option(help="a file, a folder, or a bucket by its URL (s3://…, gs://…); else printed")
    ] = None,
    since: Annotated[str, typer.Option(help="figures of events since: a duration (30d) or a time (RFC 3339)")] = "30d",
    good_for: Annotated[
        str | None, typer.Option(help="how long the card is good, such as 7d; twice --every when absent, else 7d")
    ] = None,
    every: Annotated[str | None, typer.Option(help="write it anew so often, such as 1d, until ended")] = None,
    check: Annotated[
        Path | None, typer.Option(help="say whether the card in this file is stale, or the record has moved on")
    ] = None,
    schema: Annotated[bool, typer.Option("--schema", help="print the JSON Schema of the form json")] = False,
    data: DataOption = None,
) -> None:
    """Put together what is on record of a system: a card for whoever relies on it.

    What it is for and not for, its owner, its approvals and their basis, how it does against what was approved (by
    cohort, with intervals), drift, calibration, incidents and what followed, the data that it stands on, limits agreed,
    changes since the approval, and what could not be judged. As of when, from how many events, and until when it is
    good. What is not known says so.

    With --check, exit 1 when the card is stale or the record has moved on.

    Example: seamwatch card credit-model --format html --out cards/ --every 1d
    """
    from console.asking import auditor
    from seamwatch.errors import UsageError
    from seamwatch.settings import load_settings

    if schema:
        _print_schema()
        return
    settings = load_settings(data=data)
    if check is not None:
        raise typer.Exit(_checked(check, settings, data))
    if system is None and (out is None or _is_file(out)):
        raise UsageError("name a system, or with --out a folder or bucket for the cards of all of them")
    if every is not None and out is None:
        raise UsageError("--every writes anew: say where with --out")
    write = _writer(out, form, system)
    period = _duration("--every", every)
    good = _duration("--good-for", good_for) or (None if period is None else 2 * period)

    def once() -> None:
        with auditor(data) as store:
            for name, made in _made(store, settings, system, since, good):
                write(name, made)

    if period is None:
        once()
    else:
        _again(once, period)


def _made(
    store: Store, settings: Settings, system: str | None, since: str, good: int | None
) -> Iterator[tuple[str, Card]]:
    from console.moments import moment_of
    from seamwatch.errors import UsageError
    from sinks.store.questions.cards import GOOD_FOR
    from sinks.store.questions.cards import card as card_of
    from sinks.store.questions.estate import estate_on_record
    from sinks.store.questions.names import demand_known
    from sinks.store.questions.unjudged import Period

    demand_known(store, system=system)
    estate, now = estate_on_record(store, signed_only=settings.follows_signed_only), settings.clock().now()
    begin = moment_of("--since", since) or 0
    if begin >= now:
        raise UsageError("--since is in the future")
    for name in sorted(estate.systems) if system is None else [system]:
        yield name, card_of(store, estate, name, Period(begin, now), now + (good or GOOD_FOR))


def _writer(out: str | None, form: Form, system: str | None) -> Callable[[str, Card], None]:
    from board.cards import FORMS, rendered
    from console.places import writer_to

    if out is None:
        return lambda _, made: print(rendered(made, form), end="")
    file = system is not None and _is_file(out)
    put = writer_to(out.rpartition("/")[0] or ("/" if out.startswith("/") else ".") if file else out)

    def write(name: str, made: Card) -> None:
        # A name may hold what no file's name may.
        at = out.rpartition("/")[2] if file else f"{quote(name, safe='')}.{FORMS[form]}"
        print(put(at, rendered(made, form)), flush=True)

    return write


def _is_file(out: str) -> bool:
    from board.cards import FORMS

    return out.rpartition(".")[2] in {*FORMS.values(), "htm"} and not Path(out).is_dir()


def _duration(option: str, text: str | None) -> int | None:
    from seamwatch.durations import parse_duration
    from seamwatch.errors import UsageError

    if text is None:
        return None
    try:
        length = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
    if length <= 0:
        raise UsageError(f"{option} {text}: it must be above 0")
    return length


def _again(once: Callable[[], None], every: int) -> None:
    """Do it so often (micros) until the process is told to end; what fails is said, and tried again within a minute."""
    import signal
    import threading

    from seamwatch.errors import SeamwatchError

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    while not ended.is_set():
        wait = every / 1e6
        try:
            once()
        except SeamwatchError as error:
            wait = min(wait, _PATIENCE_SECONDS)
            print(f"seamwatch: {error}; tried again in {wait:.0f} s", file=sys.stderr, flush=True)
        ended.wait(wait)


def _checked(file: Path, settings: Settings, data: Path | None) -> int:
    from board.cards import made_of
    from console.asking import auditor
    from seamwatch.errors import UsageError
    from seamwatch.judging.patterns.wording import moment_text
    from sinks.store.questions.cards import card as card_of
    from sinks.store.questions.cards import moved_on
    from sinks.store.questions.estate import estate_on_record
    from sinks.store.questions.unjudged import Period

    try:
        made = made_of(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    now = settings.clock().now()
    found: list[str] = []
    if made.is_stale(now):
        found.append(f"stale: it was good until {moment_text(made.good_until)}")
    with auditor(data) as store:
        estate = estate_on_record(store, signed_only=settings.follows_signed_only)
        known = card_of(store, estate, made.system, Period(made.since, now), now)
    since = moment_text(made.as_of)
    found += [f"the record has moved on: {part}, since {since}" for part in moved_on(made.basis, known)]
    for line in found or [f"good: as of {moment_text(made.as_of)}, until {moment_text(made.good_until)}"]:
        print(f"{made.system}: {line}")
    return bool(found)


def _print_schema() -> None:
    import json

    from sinks.store.questions.cards import schema

    print(json.dumps(schema(), indent=2))
