"""The browser that tests drive: Debian's Chromium, or one that SEAMWATCH_TEST_BROWSER names.

Run as a program it sees to it that there is one, and prints where; `make test` does so first.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_INSTALL: Final = (("apt-get", "update"), ("apt-get", "install", "--yes", "--no-install-recommends", "chromium"))


def found(environment: Mapping[str, str] = os.environ) -> str | None:
    """The path of a browser; None where there is none."""
    named = environment.get("SEAMWATCH_TEST_BROWSER")
    return named or next((path for name in _NAMES if (path := shutil.which(name))), None)


def main() -> int:
    """Find a browser, or install Debian's as root; else say by which command one comes."""
    if found() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("seamwatch: installing Chromium, which the tests of the board drive", flush=True)
        for command in _INSTALL:
            quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
            subprocess.run(command, check=False, **quiet)  # type: ignore[call-overload]
    if (path := found()) is None:
        print(
            "seamwatch: the tests of the board drive Chromium, and there is none: install it (Debian: `sudo apt-get "
            "install chromium`), or name another browser of its kind by SEAMWATCH_TEST_BROWSER",
            file=sys.stderr,
        )
        return 3
    print(f"seamwatch: tests of the board drive {path}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
