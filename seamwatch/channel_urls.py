"""Channel URLs: how a Person document says where its pages go, and which variables of the environment it may name.

A published document may name only variables that begin with ``SEAMWATCH_CHANNEL_``: what the operator put there is for
channels. Any other would let whoever publishes a document send the pager's own secrets to an address of their choice.
A variable may be bound to URLs: then it goes to no other. Knows no service and sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from seamwatch.errors import UsageError

VARIABLE_PREFIX: Final = "SEAMWATCH_CHANNEL_"
"""What the name of a variable begins with that a channel may refer to."""

CONSOLE: Final = "console"
"""The scheme of the channel that is the pager's own standard output."""

BOUND_SUFFIX: Final = "_FOR"
"""What is appended to a variable's name for the variable that says in which URLs it may stand."""

_REFERENCE: Final = re.compile(r"\$\{([^}]*)\}")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def scheme_of(url: str) -> str | None:
    """The scheme of a URL, in small letters; None where there is none, or where it comes from the environment."""
    match = _SCHEME.match(url)
    return match[1].lower() if match else None


def is_console(url: str) -> bool:
    """Whether the channel is the console: ``console://``, or the bare word."""
    return scheme_of(url) == CONSOLE or url.rstrip("/:").lower() == CONSOLE


def references(url: str) -> tuple[str, ...]:
    """The variables that a URL refers to, as ``${NAME}``, in order."""
    return tuple(match[1] for match in _REFERENCE.finditer(url))


def refused(url: str) -> str | None:
    """Why a URL may not refer to what it refers to, naming the variables; None when it may."""
    names = sorted({name for name in references(url) if not _is_allowed(name)})
    if not names:
        return None
    shown = ", ".join(f"${{{name}}}" for name in names)
    better = ", ".join(f"{VARIABLE_PREFIX}{re.sub(r'[^A-Za-z0-9_]', '_', name) or 'NAME'}" for name in names)
    return (
        f"the channel refers to {shown}: only variables whose names begin with {VARIABLE_PREFIX} are given to "
        f"channels; write {better}, here and in the pager's environment"
    )


def missing(url: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The variables that a URL refers to and the environment does not have, or has empty."""
    return tuple(name for name in dict.fromkeys(references(url)) if not environment.get(name))


def unbound(url: str, environment: Mapping[str, str]) -> str | None:
    """Why a URL may not have what it refers to, because the operator gave that to other URLs; None when it may.

    ``<NAME>_FOR`` holds URLs as documents write them, apart by blanks; one that ends with ``*`` stands for all that
    begin so. A variable without it may stand in any URL.
    """
    for name in references(url):
        bound = environment.get(f"{name}{BOUND_SUFFIX}", "").split()
        if bound and not any(url.startswith(each[:-1]) if each.endswith("*") else url == each for each in bound):
            return f"{name} is given to other channels only: {name}{BOUND_SUFFIX} does not name this URL"
    return None


def free(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The variables of channels that any document may have sent anywhere, because they are bound to no URL."""
    names = (name for name, value in environment.items() if value and _is_allowed(name))
    return tuple(
        sorted(
            name for name in names
            if not name.endswith(BOUND_SUFFIX) and not environment.get(f"{name}{BOUND_SUFFIX}")
        )
    )  # fmt: skip


def resolved(url: str, environment: Mapping[str, str]) -> str:
    """The URL with what it refers to. Raises UsageError, which names the variable and no value of one."""
    if (why := refused(url)) is not None or (why := unbound(url, environment)) is not None:
        raise UsageError(why)
    if absent := missing(url, environment):
        raise UsageError(f"the environment of the pager has no {absent[0]}, which the channel refers to")
    return _REFERENCE.sub(lambda match: environment[match[1]], url)


def _is_allowed(name: str) -> bool:
    return re.fullmatch(rf"{VARIABLE_PREFIX}\w+", name, re.ASCII) is not None
