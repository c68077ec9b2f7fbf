"""Programs of Debian's that tests run for real: what an environment variable names, else what is on the path.

Where one is missing it is installed, when that can be done. Where it cannot, the tests that need it fail, and say by
which command it comes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence


def program(names: Sequence[str], package: str, variable: str) -> str:
    """The path of a program, by one of its names, the package it is in, and the variable that may name another."""
    path = _path(names, variable)
    if path is None and os.geteuid() == 0 and shutil.which("apt-get"):
        # In runlevel 1 no service is started: the tests have one of their own.
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for command in (["update"], ["install", "--yes", "--no-install-recommends", package]):
            subprocess.run(["apt-get", *command], check=False, env=environment, stdout=subprocess.DEVNULL)
        path = _path(names, variable)
    assert path is not None, (
        f"these tests need {names[0]}, and there is none: install it (Debian: `sudo apt-get install {package}`), "
        f"or name one by {variable}"
    )
    return path


def _path(names: Sequence[str], variable: str) -> str | None:
    return os.environ.get(variable) or next((path for name in names if (path := shutil.which(name))), None)
