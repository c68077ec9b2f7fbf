"""Every setting is told to those who operate Seamwatch, by the name that its variable has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import AliasChoices

from seamwatch.durations import parse_duration
from seamwatch.settings import Settings, load_settings

DOCS = Path(__file__).parents[2] / "docs"
PAGES = "".join(
    (DOCS / page).read_text("utf-8") for page in ("operations.md", "connections.md", "board.md", "replies.md")
)


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_a_setting_is_on_a_page_for_those_who_operate(name: str) -> None:
    alias = Settings.model_fields[name].validation_alias
    variable = alias.choices[0] if isinstance(alias, AliasChoices) else f"SEAMWATCH_{name.upper()}"
    assert f"`{variable}`" in PAGES


_ROW = re.compile(r"^\| `(SEAMWATCH_\w+)` \|(.*)$", re.MULTILINE)
_DURATION = re.compile(r"`(\d+(?:ms|s|m|h|d|w))`")
TOLD = sorted({(variable, said) for variable, row in _ROW.findall(PAGES) for said in _DURATION.findall(row)})


@pytest.mark.parametrize(("variable", "said"), TOLD)
def test_each_duration_that_a_setting_is_said_to_take_is_taken(
    variable: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, said)
    settings = load_settings()
    taken = getattr(settings, variable.removeprefix("SEAMWATCH_").lower())
    assert taken == (0 if said == "0s" else parse_duration(said))


def test_one_that_may_be_never_is_among_them() -> None:
    assert ("SEAMWATCH_PAGE_AGAIN_EVERY", "0s") in TOLD
