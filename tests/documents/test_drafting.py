"""A draft of what was seen passes the check of documents as soon as somebody answers for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from seamwatch.documents import load_folder
from seamwatch.documents.drafting import OWNER, SeenVersion, draft
from seamwatch.errors import UsageError

PERSON = "kind: Person\nid: owner@example.org\nname: Example Owner\n"
SEEN = [
    SeenVersion("1.10", "sha256:" + "a" * 64, 30),
    SeenVersion("1.10", "sha256:" + "b" * 64, 20),
    SeenVersion("0x1f", None, 10),
    SeenVersion("with a gap", None, 9),
    SeenVersion("", None, 8),
    SeenVersion("null", "true", 7),
]


@pytest.mark.parametrize("system", ["scorer", "ünï/b", "0755", "yes", "a:b", "- dash".replace(" ", ""), "'quoted\""])
def test_once_the_owner_is_filled_in_it_passes_the_check(system: str, tmp_path: Path) -> None:
    (tmp_path / "person.yaml").write_text(PERSON)
    text = draft(system, "agent", SEEN, ["loans: small", "no", "x" * 5_000])
    (tmp_path / "system.yaml").write_text(text)
    loaded, problems = load_folder(tmp_path)
    assert loaded is None
    assert [OWNER in str(problem) for problem in problems if problem.severity == "error"] == [True]
    (tmp_path / "system.yaml").write_text(text.replace(OWNER, "owner@example.org"))
    loaded, problems = load_folder(tmp_path)
    assert loaded is not None, problems
    found = loaded.systems[system]
    assert [(one.version, one.config_digest) for one in found.versions] == [
        ("1.10", "sha256:" + "a" * 64), ("0x1f", None), ("null", "true"),
    ]  # fmt: skip
    assert (found.type, found.use_cases) == ("agent", ("loans: small", "no"))


def test_what_no_document_can_hold_is_said() -> None:
    text = draft("scorer", "model", SEEN)
    assert "'with a gap' was seen, which no document can name" in text
    assert f"1.10 was seen with configuration sha256:{'b' * 64} too" in text
    assert "1 older ones" not in text
    many = draft("scorer", "model", [SeenVersion(str(number), None, number) for number in range(25)])
    assert "5 older ones were seen too" in many
    assert '- version: "24"' in many


def test_a_line_end_in_a_name_begins_no_line_of_the_draft(tmp_path: Path) -> None:
    text = draft("scorer", "model", [SeenVersion("1\nowner: mallory", None, 1)], ["a\nowner: mallory"], "o@example.org")
    assert [line for line in text.splitlines() if line.startswith("owner")] == ["owner: o@example.org"]


@pytest.mark.parametrize("system", ["a b", "a#b", "", "x" * 257])
def test_a_name_that_no_document_can_have_is_told(system: str) -> None:
    with pytest.raises(UsageError, match="cannot be declared"):
        draft(system, "model", [])
