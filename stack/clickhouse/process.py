"""Starts and stops the local ClickHouse server (``stack.clickhouse.server``) as a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from seamwatch.errors import LocalStackError
from stack.folder import cannot_write
from stack.processes import end, last_lines, spawn

START_SECONDS: Final = 60.0


@dataclass(slots=True)
class ClickHouseServer:
    """One server over one folder. ``start`` and ``wait`` are apart so that servers can start side by side."""

    folder: Path
    logs: Path
    secrets: Path
    port: int
    name: str = field(default="ClickHouse", init=False)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """The file that the server logs to."""
        return self.logs / "clickhouse.log"

    def start(self) -> None:
        """Start the server. Raises LocalStackError when its files cannot be written."""
        command = [sys.executable, "-m", "stack.clickhouse.server", "--path", str(self.folder)]
        command += ["--port", str(self.port), "--secrets", str(self.secrets)]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self.log.open("ab") as log:
                self.process = spawn(command, stdout=log, stderr=log)
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Return when the server answers. Raises LocalStackError with the log's last lines."""
        assert self.process is not None
        deadline = time.monotonic() + seconds
        while True:
            if self.process.poll() is not None:
                raise self._failed(f"ended with status {self.process.returncode} before it answered")
            if _answers(self.address):
                return
            if time.monotonic() > deadline:
                self.stop()
                raise self._failed(f"did not answer on {self.address} within {seconds:.0f} s")
            time.sleep(0.05)

    def stop(self, seconds: float = 5.0) -> None:
        """End the server; kill it when it takes longer than ``seconds``."""
        if self.process is not None:
            end([self.process], seconds=seconds)
            self.process = None

    def _failed(self, what: str) -> LocalStackError:
        return LocalStackError(
            f"The local ClickHouse {what}. Its log is {self.log}; the last of it:\n{last_lines(self.log)}"
        )


def _answers(address: str) -> bool:
    try:
        # Plain HTTP without a proxy: the address is on loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{address}/ping", timeout=2) as answer:
            return bool(answer.read() == b"Ok.\n")
    except (OSError, urllib.error.URLError):
        return False
