"""A version in force that not all have signed who must is a violation that names them."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seamwatch.documents import Estate, documents_of, published
from seamwatch.durations import DAY, HOUR
from seamwatch.engine.judge import Judge
from seamwatch.engine.settings import JudgeSettings
from seamwatch.instants import format_instant, parse_instant
from seamwatch.judging.model.facts import Measurement, Violation, Watermark
from seamwatch.paging import Recipient, page_of
from seamwatch.remedies import sign_commands
from seamwatch.testing import event_id
from seamwatch.wire.text import record_of
from streams.replay.replay import replay
from tests.signing.folder import CONTRACT, NOW, SYSTEM, Folder, prepare, run, set_clock

AT = parse_instant(NOW)
WARNED = ("signed", "warning", "credit-model")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    return prepare(tmp_path, monkeypatch)


def decisions(*times: int) -> list[Any]:
    return [
        record_of(
            {"type": "inference", "event_id": event_id(str(n)), "event_time": time, "system": "credit-model",
             "version": "2.1", "config_digest": "sha256:9a4be271", "use_case": "credit-limit", "subject": "s",
             "score": 0.7, "decision": "approve", "latency_ms": 10, "approval_id": "CR-21"}
        )
        for n, time in enumerate(times)
    ]  # fmt: skip


def judged(estate: Estate, *times: int) -> list[Violation]:
    found = replay(estate, decisions(*(times or (AT, AT + HOUR, AT + 2 * HOUR))), max(times or (AT + 3 * HOUR,)))
    return [violation for violation in found if violation.kind == "signed"]


def second(folder: Folder, start: int, clauses: str = "", edit: tuple[str, str] = ("0.62", "0.50")) -> None:
    """A second version that moves the line, beside the first, in force from ``start``."""
    text = CONTRACT.replace('version: "1"', f'version: "2"\neffective_from: {format_instant(start)}').replace(*edit)
    (folder.path / "second.yaml").write_text(text + clauses)


def sign_second(folder: Folder, *people: str) -> None:
    for person in people:
        file = folder.path / "second.yaml"
        result = run("contracts", "sign", file, "--as", f"{person}@example.org", "--key", folder.key(person))
        assert result.exit_code == 0, result.output


def test_what_all_have_signed_is_silent_and_so_is_what_nobody_can_sign(folder: Folder) -> None:
    folder.sign("lead", "product", "risk")
    assert judged(Estate.load(folder.path)) == []
    folder.signatures.unlink()
    estate = Estate.load(folder.path)
    keyless = {name: person.model_copy(update={"keys": ()}) for name, person in estate.persons.items()}
    assert judged(replace(estate, persons=keyless)) == []


def test_an_unsigned_version_names_everybody_with_their_roles(folder: Folder) -> None:
    (violation,) = judged(Estate.load(folder.path))
    assert (violation.clause, violation.severity, violation.system) == WARNED
    assert (violation.state, violation.opened_at, violation.person) == ("open", AT, "lead@example.org")
    assert violation.summary == (
        "version 1 of contract credit-limits is in force, and not signed by lead@example.org (provider), "
        "product@example.org (consumer), risk@example.org (co-signer of threshold line)"
    )
    assert (violation.observed, violation.limit, violation.unit) == (0.0, 3.0, "signatures")


def test_a_moved_line_without_its_co_signer_is_a_violation_from_when_it_is_in_force(folder: Folder) -> None:
    folder.sign("lead", "product", "risk")
    second(folder, AT + HOUR)
    sign_second(folder, "lead", "product")
    (violation,) = judged(Estate.load(folder.path))
    assert (violation.contract_version, violation.opened_at, violation.state) == ("2", AT + HOUR, "open")
    assert violation.summary == (
        "version 2 of contract credit-limits is in force, and not signed by "
        "risk@example.org (co-signer of threshold line)"
    )


def test_it_is_over_when_the_last_has_signed_as_the_signature_says(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.sign("lead", "product", "risk")
    second(folder, AT + HOUR)
    sign_second(folder, "lead")
    (before,) = judged(Estate.load(folder.path))
    set_clock(monkeypatch, format_instant(AT + 2 * HOUR))
    sign_second(folder, "product", "risk")
    (violation,) = judged(Estate.load(folder.path))
    assert violation.violation_id == before.violation_id
    assert (violation.state, violation.opened_at) == ("resolved", AT + HOUR)
    assert violation.resolved_at is not None
    assert AT + 2 * HOUR <= violation.resolved_at < AT + 2 * HOUR + HOUR // 2
    assert violation.summary.startswith(
        "version 2 of contract credit-limits is signed by all who must since 2026-03-02"
    )


def test_the_next_version_ends_it(folder: Folder) -> None:
    second(folder, AT + HOUR)
    sign_second(folder, "lead", "product", "risk")
    (violation,) = judged(Estate.load(folder.path))
    assert (violation.contract_version, violation.state, violation.resolved_at) == ("1", "resolved", AT + HOUR)
    assert violation.summary == "version 2 of contract credit-limits is in force in its place"


def test_keys_that_are_taken_away_void_what_they_signed(folder: Folder) -> None:
    folder.sign("lead", "product", "risk")
    estate = Estate.load(folder.path)
    risk = estate.persons["risk@example.org"].model_copy(update={"keys": ()})
    (violation,) = judged(replace(estate, persons={**estate.persons, risk.id: risk}))
    assert "not signed by risk@example.org (co-signer of threshold line)" in violation.summary


def test_another_text_and_another_persons_signature_are_none(folder: Folder) -> None:
    folder.sign("lead", "product", "risk")
    lead, product, risk = folder.signatures.read_text().splitlines()
    folder.signatures.write_text(f"{lead}\n{product}\n{risk.replace('risk@', 'product@')}\n")
    (violation,) = judged(Estate.load(folder.path))
    assert "not signed by risk@example.org" in violation.summary
    folder.signatures.write_text(f"{lead}\n{product}\n{risk}\n")
    folder.edit("score >= 0.62", "score >= 0.50")
    (violation,) = judged(Estate.load(folder.path))
    assert violation.summary.count("@example.org") == 3


def test_a_contract_that_writes_the_clause_says_how_severe_it_is(folder: Folder) -> None:
    folder.contract.write_text(f"{SYSTEM}---\n{CONTRACT}  - {{id: by-all, kind: signed}}\n")
    (violation,) = judged(Estate.load(folder.path))
    assert (violation.clause, violation.severity) == ("by-all", "breach")


def test_an_own_clause_of_that_name_does_not_silence_it(folder: Folder) -> None:
    folder.contract.write_text(f"{SYSTEM}---\n{CONTRACT}  - {{id: signed, kind: range, min: 0, max: 1}}\n")
    assert [violation.clause for violation in judged(Estate.load(folder.path))] == ["signed-1"]


def test_one_contract_is_told_once_however_many_systems_it_covers(folder: Folder) -> None:
    folder.edit("covers: [credit-model]", "covers: ['credit-*', 'other-?']")
    (violation,) = judged(Estate.load(folder.path))
    assert violation.system == "credit-*"


def test_what_is_published_says_the_same(folder: Folder) -> None:
    folder.sign("lead", "product")
    estate = Estate.load(folder.path)
    said = Estate.of_published(published(documents_of(estate), AT - DAY, estate.signatures))
    assert judged(said) == judged(estate) != []


def flush(time: int) -> Measurement:
    return Measurement(time, (Watermark("seamwatch.inference", 0, 0, time, caught_up=True),), began=AT)


def kept(judge: Judge, state: dict[str, bytes]) -> dict[str, bytes]:
    for key, value in judge.take_dirty().items():
        if value is None:
            state.pop(key, None)
        else:
            state[key] = value
    return state


def test_live_it_opens_at_the_publication_and_ends_when_signatures_are_published(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a stage sees it: the first version signed, a second that is not, and signatures one after another."""
    folder.sign("lead", "product", "risk")
    one, start = Estate.load(folder.path), AT + HOUR
    (folder.path / "second.yaml").write_text(CONTRACT.replace('version: "1"', 'version: "2"').replace("0.62", "0.50"))
    folder.contract.write_text(SYSTEM)
    folder.signatures.unlink()

    def published_now() -> Estate:
        both = [*published(documents_of(one), AT - DAY, one.signatures)]
        two = Estate.load(folder.path)
        return Estate.of_published([*both, *published(documents_of(two), start, two.signatures)])

    settings = JudgeSettings(lateness=0, settle=0)
    estate = Estate.of_published(published(documents_of(one), AT - DAY, one.signatures))
    judge = Judge(estate, settings)
    state: dict[str, bytes] = {}
    told: list[Violation] = []

    def pass_time(time: int) -> list[str]:
        nonlocal judge
        found = list(judge.on_measurement(flush(time)).violations)
        told.extend(found)
        state.update(kept(judge, state))
        judge = Judge(estate, settings)  # It crashes after every flush.
        for key, value in state.items():
            judge.restore(key, value)
        return [f"{violation.state}: {violation.summary.partition('credit-limits ')[2]}" for violation in found]

    assert pass_time(AT + HOUR // 2) == []
    estate = published_now()
    judge.replace_estate(estate)
    assert pass_time(start - 1) == []
    parties = "lead@example.org (provider), product@example.org (consumer)"
    everybody = f"{parties}, risk@example.org (co-signer of threshold line)"
    assert pass_time(start + 1) == [f"open: is in force, and not signed by {everybody}"]
    assert pass_time(start + 2) == []
    set_clock(monkeypatch, format_instant(start + HOUR))
    sign_second(folder, "risk")
    estate = published_now()
    judge.replace_estate(estate)
    assert pass_time(start + 2 * HOUR) == [f"open: is in force, and not signed by {parties}"]
    sign_second(folder, "lead", "product")
    estate = published_now()
    judge.replace_estate(estate)
    (over,) = pass_time(start + 3 * HOUR)
    assert over.startswith("resolved: is signed by all who must since 2026-03-02 12:0")
    assert len({violation.violation_id for violation in told}) == 1
    judge.replace_estate(estate)
    assert pass_time(start + 4 * HOUR) == []
    replayed = judged(estate, AT, start + 4 * HOUR)
    assert [(v.violation_id, v.opened_at, v.resolved_at, v.summary) for v in replayed] == [
        (told[-1].violation_id, start, told[-1].resolved_at, told[-1].summary)
    ]


def test_who_must_sign_is_shown_the_command_which_signs_as_it_is_printed(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.sign("lead")
    (violation,) = judged(Estate.load(folder.path))
    assert violation.unsigned_by == ("product@example.org", "risk@example.org")
    body = page_of(violation, Recipient("lead@example.org", "Lead", signs=True), AT + HOUR).body
    commands = [line.strip() for line in body.splitlines() if line.startswith("  seamwatch contracts sign ")]
    assert commands == [
        f"seamwatch contracts sign CONTRACT_FILE --as {person} --key PRIVATE_KEY_FILE"
        for person in ("product@example.org", "risk@example.org")
    ]
    monkeypatch.chdir(folder.path)
    for command, name in zip(commands, ("product", "risk"), strict=True):
        typed = command.replace("CONTRACT_FILE", folder.contract.name).replace(
            "PRIVATE_KEY_FILE", str(folder.key(name))
        )
        result = run(*shlex.split(typed)[1:])
        assert result.exit_code == 0, result.output
    assert judged(Estate.load(folder.path)) == []
    assert sign_commands(replace(violation, state="resolved")) == ()
