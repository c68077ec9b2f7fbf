"""A real Alertmanager for the tests: one that is installed, else that of Debian's package, unpacked beside.

Where neither can be had, the tests that need it fail, and say by which command it comes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_NAMES: Final = ("prometheus-alertmanager", "alertmanager")
_CONFIGURATION: Final = """
route: {receiver: nobody, group_by: [violation_id], group_wait: 0s, group_interval: 1s}
receivers: [{name: nobody}]
"""


def found() -> str:
    """The path of an Alertmanager. Fails, with what to do, where there is none."""
    if named := os.environ.get("SEAMWATCH_TEST_ALERTMANAGER"):
        return named
    if path := next((path for name in _NAMES if (path := shutil.which(name))), None):
        return path
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seamwatch" / "alertmanager"
    unpacked = home / "usr" / "bin" / _NAMES[0]
    if not unpacked.exists():
        _unpack(home)
    assert unpacked.exists(), (
        "the tests of the Alertmanager channel need one, and there is none: install it (Debian: `sudo apt-get install "
        "prometheus-alertmanager`), or name one by SEAMWATCH_TEST_ALERTMANAGER"
    )
    return str(unpacked)


def _unpack(home: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        download = ["apt-get", "download", "prometheus-alertmanager"]
        if subprocess.run(download, cwd=folder, check=False, capture_output=True).returncode and os.geteuid() == 0:
            subprocess.run(["apt-get", "update"], check=False, capture_output=True)
            subprocess.run(download, cwd=folder, check=False, capture_output=True)
        home.mkdir(parents=True, exist_ok=True)
        for package in Path(folder).glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(home)], check=True)


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
