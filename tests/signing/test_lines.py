"""Signature files: a line says what it said when it was written, and what is no line is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.documents import Contract
from seamwatch.documents.signing import (
    SignatureLine,
    parse_line,
    read_signatures,
    sign_document,
    write_signatures,
)
from seamwatch.errors import UsageError
from seamwatch.instants import format_instant

_NAMES = st.from_regex(r"[^\s\x00-\x1f#]{1,20}", fullmatch=True)
_VERSIONS = st.from_regex(r"[^\s\x00-\x1f@#]{1,10}", fullmatch=True)
_MOMENTS = st.integers(0, 4_000_000_000).map(lambda seconds: format_instant(seconds * 1_000_000)[:19] + "Z")
_LINES = st.builds(
    SignatureLine,
    st.just("Contract"),
    _NAMES,
    _VERSIONS,
    st.binary(min_size=32, max_size=32).map(bytes.hex),
    _NAMES,
    _NAMES,
    _MOMENTS,
    st.just("c2ln"),
)
DIGEST = "0" * 64


@given(_LINES)
def test_a_line_reads_back_as_it_was(line: SignatureLine) -> None:
    assert parse_line(str(line)) == line


@given(_LINES, _LINES)
def test_lines_that_differ_are_signed_differently(one: SignatureLine, other: SignatureLine) -> None:
    assert (one.message == other.message) == (one == other)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("ada signed", "it has 2 words, and a signature six"),
        (f"Contract/a {DIGEST} ada k 2026-03-02T10:00:00Z c2ln", "'Contract/a' names no document"),
        (f"a@1 {DIGEST} ada k 2026-03-02T10:00:00Z c2ln", "'a@1' names no document"),
        ("Contract/a@1 abc ada k 2026-03-02T10:00:00Z c2ln", "'abc' is no SHA-256"),
        (f"Contract/a@1 {DIGEST} ada k 2026-03-02 c2ln", "'2026-03-02' is no time"),
        (f"Contract/a@1 {DIGEST} ada k 2026-13-02T10:00:00Z c2ln", "'2026-13-02T10:00:00Z' is not a time"),
    ],
)
def test_what_is_no_line_is_named_with_its_place(tmp_path: Path, text: str, wrong: str) -> None:
    file = tmp_path / "x.yaml.sig"
    file.write_text(f"# who signed\n\n{text}\n")
    lines, problems = read_signatures(file)
    assert lines == []
    (problem,) = problems
    assert str(problem).startswith(f"{file}:3: is no signature: {wrong}")


def test_writing_replaces_a_persons_line_and_keeps_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml.sig"
    old = [f"Contract/{name}@1 {DIGEST} {who} k 2026-03-02T10:00:00Z c2ln" for name in "ab" for who in ("ada", "bea")]
    file.write_text("# kept\nnot a line\n" + "\n".join([*old, old[0]]) + "\n")
    new = parse_line(f"Contract/a@2 {DIGEST} ada k2 2026-03-03T10:00:00Z c2ln")
    write_signatures(file, [new, parse_line(f"Contract/c@1 {DIGEST} ada k 2026-03-02T10:00:00Z c2ln")])
    assert file.read_text().splitlines() == [
        "# kept", "not a line", str(new), *old[1:], f"Contract/c@1 {DIGEST} ada k 2026-03-02T10:00:00Z c2ln"
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["x.yaml.sig"]


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    line = parse_line(f"Contract/a@1 {DIGEST} ada k 2026-03-02T10:00:00Z c2ln")
    with pytest.raises(UsageError, match="cannot be written"):
        write_signatures(tmp_path / "absent" / "x.yaml.sig", [line])


def test_no_signature_file_is_no_signature(tmp_path: Path) -> None:
    assert read_signatures(tmp_path / "x.yaml.sig") == ([], [])


def test_the_time_of_signing_is_kept_to_the_second() -> None:
    contract = Contract.model_validate(
        {
            "kind": "Contract", "id": "pact", "version": "1", "seam": "operations", "covers": ["*"],
            "parties": {"provider": {}, "consumer": {}}, "clauses": [{"id": "approval", "kind": "approval"}],
        }
    )  # fmt: skip
    line = sign_document(contract, "ada", "k", bytes(range(32)), 1_772_445_600_999_999)
    assert (line.signed_at, line.at, line.digest) == ("2026-03-02T10:00:00Z", 1_772_445_600_000_000, contract.digest)
