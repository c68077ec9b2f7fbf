"""`seamwatch board-token`: a token by which a program asks the board's API."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class TokenScope(StrEnum):
    """What a token may be used for."""

    READ = "read"
    ANSWER = "answer"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("board-token")(board_token)


def board_token(
    person: Annotated[str, typer.Option("--as", help="the person for whom it speaks, with what they may see")],
    scope: Annotated[list[TokenScope] | None, typer.Option(help="what it is for  [default: read]")] = None,
    expires: Annotated[str, typer.Option(help="how long it serves, at most 366d")] = "30d",
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Print a token for the API of the board (`Authorization: Bearer <token>`); on standard error until when it serves.

    Whoever has it sees what its person may, with `--scope answer` answers as them too; an answer of somebody with keys
    needs their signature besides. It is signed by the board's secret (the file that SEAMWATCH_BOARD_SECRET_FILE names,
    or board.secret in the data folder), and kept nowhere. So one alone cannot be taken back: its person's are void when
    their document is withdrawn, and all tokens and sessions when the secret is another.

    Example: seamwatch board-token --as owner@example.org --scope read --expires 7d
    """
    import sys

    from board.security.sessions import SECRET_FILE, Sessions, secret_of
    from board.security.tokens import SCOPES, new_token
    from seamwatch.durations import DAY, parse_duration
    from seamwatch.errors import UsageError
    from seamwatch.judging.patterns.wording import moment_text
    from seamwatch.settings import load_settings

    try:
        lasts = parse_duration(expires)
    except ValueError as error:
        raise UsageError(f"--expires {expires}: {error}") from None
    if not 0 < lasts <= 366 * DAY:
        raise UsageError(f"--expires {expires}: write a duration of at most 366d, such as 30d")
    settings = load_settings(data=data)
    if settings.board_secret_file is None and not (settings.data / SECRET_FILE).exists():
        raise UsageError(
            f"no board has run over {settings.data}, so no token of it would serve: name the data folder of one by "
            "--data, or its secret by SEAMWATCH_BOARD_SECRET_FILE"
        )
    until = Sessions.now() + lasts
    wanted = scope or [TokenScope.READ]
    scopes = tuple(each for each in SCOPES if each in wanted)
    print(new_token(secret_of(settings), person, scopes, until))
    print(f"for {person}, {' and '.join(scopes)}, until {moment_text(until)}", file=sys.stderr)
