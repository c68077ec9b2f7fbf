"""The command ``seamwatch``: its commands, and the one place where errors become a line and an exit code.

Exit codes: 0 well, 1 found problems, 2 used wrongly, 3 cannot reach what it needs, 70 an error of ours. With
``SEAMWATCH_DEBUG=1`` errors come with their traceback. A command's module imports what it runs on when it runs.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from functools import cache
from typing import Annotated, Any, Final, TextIO, cast

import typer
from typer.core import TyperGroup

from seamwatch.errors import SeamwatchError
from seamwatch.printable import Printed, printable

# One line a command, in the order in which help lists them: console/commands/<module>.py, which registers itself.
COMMANDS: Final = (
    "demo",
    "up",
    "run",
    "board_link",
    "board_token",
    "topics",
    "emit",
    "spool",
    "cat",
    "contracts",
    "keys",
    "config",
    "gate",
    "replay",
    "ack",
    "attest",
    "review",
    "drill",
    "silence",
    "silences",
    "incident",
    "announce",
    "cosign",
    "withdraw",
    "suspend",
    "resume",
    "inventory",
    "owner",
    "rota",
    "why",
    "decisions",
    "trail",
    "drift",
    "signals",
    "burn",
    "violations",
    "why_late",
    "approvals",
    "tiers",
    "acknowledgements",
    "followups",
    "incidents",
    "stale",
    "unjudged",
    "readiness",
    "card",
    "sql",
    "verify",
    "evidence",
    "checkpoints",
    "store",
    "erase",
    "doctor",
)

_INTERNAL_ERROR: Final = 70
_INTERRUPTED: Final = 130


class _Commands(Mapping[str, Any]):
    """The commands by name, in help's order; each is made when it is asked for, so that a start pays for one."""

    def __iter__(self) -> Iterator[str]:
        return (module.replace("_", "-") for module in COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)

    def __getitem__(self, name: str) -> Any:
        module = name.replace("-", "_")
        if module not in COMMANDS or "_" in name:
            raise KeyError(name)
        return _made(module, name)


@cache
def _made(module: str, name: str) -> Any:
    alone = typer.Typer()
    alone.callback()(_alone)
    importlib.import_module(f"console.commands.{module}").register(alone)
    return typer.main.get_group(alone).commands[name]


def _alone() -> None:
    """Makes of an application with one command a group, as which the command has its name."""


class _Group(TyperGroup):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = cast(MutableMapping[str, Any], _Commands())

    def list_commands(self, _context: Any) -> list[str]:
        return list(self.commands)


def build() -> typer.Typer:
    """The command, of which every other is a part."""
    app = typer.Typer(
        cls=_Group,
        name="seamwatch",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_seamwatch)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"seamwatch {version('seamwatch')}")
        raise typer.Exit


def _seamwatch(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Make the seams between AI teams into contracts that are enforced, and provable afterwards."""
    from seamwatch.options import unknown_options

    # A stage says so in its log.
    if context.invoked_subcommand != "run" and (said := unknown_options(os.environ)) is not None:
        print(f"seamwatch: warning: {said}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and end the process with its exit code."""
    # A command is over before the cycle collector would find anything; what runs on has few cycles.
    gc.set_threshold(200_000, 20, 20)
    # Whatever is printed holds names and texts of others.
    sys.stdout, sys.stderr = cast(TextIO, Printed(sys.stdout)), cast(TextIO, Printed(sys.stderr))
    try:
        build()(list(arguments) if arguments is not None else None)
    except SeamwatchError as error:
        _explain(str(error), error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        # Who read our output has enough of it; Python must not complain of that when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - the last boundary: a person gets a line, whoever debugs the rest
        _explain(f"an error of ours, {type(error).__name__}: {error} (SEAMWATCH_DEBUG=1 shows where)", error)
        sys.exit(_INTERNAL_ERROR)


def _explain(message: str, error: BaseException) -> None:
    if os.environ.get("SEAMWATCH_DEBUG"):
        import traceback

        traceback.print_exception(error)
    with contextlib.suppress(OSError):  # on a full disk the exit code has to say it
        print(f"seamwatch: {printable(message)}", file=sys.stderr)


if __name__ == "__main__":
    main()
