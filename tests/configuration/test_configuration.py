"""Configuration digests: the same whoever computes them, another for every byte, and the parts that changed by name."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from console.app import build
from seamwatch import config_digest
from seamwatch.configuration import changed, content_digest, digest_of_parts, part_digest, parts_of
from seamwatch.documents import Estate
from seamwatch.errors import DocumentError, UsageError

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text("utf-8")
# The contents by which the page's digest was made.
CONTENTS = {"model": "example-model-2026-05", "prompt": "You decide on claims.\n", "retrieval": "top: 5\n"}
TOOLS = {"refund.json": '{"name": "refund"}\n', "more/find.json": '{"name": "find"}\n'}

names = st.from_regex(r"[a-z][a-z0-9_-]{0,31}", fullmatch=True)
configurations = st.dictionaries(names, st.text(max_size=20), min_size=1, max_size=5)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build(), ["config", *arguments])


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("prompt.txt").write_text(CONTENTS["prompt"])
    Path("retrieval.yaml").write_text(CONTENTS["retrieval"])
    for name, content in TOOLS.items():
        (Path("tools") / name).parent.mkdir(parents=True, exist_ok=True)
        (Path("tools") / name).write_text(content)
    return tmp_path


def test_the_command_of_the_page_prints_what_the_page_says(files: Path) -> None:
    command = next(line for line in PAGE.splitlines() if line.startswith("seamwatch config digest"))
    printed = run(*command.split()[2:]).stdout
    assert printed in PAGE
    lines = "".join(f"{name} {part_digest(TOOLS[name])}\n" for name in sorted(TOOLS))
    assert printed.strip() == config_digest(CONTENTS, tools=lines)


def test_by_hand_it_is_the_sha_256_of_a_line_a_part() -> None:
    for vector in json.loads((ROOT / "docs" / "configuration-vectors.json").read_text("utf-8")):
        own = {
            name: "sha256:" + hashlib.sha256(content.encode()).hexdigest()
            for name, content in vector["contents"].items()
        }
        assert own == vector["config"]
        text = "".join(f"{name} {own[name]}\n" for name in sorted(own))
        shown = "".join(f"+{name}.{own[name][7:15]}" for name in sorted(own))
        assert "sha256:" + hashlib.sha256(text.encode()).hexdigest() + shown == vector["config_digest"]
        assert config_digest(vector["contents"]) == vector["config_digest"]


@given(configurations, configurations)
def test_two_configurations_have_one_digest_exactly_if_they_are_the_same(a: dict[str, str], b: dict[str, str]) -> None:
    one, other = config_digest(a), config_digest(b)
    assert (one == other) == (a == b)
    assert set(parts_of(one)) == set(a)
    differ = {name for name in a.keys() | b.keys() if a.get(name) != b.get(name)}
    assert set(changed(one, [other]) or ()) == differ


def test_what_changed_is_told_against_the_nearest_that_is_known() -> None:
    base = {"model": "m-1", "prompt": "a", "tools": "[]"}
    known = [config_digest(base), config_digest(base, prompt="b", model="m-2"), "sha256:9a4be2710c53d866", "v7"]
    assert changed(config_digest(base, prompt="b"), known) == (
        "model",
    )  # beside the second, or "prompt" beside the first
    assert changed(config_digest(base, prompt="c"), known) == ("prompt",)
    assert changed(config_digest(base, policy="new"), known) == ("policy",)
    assert changed(config_digest(base), known) == ()
    assert changed("sha256:9a4be2710c53d866", known) is None
    assert changed(config_digest(base), ["v7"]) is None
    assert changed(config_digest(base) + "+", known) is None


def test_a_folder_counts_by_its_files_wherever_it_lies(files: Path) -> None:
    before = content_digest(Path("tools"))
    (files / "tools" / ".cache").write_text("not part of it")
    Path("tools").rename("elsewhere")
    assert content_digest(files / "elsewhere") == before
    (files / "elsewhere" / "more" / "find.json").rename(files / "elsewhere" / "find.json")
    assert content_digest(files / "elsewhere") != before
    (files / "empty").mkdir()
    for missing in (files / "empty", files / "nothing"):
        with pytest.raises(UsageError, match=str(missing)):
            content_digest(missing)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "at least one part"),
        (("--part", "prompt=prompt.txt", "--prompt", "prompt.txt"), "prompt is given twice"),
        (("--part", "model=prompt.txt", "--model", "m"), "model is given twice"),
        (("--part", "Prompt=prompt.txt"), "names no part"),
        (("--part", "prompt"), "write a name and a file"),
        (("--tools", "nowhere"), "nowhere cannot be read"),
    ],
)
def test_what_is_given_wrongly_is_said(files: Path, arguments: tuple[str, ...], said: str) -> None:
    failed = run("digest", *arguments)
    assert isinstance(failed.exception, UsageError)
    assert said in str(failed.exception)


def test_two_digests_are_compared_in_words() -> None:
    one, other = (config_digest(model="m", prompt=text, tools="[]") for text in ("a", "b"))
    assert (run("compare", one, other).stdout, run("compare", one, other).exit_code) == ("changed: prompt\n", 1)
    assert (run("compare", one, one).stdout, run("compare", one, one).exit_code) == ("the same configuration\n", 0)
    assert "do not say which part" in run("compare", "v1", one).stdout
    assert json.loads(run("compare", one, other, "--json").stdout) == {"same": False, "changed": ["prompt"]}


def test_what_is_printed_for_the_system_document_is_valid_there_and_held_to(files: Path) -> None:
    arguments = ("--model", "m-1", "--prompt", "prompt.txt", "--part", "parameters=retrieval.yaml")
    lines = run("digest", *arguments, "--yaml").stdout
    machine = json.loads(run("digest", *arguments, "--json").stdout)
    assert yaml.safe_load(lines) == machine
    system = (
        "apiVersion: seamwatch/v1\nkind: Person\nid: owner@example.org\nname: Owner\n---\n"
        "apiVersion: seamwatch/v1\nkind: System\nid: s\ntype: model\nowner: owner@example.org\nversions:\n"
        f"  - version: '7'\n{re.sub('^', '    ', lines, flags=re.MULTILINE).rstrip()}\n"
    )
    folder = files / "contracts"
    folder.mkdir()
    (folder / "all.yaml").write_text(system)
    (version,) = Estate.load(folder).systems["s"].versions
    assert version.config_digest == digest_of_parts(version.config) == machine["config_digest"]
    (folder / "all.yaml").write_text(system.replace(machine["config"]["prompt"], part_digest("another")))
    with pytest.raises(DocumentError, match="config_digest is not that of the parts in config, which is sha256:"):
        Estate.load(folder)
