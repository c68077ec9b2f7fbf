"""Accessibility: what axe-core finds wrong with a page by WCAG 2.2, levels A and AA."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

_AXE: Final = Path(__file__).with_name("vendor") / "axe.min.js"
_RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def faults(page: Page) -> list[str]:
    """Each fault in a line: the rule, what it asks, and the first element that breaks it."""
    # Run in the page's own world by the debugger, so that the page's content security policy need not let it in.
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_AXE.read_text("utf-8"))
    found: list[dict[str, Any]] = page.evaluate(
        "(tags) => axe.run({runOnly: {type: 'tag', values: tags}}).then((result) => result.violations)", list(_RULES)
    )
    return [f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}" for each in found]
