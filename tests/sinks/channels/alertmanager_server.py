"""A real Alertmanager for the tests: Debian's, or one that SEAMWATCH_TEST_ALERTMANAGER names.

Where none can be had, the tests that need it fail, and say by which command it comes.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.debian import program
from tests.waiting import PATIENCE, wait_for

_NAMES: Final = ("prometheus-alertmanager", "alertmanager")
_CONFIGURATION: Final = """
route: {receiver: nobody, group_by: [violation_id], group_wait: 0s, group_interval: 1s}
receivers: [{name: nobody}]
"""


def found() -> str:
    """The path of an Alertmanager, which is installed where that can be done. Fails, with what to do, without one."""
    return program(_NAMES, "prometheus-alertmanager", "SEAMWATCH_TEST_ALERTMANAGER")


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
        process.wait(PATIENCE)


def _await(url: str) -> None:
    wait_for(lambda: _answers(url), "the Alertmanager")


def _answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
        return True
    return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        return int(made.getsockname()[1])
