"""Child processes that never outlive their parent, and that end in a known time.

On Linux the kernel kills a child when its parent is gone, however it went; elsewhere an orderly end must do.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

_CLIENT = re.compile(r"%\d\|")

# Runs before the real program: asks for the parent's death to be its own, then becomes the program. A process of its
# own and no preexec_fn, which may deadlock in a parent with threads.
_TETHER = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the parent is gone")
os.execvp(sys.argv[2], sys.argv[2:])
"""


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    stdout: IO[bytes] | int | None = None,
    stderr: IO[bytes] | int | None = None,
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program that dies with this process, and that a Ctrl-C at the terminal does not reach.

    The kernel ties it to the calling *thread*: call it from one that lives as long as the child should.
    """
    tethered = [sys.executable, "-I", "-S", "-c", _TETHER, str(os.getpid()), *command]
    return subprocess.Popen(
        tethered,
        env=None if environment is None else dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        cwd=folder,
        start_new_session=True,
    )


def end(processes: Iterable[subprocess.Popen[bytes]], *, seconds: float) -> None:
    """Ask all of them to end, all at once, and kill those that are still there after ``seconds``."""
    running = [process for process in processes if process.poll() is None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + seconds
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
    for process in running:
        process.wait()


def last_lines(log: Path, count: int = 5) -> str:
    """The last lines of a log file, for an error message; empty when there is none.

    What Kafka's client says of its connections in between is left out: it hides what the process ended with.
    """
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 16_384))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "\n".join([line for line in lines if not _CLIENT.match(line)][-count:])
