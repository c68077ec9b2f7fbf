"""What the documents print can be typed: commands parse against the real ones, and examples of clauses are valid."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from console.app import build
from seamwatch.clauses import kinds
from seamwatch.documents import Estate
from seamwatch.documents.template import template

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<content>.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:[A-Z_]+=\S+ )*seamwatch [^`]+)`")
_TYPED = re.compile(r"(?:^|[|;&=\w] )seamwatch \w", re.MULTILINE)
_EXAMPLE = re.compile(r"^\s*Example: (.+)$", re.MULTILINE)


def _printed() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        text = page.read_text("utf-8")
        name = str(page.relative_to(ROOT))
        for fence in _FENCE.finditer(text):
            if fence["language"] in ("", "sh", "bash", "console"):
                yield from ((name, line) for line in fence["content"].splitlines() if _TYPED.search(line))
        yield from ((name, found) for found in _EXAMPLE.findall(text))
        outside = _FENCE.sub("", text)
        # A heading or a sentence that only names a command is no line to type.
        for line in outside.splitlines():
            if not line.startswith("#"):
                yield from ((name, found) for found in _INLINE.findall(line) if re.search(r" (--|\S+/| -\w)", found))


def _words(line: str) -> list[str]:
    """The arguments of the one ``seamwatch`` in a line of shell, without comment, pipe or redirection."""
    line = re.split(r"\s{2,}", line.strip())[0]  # in lists of commands two spaces part it from what it does
    line = re.sub(r"<[\w ]+>", "placeholder", line)
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|>;&")
    lexer.whitespace_split = True
    words = list(lexer)
    start = words.index("seamwatch") + 1
    end = next((i for i, word in enumerate(words) if i >= start and set(word) <= set("|>;&")), len(words))
    return words[start:end]


@pytest.mark.parametrize(("page", "line"), sorted(set(_printed())))
def test_a_printed_command_parses(page: str, line: str) -> None:
    command: Any = typer.main.get_command(build())
    words, name = _words(line), "seamwatch"
    while hasattr(command, "commands"):
        assert words, f"{page}: {line!r} names no command"
        assert words[0] in command.commands, f"{page}: {line!r}: no such command"
        name, words, command = words[0], words[1:], command.commands[words[0]]
    assert command.make_context(name, words) is not None  # wrong options and missing arguments raise


def test_the_tour_is_among_the_lines_that_are_checked() -> None:
    found = {" ".join(_words(line)[:2]) for page, line in _printed() if page == "README.md"}
    assert {"up --contracts", "emit -", "ack placeholder", "replay --contracts", "cat inference"} <= found


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_the_example_of_a_clause_kind_is_valid_in_a_contract(kind: str, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "clauses" / f"{kind}.md").read_text("utf-8")
    blocks = [fence["content"] for fence in _FENCE.finditer(page) if fence["language"] == "yaml"]
    # A clause, and not a document that its worked example needs beside it.
    examples = [block for block in blocks if block.startswith("- ")]
    assert examples
    before, _, _ = template("contract").partition("clauses:")
    for text in [*examples, template(kind)]:
        people = sorted(set(re.findall(r"[\w.]+@example\.org", text + before + template("system"))))
        persons = [f"apiVersion: seamwatch/v1\nkind: Person\nid: {who}\nname: {who}\n" for who in people]
        contract = f"{before}clauses:\n{text}"
        (tmp_path / "all.yaml").write_text("---\n".join([*persons, template("system"), contract]))
        (held,) = (found for found in Estate.load(tmp_path).contracts if found.id != "defaults")
        assert held.clauses[0].kind == kind
