"""Remedies: the command by which a person does what a page asks of them, to be copied into a shell as it is.

Words only. Ids come from documents and events, so each is quoted.
"""

from __future__ import annotations

from shlex import quote
from typing import Final

from seamwatch.judging.model.facts import DRILL, OBJECTION, Violation

CONTRACT_FILE: Final = "CONTRACT_FILE"
"""Stands for the file of a contract, which whoever publishes it has."""

KEY_FILE: Final = "PRIVATE_KEY_FILE"
"""Stands for the file of a person's private key, which nobody else knows; a word that a shell takes as it is."""

VALUE: Final = "VALUE"
"""Stands for the value that was measured."""

METRIC: Final = "METRIC"
"""Stands for the name of a metric that was measured."""

REVIEW_FILE: Final = "REVIEW_FILE"
"""Stands for the file that states what a review says."""

EVIDENCE: Final = "EVIDENCE_URI"
"""Stands for where the evidence lies."""

RECEIPT: Final = "RECEIPT_URI"
"""Stands for where the receipt of a report lies."""

NOBODY_NAMED: Final = "YOUR_ID"
"""Stands for the id of whoever reads it, where nobody is named."""

ATTESTED: Final = ("review", "coverage", "benchmark", "reevaluation")
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
    # Of a clock that ran out, which has a unit: what serves unannounced may have any name.
    late = violation.kind == "change_notice" and violation.unit == "s"
    if late and violation.slice and violation.slice.endswith(f"/{person}"):
        return ack_command(violation.slice.removesuffix(f"/{person}"), person, signs=signs)
    if violation.kind == "change_notice" and (objected := _objected_change(violation)) is not None:
        return f"seamwatch withdraw {quote(objected)} {_as(person, signs)}"
    # Of scores that shifted the review that was due, not the shift itself, which no word ends.
    kind = "review" if violation.kind == "distribution" and violation.unit == "s" else violation.kind
    if kind == "drill":
        return None if violation.severity == DRILL else drill_command(violation, person, signs=signs)
    if kind == "follow_up":
        return _follow_up_command(violation, person, signs)
    if kind == "incident":
        return report_command(violation.slice, person, signs=signs) if violation.slice else None
    return _attest_command(violation, kind, person, signs) if kind in ATTESTED else None


def reminded_command(reminder: Violation, kind: str, person: str, *, signs: bool = False) -> str | None:
    """The command that does what a reminder of a clause of some kind reminds a person of; None where its text has it.

    ``told`` is the reminder as the pager keeps it.
    """
    if kind == "change_notice" and reminder.slice:
        return ack_command(reminder.slice.removesuffix(f"/{person}"), person, signs=signs)
    if kind == "follow_up":
        return _follow_up_command(reminder, person, signs)
    if kind == "drill":
        return drill_command(reminder, person, signs=signs)
    if kind == "incident":
        return report_command(reminder.slice, person, signs=signs) if reminder.slice else None
    kind = "review" if kind == "distribution" else kind
    return _attest_command(reminder, kind, person, signs) if kind in ATTESTED else None


def _attest_command(violation: Violation, kind: str, person: str, signs: bool) -> str:
    value = f" --value {VALUE}" if kind == "benchmark" else ""
    if kind == "reevaluation":
        value = f" --metric {quote(violation.slice or METRIC)}={VALUE}"
    subject = quote(f"{violation.contract}#{violation.clause}")
    about = f"{kind} {subject} --system {quote(violation.system)}"
    return f"seamwatch attest {about}{value} {_as(person, signs)}"


def drill_command(asking: Violation, person: str, *, signs: bool) -> str:
    """The command that holds the drill which a clause asks for."""
    clause = f" --clause {quote(f'{asking.contract}#{asking.clause}')}"
    return f"seamwatch drill {quote(asking.system)}{clause} {_as(person, signs)}"


def _follow_up_command(violation: Violation, person: str, signs: bool) -> str | None:
    if not violation.slice:
        return None
    return follow_up_command(
        violation.contract, violation.clause, violation.slice, violation.system, person, signs=signs
    )


def follow_up_command(contract: str, clause: str, reference: str, system: str, person: str, *, signs: bool) -> str:
    """The command that gives the review of a violation or, with its id behind a stroke, says that an action is done."""
    if "/" not in reference:
        return f"seamwatch review {quote(reference)} --file {REVIEW_FILE} {_as(person, signs)}"
    subject = quote(f"{contract}#{clause}/{reference}")
    return f"seamwatch attest action {subject} --system {quote(system)} {_as(person, signs)}"


def report_command(violation_id: str, person: str, *, signs: bool) -> str:
    """The command that puts on record that the report of an incident was sent."""
    return f"seamwatch incident report {quote(violation_id)} --receipt {RECEIPT} {_as(person, signs)}"


def sign_commands(violation: Violation) -> tuple[str, ...]:
    """The commands by which those sign whose signature a violation misses, whoever is told of it."""
    if violation.state == "resolved":
        return ()
    return tuple(sign_command(CONTRACT_FILE, person) for person in violation.unsigned_by)


def sign_command(file: str, person: str, *, approval: str | None = None) -> str:
    """The command by which a person signs the contract in a file or, named by its id, an approval of a System there."""
    of = "" if approval is None else f" --approval {quote(approval)}"
    return f"seamwatch contracts sign {quote(file)}{of} {_as(person, signs=True)}"


def review_command(system: str, person: str, about: str | None = None, *, signs: bool) -> str:
    """The command by which a person attests the review that a System document asks for; ``about``: of which point."""
    subject = "" if about is None else f" {quote(about)}"
    return f"seamwatch attest review{subject} --system {quote(system)} {_as(person, signs)}"


def resume_command(system: str, version: str | None = None, tool: str | None = None) -> str:
    """The command by which whoever has the authority resumes what is suspended."""
    of = "" if version is None else f" --version {quote(version)}"
    of += "" if tool is None else f" --tool {quote(tool)}"
    return f"seamwatch resume {quote(system)}{of} --as {NOBODY_NAMED} --key {KEY_FILE} --evidence {EVIDENCE}"


def _objected_change(violation: Violation) -> str | None:
    """The change that somebody objects to, where that is the violation and the first who is asked may withdraw it."""
    if violation.unit != OBJECTION or violation.step:
        return None
    return (violation.slice or "").rpartition("/")[0] or None


def _as(person: str | None, signs: bool) -> str:
    named = NOBODY_NAMED if person is None else quote(person)
    return f"--as {named}" + (f" --key {KEY_FILE}" if signs else "")
