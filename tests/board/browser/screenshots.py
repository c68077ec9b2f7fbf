"""Screenshots of the board over the demo's eleven days, for the docs: `make screenshots` writes docs/screenshots.

Plays the demo, starts the system again on what it kept, signs in as somebody of the demo, and takes each page.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from tests.board.browser.chromium import found
from tests.waiting import PATIENCE

FOLDER: Final = Path(__file__).parents[3] / "docs" / "screenshots"
_COMMAND: Final = (sys.executable, "-m", "console.app")
_PHONE: Final = {"width": 390, "height": 844}
_DESK: Final = {"width": 1280, "height": 900}
_START_SECONDS: Final = 90


class Shot(NamedTuple):
    """One picture: the page, as whom, and how. ``steps``: the links that are followed from there."""

    name: str
    path: str
    person: str | None = None
    size: dict[str, int] = _DESK
    scheme: str = "light"
    steps: tuple[str, ...] = ()


SHOTS: Final = (
    Shot("on-call", "/?whose=all", "feed-owner@example.org"),
    Shot("on-call-phone", "/?whose=all", "feed-owner@example.org", _PHONE, "dark"),
    Shot("episode", "/?whose=all", "eligibility-lead@example.org", steps=("article h2 a",)),
    Shot("system", "/systems/credit-model", "credit-lead@example.org"),
    Shot("card", "/systems/credit-model/card", "credit-lead@example.org"),
    Shot("contract", "/contracts/credit-limits", "credit-lead@example.org"),
    Shot("inventory", "/inventory"),
    Shot("changes", "/changes", "credit-lead@example.org"),
    Shot("drift", "/drift"),
    Shot("compliance", "/compliance"),
    Shot("audit", "/audit"),
)


def main() -> None:
    """Play, start, take."""
    path = found()
    if path is None:
        sys.exit("seamwatch: no browser: run `make browser`")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="seamwatch-screenshots-") as temporary:
        print("playing the demo, which takes a minute", flush=True)
        subprocess.run(
            [*_COMMAND, "demo", "--keep", "--json"], env={**os.environ, "TMPDIR": temporary}, check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        (data,) = Path(temporary).glob("seamwatch-demo-*")
        with _up(data), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=False)
            for shot in SHOTS:
                _take(browser, data, shot)
            browser.close()


@contextmanager
def _up(data: Path) -> Iterator[None]:
    output = (data / "up.log").open("wb")
    process = subprocess.Popen([*_COMMAND, "up", "--data", str(data)], stdout=output, stderr=output)
    try:
        until = time.monotonic() + _START_SECONDS
        while b"sign in" not in (data / "up.log").read_bytes():
            if process.poll() is not None or time.monotonic() > until:
                sys.exit((data / "up.log").read_text())
            time.sleep(0.2)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        output.close()


def _take(browser: Browser, data: Path, shot: Shot) -> None:
    size: Any = shot.size
    scheme: Any = shot.scheme
    context = browser.new_context(viewport=size, color_scheme=scheme, timezone_id="UTC", locale="en-GB")
    page = context.new_page()
    link = subprocess.run(
        [*_COMMAND, "board-link", "--data", str(data)], capture_output=True, text=True, check=True
    ).stdout.strip()
    page.goto(link)
    base = page.url.rstrip("/")
    if shot.person is not None:
        page.locator(".become summary").click()
        page.select_option("#person", shot.person)
        page.get_by_role("button", name="Go on").click()
    page.goto(base + shot.path)
    _settled(page)
    for step in shot.steps:
        page.locator(step).first.click()
        _settled(page)
    page.screenshot(path=FOLDER / f"{shot.name}.png", full_page=False)
    print(f"docs/screenshots/{shot.name}.png", flush=True)
    context.close()


def _settled(page: Page) -> None:
    """Wait until every part has come in."""
    page.wait_for_timeout(800)
    page.wait_for_function("() => !document.querySelector('.skeleton')", timeout=15_000)


if __name__ == "__main__":
    main()
