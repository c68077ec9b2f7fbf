"""Remedies: the command by which a person does what a page asks of them, to be copied into a shell as it is.

Words only. Ids come from documents and events, so each is quoted.
"""

from __future__ import annotations

from shlex import quote
from typing import Final

from seamwatch.judging.facts import Violation

ATTESTED: Final = ("review", "coverage", "benchmark")
"""The clause kinds that are put right by a person's word."""


def ack_command(reference: str, person: str | None, *, signs: bool = False) -> str:
    """The command that takes a violation on, or answers a change; ``person`` None: whoever it is."""
    return f"seamwatch ack {quote(reference)} {_as(person, signs)}"


def remedy_command(violation: Violation, person: str | None, *, signs: bool = False) -> str | None:
    """The command that ends the violation itself; None where no word of a person does.

    It is that of the person who must act, so nobody else is told it.
    """
    if violation.person != person or person is None:
        return None
    if violation.kind == "change_notice" and violation.slice and violation.slice.endswith(f"/{person}"):
        return ack_command(violation.slice.removesuffix(f"/{person}"), person, signs=signs)
    if violation.kind not in ATTESTED:
        return None
    value = " --value <the value>" if violation.kind == "benchmark" else ""
    subject = quote(f"{violation.contract}#{violation.clause}")
    about = f"{violation.kind} {subject} --system {quote(violation.system)}"
    return f"seamwatch attest {about}{value} {_as(person, signs)}"


def _as(person: str | None, signs: bool) -> str:
    named = "<your id>" if person is None else quote(person)
    return f"--as {named}" + (" --key <your key's file>" if signs else "")
