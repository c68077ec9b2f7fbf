"""Options: the variables of the environment that mean something to Seamwatch, and those named alike that mean nothing.

A misspelt option has no effect, and nobody would know. Looks at names only, never at values.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final

from pydantic import AliasChoices

from seamwatch.channel_urls import VARIABLE_PREFIX
from seamwatch.settings import Settings

PREFIX: Final = "SEAMWATCH_"

# What is no setting, and has its meaning elsewhere: with the commands, and in the files of deploy/ and compose.
_FURTHER: Final = (
    "SEAMWATCH_DEBUG",
    "SEAMWATCH_KEY_PASSPHRASE",
    "SEAMWATCH_KEY_PASSPHRASE_FILE",
    "SEAMWATCH_CONTRACTS",
    "SEAMWATCH_GATE_ARGUMENTS",
    "SEAMWATCH_SYSTEM",
    "SEAMWATCH_WRITER_PASSWORD",
)


def options() -> tuple[str, ...]:
    """Every option's variable that begins with ``SEAMWATCH_``, but for those of channels, which anybody may name."""
    names = set(_FURTHER)
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        names |= set(map(str, alias.choices)) if isinstance(alias, AliasChoices) else {f"{PREFIX}{name.upper()}"}
    return tuple(sorted(name for name in names if name.startswith(PREFIX)))


def unknown_options(environment: Mapping[str, str]) -> str | None:
    """One line that names what looks like an option of ours and is none, with the nearest ones; None when all are."""
    known = options()
    short = tuple(name.removeprefix(PREFIX) for name in known)
    lines = []
    for name, value in sorted(environment.items()):
        # Windows and pydantic tell no capitals from small letters. What is set to nothing is not set.
        said = name.upper()
        if not value or not said.startswith(PREFIX) or said in known or said.startswith(VARIABLE_PREFIX):
            continue
        # The prefix is alike in all of them: what follows it tells.
        close = difflib.get_close_matches(said.removeprefix(PREFIX), short, n=1)
        hint = f": did you mean {PREFIX}{close[0]}?" if close else ""
        lines.append(f"{name} is no option of Seamwatch and has no effect{hint}")
    return "; ".join(lines) or None
