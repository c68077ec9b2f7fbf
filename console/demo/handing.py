"""What others are handed at the end: a verified record, readiness, a dossier that is checked alone, a card.

By the commands themselves, each a process of its own, as anybody would. Looks into nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import join
from typing import Final

from console.reach import LEDGER_KEY_FILE
from seamwatch.instants import format_instant

SYSTEM: Final = "order-agent"
DOSSIER: Final = f"{SYSTEM}.zip"
CARD: Final = "credit-model.html"
_SECONDS: Final = 120
_LINES: Final = 24


@dataclass(frozen=True, slots=True)
class Handed:
    """A command as it was typed in the data folder, its exit code, what it said, and whether that is as it must be."""

    command: str
    code: int
    said: tuple[str, ...]
    good: bool


def handed(folder: Path, begin: int, end: int, environment: Mapping[str, str]) -> Iterator[Handed]:
    """Each command in turn, while the system runs. One that takes longer than two minutes is not good.

    The dossier is of the time from ``begin`` to ``end`` (micros).
    """
    public = f"{LEDGER_KEY_FILE}.pub"
    of_dossier = ["--system", SYSTEM, "--from", format_instant(begin), "--to", format_instant(end), "--out", DOSSIER]
    for words, codes in (
        (["verify", "--data", "."], (0,)),
        # Exit 1 tells of questions answered with no: nobody has signed a contract here, for one.
        (["readiness", SYSTEM, "--data", "."], (0, 1)),
        # Exit 1 tells of requirements for which there is nothing: reviews that nobody has held.
        (["evidence", *of_dossier, "--data", "."], (0, 1)),
        (["verify", "--bundle", DOSSIER, "--key", public], (0,)),
        (["card", "credit-model", "--out", CARD, "--data", "."], (0,)),
    ):
        yield _run(words, codes, folder, environment)


def command_line(words: Sequence[str]) -> tuple[str, list[str]]:
    """A command as a person types it, and as it is run."""
    return join(["seamwatch", *words]), [sys.executable, "-m", "console.app", *words]


def own_environment(further: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command: whatever ours names belongs to somebody, and is left out."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SEAMWATCH_", "KAFKA_", "CLICKHOUSE_"))
    }
    return {**kept, **further}


def _run(words: Sequence[str], codes: Sequence[int], folder: Path, environment: Mapping[str, str]) -> Handed:
    command, argv = command_line(words)
    try:
        done = subprocess.run(
            argv, cwd=folder, env=own_environment(environment), check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Handed(command, -1, (f"it had not ended after {_SECONDS} s",), False)
    good = done.returncode in codes
    # Progress goes to standard error, as faults do.
    said = done.stdout if good else f"{done.stdout}\n{done.stderr}"
    lines = [line for line in said.splitlines() if line.strip()]
    return Handed(command, done.returncode, tuple(lines[-_LINES:]), good)
