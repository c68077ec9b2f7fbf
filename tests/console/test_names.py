"""A name that nobody declared and that was not seen is an error of every command, and never an empty answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from console.app import build
from sinks.store.questions.names import KNOWN
from tests.console.populated import AGENT, DATASET, MODEL, PEOPLE, PIPELINE, STRAY, Populated, populated

NAMING = {*KNOWN, "event", "trace", "reference", "hold", "use_case", "config_digest"}
"""What parameters of commands are called that name something which is declared or seen."""

_OF_A_TIME = ["--from", "2020-01-01", "--to", "2020-01-02", "--out", "{documents}/dossier.zip"]

TYPED: dict[tuple[str, ...], list[str]] = {
    ("gate",): ["{system}", "--contracts", "{documents}", "--offline", "--version", "{version}"],
    ("ack",): ["{reference}", "--as", "{person}", "--wait", "0s"],
    ("decisions",): ["--contract", "{contract}"],
    ("burn",): ["{contract}"],
    ("owner",): ["{system}"],
    ("rota",): ["{rota}"],
    ("unjudged",): ["{system}"],
    ("readiness",): ["{system}"],
    ("card",): ["{system}"],
    ("why",): ["{event}"],
    ("trail",): ["{trace}"],
    ("evidence",): ["--event", "{event}"],
    ("evidence", "system"): ["--system", "{system}", *_OF_A_TIME],
    ("evidence", "person"): ["--system", "{system}", *_OF_A_TIME, "--as", "{person}", "--key", "{documents}/all.yaml"],
    ("contracts", "reference"): ["{system}", "--from", "2020-01-01", "--to", "2020-01-02"],
    ("contracts", "sign"): ["{documents}/all.yaml", "--as", "{person}", "--key", "{documents}/all.yaml"],
    ("contracts", "export"): ["{documents}/{contract}.yaml"],
    ("store", "hold", "add"): ["--by", "ada", "--reason", "case 17"],
    ("store", "hold", "lift"): ["{hold}", "--by", "ada", "--reason", "closed"],
}
"""What a command needs beside the option that is tried; names in braces are those that are known, but for it.

