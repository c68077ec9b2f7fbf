"""`seamwatch card` and `seamwatch unjudged` over a day of a lender: written, printed, checked against the record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import jsonschema
import pytest

from console.app import main
from console.commands import card as command
from seamwatch.durations import DAY
from seamwatch.errors import UnreachableError
from sinks.store.questions.cards import schema
from tests.sinks.store.questions.judged import AGENT, DATA, MODEL, STRAY, Judged, judged

SINCE: Final = ["--since", "10d"]


@dataclass(frozen=True)
class Answered:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def day(clickhouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    with judged(clickhouse, tmp_path_factory.mktemp("card")) as made:
        yield made


@pytest.fixture
def asked(day: Judged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, in an environment that names the store."""
    monkeypatch.setenv("CLICKHOUSE_URL", day.url)
    monkeypatch.setenv("SEAMWATCH_DATA", str(tmp_path / "data"))
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *typed: str) -> Answered:
    code = 0
    try:
        main(typed)
    except SystemExit as end:
        code = int(end.code or 0)
    said = capsys.readouterr()
    return Answered(code, said.out, said.err)


def test_a_card_is_printed_and_is_of_the_form_that_it_says(asked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = run(capsys, "card", MODEL, "--format", "json", *SINCE)
    found = json.loads(printed.out)
    jsonschema.validate(found, schema())
    assert json.loads(run(capsys, "card", "--schema").out) == schema()
    assert (found["who"]["system"], found["counted"]["decisions"], found["counted"]["outcomes"]) == (MODEL, 23, 15)
    assert "# lender" in run(capsys, "card", MODEL, "--format", "markdown").out


def test_cards_of_all_systems_are_written_to_a_folder(asked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = asked / "cards"
    answer = run(capsys, "card", "--out", str(folder), *SINCE)
    assert (answer.code, answer.err) == (0, "")
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{name}.html" for name in (AGENT, DATA, MODEL))
    assert answer.out.split() == [str(folder / f"{name}.html") for name in sorted((AGENT, DATA, MODEL))]


def test_a_card_is_good_until_it_is_stale_or_the_record_moves_on(
    asked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = asked / "lender.html"
    assert run(capsys, "card", MODEL, "--out", str(file), "--good-for", "2d", *SINCE).code == 0
    good = run(capsys, "card", "--check", str(file))
    assert (good.code, good.err) == (0, "")
    assert re.match(rf"{MODEL}: good: as of .*, until ", good.out)
    page = file.read_text()
    (basis,) = re.findall(r'"approvals":"(sha256:[0-9a-f]+)"', page)
    file.write_text(page.replace(basis, "sha256:0"))
    moved = run(capsys, "card", "--check", str(file))
    assert (moved.code, "its approvals" in moved.out) == (1, True)
    file.write_text(re.sub(r'"good_until":"[^"]+"', '"good_until":"2026-01-01T00:00:00Z"', page))
    assert (
        run(capsys, "card", "--check", str(file)).out == f"{MODEL}: stale: it was good until 2026-01-01 00:00:00 UTC\n"
    )


def test_what_is_asked_wrongly_is_told(asked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for typed, said in (
        (["card"], "name a system"),
        (["card", MODEL, "--every", "1d"], "--out"),
        (["card", MODEL, "--good-for", "soon"], "--good-for"),
        (["card", "--check", str(asked / "absent.html")], "absent.html"),
    ):
        answer = run(capsys, *typed)
        assert (answer.code, answer.out) == (2, ""), typed
        assert said in answer.err
    near = run(capsys, "card", "lendre")
    assert (near.code, "did you mean 'lender'?" in near.err) == (1, True)


def test_on_a_schedule_it_is_written_anew_and_what_fails_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waited: list[float] = []

    class Clock:
        """An event that is set after three rounds."""

        def is_set(self) -> bool:
            return len(waited) == 3

        def set(self) -> None: ...

        def wait(self, seconds: float) -> None:
            waited.append(seconds)

    monkeypatch.setattr("threading.Event", Clock)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    rounds = iter([None, UnreachableError("the store is away"), None])

    def once() -> None:
        if (error := next(rounds)) is not None:
            raise error

    command._again(once, DAY)
    assert waited == [86_400.0, 60.0, 86_400.0]
    assert capsys.readouterr().err == "seamwatch: the store is away; tried again in 60 s\n"


def test_what_could_not_be_judged_is_listed_and_an_exit_code(asked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(capsys, "unjudged", *SINCE)
    assert answer.code == 1
    assert "6 of 23 decisions lack latency_ms" in answer.out
    assert "published document 'Contract/ours/1' cannot be used" in answer.out
    rows = [json.loads(line) for line in run(capsys, "unjudged", STRAY, "--json", "--all", *SINCE).out.splitlines()]
    assert {row["system"] for row in rows} == {STRAY, ""}
    assert "judged" in {row["why"] for row in rows}
    assert run(capsys, "unjudged", "--since", "1h", "--until", "2h").code == 2
