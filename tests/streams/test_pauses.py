"""A process that is stopped for longer than its session, and goes on when another has taken over, changes nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

from tests.streams.stages import ROOT, Scene, wait_until


@contextlib.contextmanager
def ticking(scene: Scene, instance: str) -> Iterator[subprocess.Popen[bytes]]:
    """A loop that reads one topic and writes another without any message."""
    names = (scene.topics.measurement, scene.topics.notice)
    command = [sys.executable, "-m", "tests.streams.ticking", scene.kafka, f"{scene.prefix}.ticking", instance, *names]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_round_without_messages_is_refused_of_a_process_that_is_out(scene: Scene) -> None:
    def said() -> list[bytes]:
        return scene.read(scene.topics.notice)

    with ticking(scene, "a") as paused:
        wait_until(lambda: len(said()) > 5, 40, "the first loop")
        paused.send_signal(signal.SIGUSR1)
        _, status = os.waitpid(paused.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        with ticking(scene, "b"):
            wait_until(lambda: said()[-1] == b"b/1", 40, "the second loop")
            paused.send_signal(signal.SIGCONT)
            # It ends when it is refused, or hears first that it is out, and joins again.
            wait_until(lambda: paused.poll() is not None or b"a/2" in said(), 40, "the first loop to notice")
            before = len(said())
            wait_until(lambda: len(said()) > before + 5, 40, "the second loop to go on")
    heard = said()
    assert b"a/1" not in heard[heard.index(b"b/1") :]
