"""A real Alertmanager for the tests: Debian's, or one that SEAMWATCH_TEST_ALERTMANAGER names.

Where none can be had, the tests that need it fail, and say by which command it comes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_NAMES: Final = ("prometheus-alertmanager", "alertmanager")
_INSTALL: Final = (
    ("apt-get", "update"),
    ("apt-get", "install", "--yes", "--no-install-recommends", "prometheus-alertmanager"),
)
_CONFIGURATION: Final = """
route: {receiver: nobody, group_by: [violation_id], group_wait: 0s, group_interval: 1s}
receivers: [{name: nobody}]
"""


def found() -> str:
    """The path of an Alertmanager, which is installed where that can be done. Fails, with what to do, without one."""
    path = _path()
    if path is None and os.geteuid() == 0 and shutil.which("apt-get"):
        # In runlevel 1 no service is started: the tests have one of their own.
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for command in _INSTALL:
            subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)
        path = _path()
    assert path is not None, (
        "the tests of the Alertmanager channel need one, and there is none: install it (Debian: `sudo apt-get install "
        "prometheus-alertmanager`), or name one by SEAMWATCH_TEST_ALERTMANAGER"
    )
    return path


def _path() -> str | None:
    named = os.environ.get("SEAMWATCH_TEST_ALERTMANAGER")
    return named or next((path for name in _NAMES if (path := shutil.which(name))), None)


@contextlib.contextmanager
def alertmanager(folder: Path) -> Iterator[str]:
    """An Alertmanager on loopback that tells nobody; gives ``127.0.0.1:port``."""
    program, port = found(), _free_port()
    configuration = folder / "alertmanager.yml"
    configuration.write_text(_CONFIGURATION)
    process = subprocess.Popen(
        [
            program, f"--config.file={configuration}", f"--storage.path={folder}", "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _await(f"http://127.0.0.1:{port}/-/ready")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _await(url: str) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError("the Alertmanager did not start within 30 s")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        return int(made.getsockname()[1])
