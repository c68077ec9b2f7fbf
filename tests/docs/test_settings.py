"""Every setting is told to those who operate Seamwatch, by the name that its variable has."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import AliasChoices

from seamwatch.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_a_setting_is_on_the_page_of_operations(name: str) -> None:
    alias = Settings.model_fields[name].validation_alias
    variable = alias.choices[0] if isinstance(alias, AliasChoices) else f"SEAMWATCH_{name.upper()}"
    assert f"`{variable}`" in PAGE.read_text("utf-8")
