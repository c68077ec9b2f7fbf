"""Secrets come from files, several for a rotation; what is none is told by the variable, never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from replies.verifying import secrets_of, standard_secrets_of, token_of
from seamwatch.errors import UsageError

FIRST, SECOND = "one-secret-of-a-rotation", "the-next-secret-of-it"


def written(folder: Path, text: str) -> Path:
    file = folder / "secret"
    file.write_text(text)
    return file


def test_one_a_line_and_comments_say_nothing(tmp_path: Path) -> None:
    file = written(tmp_path, f"# until March\n{FIRST}\n\n  {SECOND}  \n")
    assert secrets_of(file, "V") == (FIRST.encode(), SECOND.encode())
    assert token_of(written(tmp_path, f"{FIRST}\n"), "V") == FIRST


def test_those_of_standard_webhooks_are_base64(tmp_path: Path) -> None:
    file = written(tmp_path, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\nMfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    first, second = standard_secrets_of(file, "V")
    assert first == second
    assert len(first) == 24


@pytest.mark.parametrize("text", ["", "# none\n", "short\n", f"{FIRST}\nshort\n"])
def test_a_file_without_a_usable_secret_is_told_without_showing_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"^V=") as error:
        secrets_of(written(tmp_path, text), "V")
    assert "short" not in str(error.value)


def test_what_is_no_base64_and_what_is_more_than_a_token_is_told(tmp_path: Path) -> None:
    file = written(tmp_path, f"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\nwhsec_{FIRST}!\n")
    with pytest.raises(UsageError, match="secret 2 is not whsec_<base64>") as error:
        standard_secrets_of(file, "V")
    assert FIRST not in str(error.value)
    with pytest.raises(UsageError, match="one token"):
        token_of(written(tmp_path, f"{FIRST}\n{SECOND}\n"), "V")
    with pytest.raises(UsageError, match="cannot be read"):
        secrets_of(tmp_path / "missing", "V")
