"""On a narrow terminal no word is cut, and so a copied id is a whole id: of the layout, and of every command."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import tables
from console.tables import table_lines, text_lines
from seamwatch.durations import HOUR
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import Evidence
from seamwatch.judging.records import violation_record
from sinks.retention.holds import place_hold
from tests.console.followed import BROKEN, INCIDENT, attest, followed
from tests.console.populated import AGENT, DATASET, EPISODES, MODEL, PEOPLE, TRACE, Populated, event, hexed
from tests.sinks.samples import CODEC, NOW, violation
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
WORDS = st.lists(st.text("abcdefghij-0123456789@.üß漢", min_size=1, max_size=70), min_size=0, max_size=6).map(" ".join)


@st.composite
def asked(draw: st.DrawFn) -> tuple[list[str], list[list[str]], int]:
    columns = draw(st.lists(st.sampled_from(["SYSTEM", "LAST SEEN", "LATENCY p50/p95", "X"]), min_size=1, max_size=8))
    rows = draw(st.lists(st.lists(WORDS, min_size=len(columns), max_size=len(columns)), min_size=1, max_size=4))
    return columns, rows, draw(st.integers(20, 200))


@given(asked())
def test_every_word_is_whole_and_lines_fit_wherever_words_do(table: tuple[list[str], list[list[str]], int]) -> None:
    columns, rows, width = table
    lines = table_lines(columns, rows, empty="", width=width)
    shown = "\n".join(lines).split()
    for row in rows:
        for cell in row:
            assert all(word in shown for word in cell.split())
    longest = max(tables._width(word) for row in [columns, *rows] for cell in row for word in cell.split(" "))
    for line in lines:
        # A word that is longer than the line has the line for itself, but for its column's name and the indent.
        assert tables._width(line) <= max(width, longest + 4 + max(map(len, columns)) + 1)
    for index, heading in enumerate(columns[1:], 1):
        # Of a paragraph only what has a value is named.
        assert any(heading in line for line in lines) or not any(row[index].strip() for row in rows) or width < 20


@given(asked())
def test_what_goes_to_no_terminal_is_a_line_a_row(table: tuple[list[str], list[list[str]], int]) -> None:
    columns, rows, _ = table
    assert len(table_lines(columns, rows, empty="", width=None)) == len(rows) + 1


@given(WORDS, st.integers(10, 120))
def test_a_sentence_is_broken_between_words(text: str, width: int) -> None:
    lines = text_lines(text, indent="  ", further="    ", width=width)
    assert " ".join(lines).split() == text.split()
    assert all(tables._width(line) <= width or len(line.split()) == 1 for line in lines)


def test_what_others_wrote_moves_no_cursor_and_ends_no_line() -> None:
    (_, line) = table_lines(("A",), [("x\x1b[2J\ny\r\tz",)], empty="", width=80)
    assert line == "x [2J y  z"


COMMANDS = {
    "inventory": ["inventory"],
    "drift": ["drift"],
    "signals": ["signals", "--days", "3"],
    "burn": ["burn", "--at", format_instant(NOW)],
    "approvals": ["approvals"],
    "acknowledgements": ["acknowledgements"],
    "stale": ["stale"],
    "silences": ["silences", "--over"],
    "tiers": ["tiers"],
    "unjudged": ["unjudged"],
    "readiness": ["readiness"],
    "followups": ["followups"],
    "incidents": ["incidents"],
    "incident": ["incident", "show", BROKEN.violation_id],
    "trail": ["trail", TRACE],
    "decisions": ["decisions"],
    "violations": ["violations"],
    "owner": ["owner", MODEL],
    "rota": ["rota", "--at", format_instant(NOW)],
    "why": ["why", event("d1")],
    "why_late": ["why-late", EPISODES[0].violation_id],
    "store_retention": ["store", "hold", "list"],
}
"""By module, what is typed."""

SILENCED = violation(
    violation_id=hexed("silence"), kind="silence", contract="agent-pact", contract_version="1", clause="silence",
    system=AGENT, severity="warning", observed=None, limit=3_600.0, unit="s", opened_at=NOW - HOUR // 2,
    since=NOW - HOUR // 2, person=PEOPLE[1], summary=f"{AGENT}: {PEOPLE[0]} holds back its pages, in a long sentence",
    evidence=(Evidence(0, event("s1"), "t", 0, 0),),
)  # fmt: skip

ELSEWHERE = {"erase", "replay", "spool"}
"""Commands that print tables of what is in no store; their tables are the same."""

COPIED = [event(f"d{number}") for number in (1, 2, 3, 4)] + [event(f"c{number}") for number in (1, 2, 3)]
COPIED += [episode.violation_id for episode in EPISODES] + ["CHANGE-2026-11-000042", "APPROVAL-2026-000117"]
COPIED += [MODEL, AGENT, DATASET, *PEOPLE, TRACE]


@pytest.fixture(scope="module")
def estate(clickhouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Populated]:
    folder = tmp_path_factory.mktemp("tables")
    with pytest.MonkeyPatch.context() as patch, followed(clickhouse, folder, patch) as made:
        attest(made, "incident", INCIDENT)
        made.book.record(
            [CODEC.encode("violation", violation_record(SILENCED))], "violations.silence", millis=NOW // 1000
        )
        place_hold(made.store, PEOPLE[0], "case 17 of a long story", system=MODEL)
        yield made


@pytest.fixture
def store(estate: Populated, capsys: pytest.CaptureFixture[str]) -> Populated:
    return replace(estate, run=partial(estate.run_with, capsys))


def test_every_command_at_eighty_columns(store: Populated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")  # which takes no room on a terminal, but does as text
    for name, typed in COMMANDS.items():
        monkeypatch.setattr(tables, "terminal_width", lambda: None)
        wide = store.run(*typed)
        monkeypatch.setattr(tables, "terminal_width", lambda: 80)
        narrow = store.run(*typed)
        assert (wide.code, wide.err) == (narrow.code, narrow.err), name
        copied = [word for word in COPIED if word in wide.out]
        assert copied, name
        assert [word for word in copied if word not in narrow.out] == [], name
        told = _ids(wide.out)
        assert told <= _ids(narrow.out), name
        for line in narrow.out.splitlines():
            # What is to be copied into a shell stays in one line.
            is_copied = line.startswith("  seamwatch ") or len(line.split()) <= 2
            assert len(line) <= 80 or is_copied, (name, line)


def _ids(text: str) -> set[str]:
    return set(re.findall(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b[0-9a-f]{32}\b", text))


def test_machines_are_given_the_same_whatever_the_terminal(store: Populated, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, typed in COMMANDS.items():
        answers = []
        for width in (None, 20):
            monkeypatch.setattr(tables, "terminal_width", lambda width=width: width)
            answers.append(store.run(*typed, "--json").out)
        assert answers[0] == answers[1], name
        assert all(json.loads(line) for line in answers[0].splitlines())


def test_a_real_terminal_of_eighty_columns(store: Populated) -> None:
    ids = [*COPIED[:2], TRACE]
    for typed in (["trail", TRACE], ["stale"], ["inventory"]):
        shown = _on_a_terminal(typed, columns=80)
        assert max(len(line) for line in shown.splitlines()) <= 80
        assert [word for word in ids if word in _on_a_terminal(typed, columns=400) and word not in shown] == []


def _on_a_terminal(typed: list[str], columns: int) -> str:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {**os.environ, "TERM": "dumb"}
    environment.pop("COLUMNS", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "console.app", *typed],
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=ROOT,
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        said += piece
    os.close(ours)
    process.wait(PATIENCE)
    return said.decode()


def test_every_command_that_prints_a_table_is_tried_here() -> None:
    prints = {
        file.stem
        for file in (ROOT / "console" / "commands").glob("*.py")
        if re.search(r"import .*print_(table|text)", file.read_text())
    }
    assert prints <= COMMANDS.keys() | ELSEWHERE
