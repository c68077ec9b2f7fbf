"""`silence`: what would not count is refused before it is sent, and of what was sent the judge's word is told."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner, Result

from console.app import build
from seamwatch.clauses.silence.statement import Begun, Lifted, read_statement
from seamwatch.durations import HOUR
from seamwatch.errors import SeamwatchError, UnreachableError, UsageError
from statements.published import Published
from statements.silence import silenced
from tests.clauses.history import at
from tests.console.drilling.test_command import AGREED, OTHER, OWNER, SYSTEM
from tests.console.drilling.test_command import Published as Documents

BOTH = f"{AGREED}\n---\n{OTHER}\n---\n{SYSTEM}"


class Stated:
    """What was sent, and what a judge says to it."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.says: dict[str, Any] | None = {"counted": True, "summary": "held back", "contract": "example"}

    def submit(self, _system: object, events: list[dict[str, Any]], _patience: float) -> list[dict[str, Any] | None]:
        self.events += events
        return [self.says for _ in events]


@pytest.fixture
def stated(monkeypatch: pytest.MonkeyPatch) -> Stated:
    found = Stated()

    class There(Documents):
        def __init__(self, _system: object) -> None:
            super().__init__(BOTH)
            self.now = at()

        def keys_of(self, _person: str) -> dict[str, str]:
            return {}

        clauses_of = Published.clauses_of

        @property
        def _seams(self) -> Any:
            return self.seams

    monkeypatch.setattr("statements.published.Published", There)
    monkeypatch.setattr("statements.review.submit", found.submit)
    monkeypatch.setattr("console.reach.reach", lambda _data: None)
    return found


def run(*arguments: str, person: str = OWNER) -> Result:
    return CliRunner().invoke(build(), ["silence", "scorer", "--as", person, "--reason", "load test", *arguments])


def test_without_a_clause_each_contract_is_silent_and_the_judge_says_so(stated: Stated) -> None:
    result = run("--until", "2h")
    assert result.exit_code == 0, repr(result.exception)
    assert "scorer, example: held back" in result.stdout
    (name,) = {event["subject"].rpartition("/")[2] for event in stated.events}
    assert sorted(event["subject"] for event in stated.events) == [f"example#silence/{name}", f"other#silence/{name}"]
    for event in stated.events:
        said = read_statement(event["statement"])
        assert isinstance(said, Begun)
        assert (said.clause, said.reason, said.until_at - event["event_time"]) == (None, "load test", 2 * HOUR)


def test_one_contract_or_one_clause_is_named(stated: Stated) -> None:
    run("--until", "2h", "--clause", "other#valid")
    (event,) = stated.events
    said = read_statement(event["statement"])
    assert isinstance(said, Begun)
    assert (event["subject"].partition("/")[0], said.clause) == ("other#silence", "valid")
    run("--until", "2h", "--clause", "example")
    assert stated.events[-1]["subject"].startswith("example#silence/")


def test_one_is_lifted_by_its_id(stated: Stated) -> None:
    run("--lift", "1237f41a0d0c")
    assert {event["subject"] for event in stated.events} == {
        "example#silence/1237f41a0d0c",
        "other#silence/1237f41a0d0c",
    }
    assert all(isinstance(read_statement(event["statement"]), Lifted) for event in stated.events)


@pytest.mark.parametrize(
    ("arguments", "person", "error", "why"),
    [
        ((), OWNER, UsageError, "say until when"),
        (("--until", "2h", "--lift", "x"), OWNER, UsageError, "say until when"),
        (("--until", "soon"), OWNER, UsageError, "write a duration such as 2h"),
        (("--until", "8d"), OWNER, SeamwatchError, "at most 7 d are agreed"),
        (("--until", "2020-01-01T00:00:00Z"), OWNER, SeamwatchError, "before it began"),
        (("--until", "2h"), "stranger@example.org", SeamwatchError, "nobody that the documents know"),
        (("--until", "2h", "--clause", "exampl"), OWNER, UsageError, "did you mean 'example'"),
        (("--until", "2h", "--clause", "example#vald"), OWNER, UsageError, "did you mean 'valid'"),
        (("--until", "2h", "--reason", " "), OWNER, UsageError, "--reason says nothing"),
    ],
)
def test_what_would_not_count_is_not_sent(
    stated: Stated, arguments: tuple[str, ...], person: str, error: type[Exception], why: str
) -> None:
    result = run(*arguments, person=person)
    assert isinstance(result.exception, error), repr(result.exception)
    assert why in str(result.exception)
    assert stated.events == []


def test_what_the_judge_says_is_told(stated: Stated) -> None:
    stated.says = {"counted": False, "summary": "20 silences are in force", "contract": "example"}
    assert "it does not count: 20 silences" in str(run("--until", "2h").exception)
    stated.says = None
    assert isinstance(run("--until", "2h").exception, UnreachableError)


def test_what_the_defaults_find_is_not_held_back() -> None:
    alone: Any = Documents(SYSTEM)
    with pytest.raises(SeamwatchError, match="no contract binds scorer"):
        silenced(alone, "scorer", None)
