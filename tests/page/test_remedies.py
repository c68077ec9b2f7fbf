"""Remedies: a page names the command that ends it, for the person who can, and it can be pasted into a shell."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from seamwatch.judging.facts import Violation
from seamwatch.paging import NOBODY, Recipient, notice_of
from seamwatch.remedies import ack_command, remedy_command

ANN = "ann@example.org"
REVIEW = Violation(
    violation_id="v1", contract="limits", contract_version="1", contract_digest="d", clause="yearly", kind="review",
    system="scorer", slice=None, severity="breach", state="open", observed=None, limit=None, unit=None, summary="-",
    opened_at=0, since=None, detected_at=0, person=ANN,
)  # fmt: skip


@pytest.mark.parametrize(
    ("violation", "command"),
    [
        (REVIEW, f"seamwatch attest review 'limits#yearly' --system scorer --as {ANN}"),
        (replace(REVIEW, kind="benchmark"), "attest benchmark 'limits#yearly' --system scorer --value <the value> --"),
        (replace(REVIEW, kind="change_notice", slice=f"CHG 7/{ANN}"), f"seamwatch ack 'CHG 7' --as {ANN}"),
        (replace(REVIEW, kind="change_notice", slice="version v2"), None),
        (replace(REVIEW, kind="freshness"), None),
        (replace(REVIEW, person="bob@example.org"), None),
    ],
)  # fmt: skip
def test_who_must_act_is_told_the_command_that_ends_it(violation: Violation, command: str | None) -> None:
    found = remedy_command(violation, ANN)
    assert (found is None) if command is None else (found is not None and command in found)
    body = notice_of(violation, Recipient(ANN, "Ann", signs=True), 0).body
    assert f"seamwatch ack v1 --as {ANN} --key <your key's file>" in body
    assert ("To end it" in body) is (command is not None)


def test_nobody_is_told_to_write_their_id() -> None:
    assert "seamwatch ack v1 --as <your id>" in notice_of(REVIEW, NOBODY, 0).body


@pytest.mark.parametrize("odd", ["a b", "$(reboot)", "x';y", "`id`", "a\nb"])
def test_ids_are_quoted_for_the_shell(odd: str) -> None:
    assert shlex.split(ack_command(odd, odd)) == ["seamwatch", "ack", odd, "--as", odd]
