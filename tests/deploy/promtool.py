"""Debian's promtool, as the tests ask it: what it says of files, and whether it is content."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.debian import program


def promtool(*arguments: str, folder: Path, given: str = "") -> tuple[bool, str]:
    """Whether it is content with its files, or what it is ``given``, and all that it says."""
    path = program(["promtool"], "prometheus", "SEAMWATCH_TEST_PROMTOOL")
    done = subprocess.run(
        [path, *arguments],
        cwd=folder,
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode == 0, done.stdout
