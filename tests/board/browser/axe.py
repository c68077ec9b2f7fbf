"""Accessibility: what axe-core finds wrong with a page by WCAG 2.2, levels A and AA."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

_AXE: Final = Path(__file__).with_name("vendor") / "axe.min.js"
_RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_OF_COLOURS: Final = ("color-contrast", "link-in-text-block")
"""The rules of those whose outcome the colours decide."""


def faults(page: Page, *, of_colours: bool = False) -> list[str]:
    """Each fault in a line: the rule, what it asks, and the first element that breaks it.

    ``of_colours``: only what another colour scheme could change, of a page that was looked at in one.
    """
    # Run in the page's own world by the debugger, so that the page's content security policy need not let it in.
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_AXE.read_text("utf-8"))
    only = {"type": "rule", "values": list(_OF_COLOURS)} if of_colours else {"type": "tag", "values": list(_RULES)}
    found: list[dict[str, Any]] = page.evaluate(
        "(only) => axe.run({runOnly: only}).then((result) => result.violations)", only
    )
    return [f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}" for each in found]
