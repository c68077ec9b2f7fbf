"""`seamwatch up`: the whole system on this machine, until Ctrl-C."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer

from console.reach import NETRC_FILE
from stack.folder import NO_ROOM

if TYPE_CHECKING:
    from console.system import System
    from seamwatch.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)


def up(
    data: Annotated[
        Path | None, typer.Option(help="folder that keeps everything  [default: SEAMWATCH_DATA, else the user's own]")
    ] = None,
    contracts: Annotated[
        Path | None, typer.Option(help="folder of contracts, published now and whenever it changes")
    ] = None,
) -> None:
    """Run the whole system on this machine until Ctrl-C: Kafka, ClickHouse, measure, judge, record, page and the board.

    The replies from elsewhere run as well where SEAMWATCH_RELAY says as whom (docs/replies.md).
    Servers that KAFKA_BOOTSTRAP_SERVERS and CLICKHOUSE_URL name are used instead of local ones. A part that dies is
    started again. Data stay in the folder; logs are in its folder logs. Other commands find the system by --data.

    Example: seamwatch up --data ./data --contracts ./contracts
    """
    from console.status import progress
    from console.system import System
    from seamwatch.log import configure
    from seamwatch.settings import load_settings
    from stack.supervisor import Stopped, stopped_by_signals

    settings = load_settings(data=data)
    # What happens is told by _say; of what our own parts log only warnings are news.
    configure(settings.model_copy(update={"log_level": "warning"}))
    try:
        with stopped_by_signals(), System(settings, contracts=contracts, say=_say) as system:
            with progress() as status:
                system.start(status)
                status("starting the board")
                answers = system.board_answers(_BOARD_SECONDS)
            with _whatever_room_there_is():
                _greet(system, settings, answers=answers)
            system.run()
    except Stopped:
        _say("ended")


_BOARD_SECONDS: Final = 30.0


def _greet(system: System, settings: Settings, *, answers: bool) -> None:
    from sinks.store.questions.episodes import EXAMPLE

    addresses = system.addresses
    store = urlsplit(addresses.auditor)
    # Without its user's password: what is printed ends up in logs, and a command line is everybody's to read.
    base, database = f"{store.scheme}://{store.netloc.rpartition('@')[2]}", store.path.strip("/")
    data = settings.data.absolute()
    netrc = data / NETRC_FILE
    question = f"--data-binary '{EXAMPLE}'"
    metrics = "".join(f"\n  metrics       {name:<8} http://{where}/metrics" for name, where in system.metrics.items())
    link = f"{system.sign_in_link()}   (serves once; `seamwatch board-link` prints another)"
    if not answers:
        link = f"the board does not answer so far, see {data / 'logs' / 'board.log'}; then `seamwatch board-link`"
    replies = "" if system.replies is None else f"\n  replies       {system.replies}   (relayed by {settings.relay})"
    owner = settings.default_owner or "nobody; what nobody owns, and outages, are told here (SEAMWATCH_DEFAULT_OWNER)"
    print(
        f"""seamwatch: everything is running, data in {data}
  broker        {addresses.kafka}
  store         {base}/{database}   (read-only as {store.username}; the password is in {netrc})
  ask it        curl --netrc-file {quote(str(netrc))} '{base}/?database={database}' {question}
  or            seamwatch violations --data {quote(str(data))}
  board         {system.board}
  sign in       {link}
  default owner {owner}{replies}{metrics}
Ctrl-C ends it.""",
        flush=True,
    )


def _say(line: str) -> None:
    with _whatever_room_there_is():
        print(f"seamwatch: {line}", flush=True)


@contextlib.contextmanager
def _whatever_room_there_is() -> Iterator[None]:
    """What cannot be told, because our output goes to a file on a full disk, is no reason to end."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
