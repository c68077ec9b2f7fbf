"""`seamwatch board-link`: a link into the board of `seamwatch up`, which serves once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("board-link")(board_link)


def board_link(
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Print a link that signs whoever opens it into the board of this machine, once.

    It is as good as the data folder itself: whoever has it may look at everything, and say who they are. Where
    SEAMWATCH_BOARD_URL is set it is a link into the board of that address, which keeps its secret in the same folder.

    Example: seamwatch board-link
    """
    from board.security.links import new_link
    from seamwatch.errors import UnreachableError
    from seamwatch.running import running
    from seamwatch.settings import load_settings

    settings = load_settings(data=data)
    address = settings.board_url
    if address is None:
        status = running(settings.data)
        address = status.told.get("board")
        if not address:
            raise UnreachableError(f"{status.why or 'What runs there serves no board'}: start one with `seamwatch up`")
    print(new_link(settings.data, str(address)))
