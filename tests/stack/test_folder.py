"""A data folder belongs to one process, and keeps its secrets and ports."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from seamwatch.errors import LocalStackError
from stack.folder import DataFolder


def test_a_held_folder_is_refused_with_the_holder_named(tmp_path: Path) -> None:
    with DataFolder(tmp_path), pytest.raises(LocalStackError, match=rf"is held by process {os.getpid()} \("):
        DataFolder(tmp_path).hold()
    with DataFolder(tmp_path):
        pass


def test_a_folder_is_free_when_its_holder_was_killed(tmp_path: Path) -> None:
    hold = "import sys, time; from pathlib import Path; from stack.folder import DataFolder\n"
    hold += "held = DataFolder(Path(sys.argv[1])); held.hold(); print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(LocalStackError, match=f"process {other.pid}"):
            DataFolder(tmp_path).hold()
        other.kill()
    with DataFolder(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalStackError, match="name another with --data"):
        DataFolder(tmp_path / "file" / "data").hold()


def test_secrets_are_made_once_and_are_private(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    first = folder.password("writer")
    assert folder.password("writer") == first != folder.password("auditor")
    assert stat.S_IMODE(folder.secrets().stat().st_mode) == 0o600


def test_a_port_is_taken_again_while_it_is_free(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    port = folder.port("kafka", None)
    assert folder.port("kafka", None) == port
    with socket.create_server(("127.0.0.1", port)):
        assert folder.port("kafka", None) != port


def test_a_chosen_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(LocalStackError, match=f"Port {port}, set for kafka, is taken"):
            DataFolder(tmp_path).port("kafka", port)
