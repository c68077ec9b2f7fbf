"""Every setting is told to those who operate Seamwatch, by the name that its variable has."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import AliasChoices

from seamwatch.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
PAGES = "".join(
    (DOCS / page).read_text("utf-8") for page in ("operations.md", "connections.md", "board.md", "replies.md")
)


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_a_setting_is_on_a_page_for_those_who_operate(name: str) -> None:
    alias = Settings.model_fields[name].validation_alias
    variable = alias.choices[0] if isinstance(alias, AliasChoices) else f"SEAMWATCH_{name.upper()}"
    assert f"`{variable}`" in PAGES