By the command, or by the command and the parameter.
"""

KNOWN_NAMES = {
    "system": MODEL,
    "version": "2026.11.3",
    "person": PEOPLE[0],
    "reference": "CHANGE-2026-11-000042",
    "contract": "eligibility-data-to-decisions",
}

# These ask the broker what is published, and no store: tests/console/test_saying.py tries each on one.
_SAYING = "asks the broker what is published"
OTHERWISE: dict[tuple[str, ...], str] = {
    **{("attest", name): _SAYING for name in ("person", "system")},
    ("attest", "version"): "is how a refresh that is published is called",
    **{("announce", name): _SAYING for name in ("person", "system")},
    ("cosign", "person"): _SAYING,
    ("review", "person"): _SAYING,
    **{(verb, name): _SAYING for verb in ("drill", "silence") for name in ("person", "system", "clause")},
    **{("incident", name, "person"): _SAYING for name in ("declare", "withdraw", "draft", "report")},
    ("contracts", "publish", "person"): _SAYING,
    **{("withdraw", name): _SAYING for name in ("person", "system")},
    **{(verb, name): _SAYING for verb in ("suspend", "resume") for name in ("person", "system")},
    **{(verb, "version"): "may be one that serves undeclared" for verb in ("suspend", "resume")},
    ("board-token", "person"): "asks neither broker nor store; a token of nobody who is published serves for nothing",
    ("contracts", "sign", "contract"): "names what is signed in a file, which is read, and no store asked",
}
"""Parameters that are called so and name something else, and what."""


@pytest.fixture(scope="module")
def store(clickhouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Populated]:
    with pytest.MonkeyPatch.context() as patch, populated(clickhouse, tmp_path_factory.mktemp("names"), patch) as made:
        yield made


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    command = command or typer.main.get_command(build())
    if hasattr(command, "commands"):
        for name, below in command.commands.items():
            yield from commands(below, (*path, name))
    else:
        yield path, command


def named() -> Iterator[tuple[tuple[str, ...], str, list[str]]]:
    for path, command in commands():
        for parameter in command.params:
            if parameter.name in NAMING and (*path, parameter.name) not in OTHERWISE:
                options = [option for option in parameter.opts if option.startswith("--")]
                yield path, parameter.name, options


@pytest.mark.parametrize(("path", "name", "options"), list(named()), ids=lambda value: " ".join(value) or "argument")
def test_an_unknown_name_is_an_error_that_says_so(
    store: Populated,
    capsys: pytest.CaptureFixture[str],
    path: tuple[str, ...],
    name: str,
    options: list[str],
) -> None:
    documents = store.documents
    values = {**dict.fromkeys(NAMING, "nope-x"), **KNOWN_NAMES, name: "nope-x", "documents": str(documents)}
    typed = [part.format(**values) for part in TYPED.get((*path, name), TYPED.get(path, []))]
    if options and options[0] not in typed:
        typed += [options[0], "nope-x"]
    assert "nope-x" in " ".join(typed), "say in TYPED how this is typed"
    for form in ([], ["--json"]):
        if form and not _has_json(path):
            continue
        answer = store.run_with(capsys, *path, *typed, *form)
        assert answer.code in (1, 2), (answer.out, answer.err)
        told = answer.out + answer.err
        assert "nope-x" in told
        assert "an error of ours" not in told
        assert path == ("gate",) or answer.out == ""


def _has_json(path: tuple[str, ...]) -> bool:
    return any(
        "--json" in parameter.opts for found, command in commands() if found == path for parameter in command.params
    )


def test_the_walk_finds_what_it_must() -> None:
    found = {(" ".join(path), name) for path, name, _ in named()}
    assert found >= {
        ("drift", "system"), ("rota", "rota"), ("signals", "system"), ("violations", "system"), ("approvals", "system"),
        ("acknowledgements", "system"), ("acknowledgements", "person"), ("stale", "system"), ("owner", "system"),
        ("burn", "contract"), ("burn", "system"),
        ("store hold add", "system"), ("contracts reference", "version"), ("trail", "trace"), ("why", "event"),
    }  # fmt: skip


@pytest.mark.parametrize("typed", [
    ["drift", "--system"], ["signals", "--system"], ["violations", "--system"], ["approvals", "--system"],
    ["acknowledgements", "--system"], ["stale", "--system"], ["burn", "--system"], ["owner"],
    ["store", "hold", "add", "--by", "ada", "--reason", "case 17", "--system"],
])  # fmt: skip
def test_the_nearest_name_is_told(store: Populated, capsys: pytest.CaptureFixture[str], typed: list[str]) -> None:
    answer = store.run_with(capsys, *typed, MODEL.replace("westphalia", "westfalia"))
    assert (answer.code, answer.out) == (1, "")
    assert "is neither declared nor was it seen" in answer.err
    assert f"did you mean {MODEL!r}?" in answer.err


@pytest.mark.parametrize("system", [MODEL, AGENT, DATASET, STRAY, PIPELINE])
def test_a_known_system_without_rows_is_an_empty_answer(
    store: Populated, capsys: pytest.CaptureFixture[str], system: str
) -> None:
    for typed in (["drift"], ["signals"], ["violations"], ["approvals"], ["acknowledgements"], ["stale"]):
        answer = store.run_with(capsys, *typed, "--system", system)
        assert (answer.code in (0, 1), answer.err) == (True, ""), typed


def test_a_hold_on_nothing_is_not_placed(store: Populated, capsys: pytest.CaptureFixture[str]) -> None:
    before = store.store.rows("SELECT count() AS n FROM hold")
    assert (
        store.run_with(capsys, "store", "hold", "add", "--by", "a", "--reason", "x", "--system", "triage-modell").code
        == 1
    )
    assert store.store.rows("SELECT count() AS n FROM hold") == before


def test_every_kind_of_name_is_one_query_that_runs(store: Populated) -> None:
    from sinks.store.questions.names import names

    found = {kind: names(store.store, kind) for kind in KNOWN}
    assert set(found["system"]) == {MODEL, AGENT, DATASET, STRAY, PIPELINE}
    assert set(found["dataset"]) == {DATASET}
    assert set(found["person"]) == set(PEOPLE)
    assert set(found["rota"]) == {"decisions-on-call", "night-desk"}
    assert set(found["contract"]) == {"eligibility-data-to-decisions", "agent-pact", "credit-data"} - {"credit-data"}
    assert "decisions-on-fresh-features" in found["clause"]
    assert found["version"] == ("0", "2026.11.3", "7")
    assert found["contract_version"] == ("1", "4")
    assert found["cohort"] == ("under-25",)
