"""Every story is on the page of what people ask, and every test that the page names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "stories.md").read_text("utf-8")


def test_the_page_names_every_story_and_no_other() -> None:
    stories = {
        name
        for file in (ROOT / "tests" / "stories").glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
    }
    assert set(re.findall(r"`(test_\w+)`", PAGE)) == stories


def test_the_files_that_it_names_are_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`", PAGE)
    assert named
    assert all((ROOT / name).exists() for name in named)
