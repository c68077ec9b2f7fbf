"""Keeps processes running: starts them, starts again those that die, ends them all in a known time.

A unit that dies is started again after a pause that doubles up to 30 s and is forgotten after a healthy minute. Knows
nothing of what its units do.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final, Protocol

from seamwatch.durations import SECOND, format_duration
from seamwatch.errors import LocalStackError
from seamwatch.outages import RESTARTS, RESTARTS_WITHIN
from stack.folder import cannot_write
from stack.processes import end, last_lines, spawn

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
HEALTHY_AFTER: Final = 60.0
RESTARTS_KEPT: Final = 100
_WAIT: Final = 1.0
_TICK: Final = 0.2

Say = Callable[[str], None]


class Unit(Protocol):
    """A process that is kept running."""

    @property
    def name(self) -> str:
        """What a person calls it."""
        ...

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The process, once it was started."""
        ...

    @property
    def log(self) -> Path:
        """The file it writes to."""
        ...

    def start(self) -> None:
        """Start it, or start it again. Raises LocalStackError."""
        ...


@dataclass(slots=True)
class Stage:
    """A stage of the pipeline as a process of its own.

    Its log goes to a file; what it prints (the pages of the console channel) goes to the file ``prints``, to our own
    standard output when that is None.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    prints: Path | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start the stage; what it logs and prints is added to its files. Raises LocalStackError."""
        try:
            with contextlib.ExitStack() as files:
                log = files.enter_context(self.log.open("ab"))
                prints = files.enter_context(self.prints.open("ab")) if self.prints is not None else None
                self.process = spawn(self.command, environment=self.environment, stdout=prints, stderr=log)
        except OSError as error:
            raise cannot_write(self.log, error) from error


@dataclass(slots=True)
class _Watch:
    unit: Unit
    pause: float = FIRST_PAUSE
    started: float = 0.0
    due: float | None = None
    waits_for: str | None = None
    restarts: deque[float] = field(default_factory=lambda: deque(maxlen=RESTARTS_KEPT))


class Stopped(BaseException):
    """A signal asked this process to end. Not an Exception, so that nothing on the way takes it for an error."""


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into ``Stopped``; later ones are ignored, so that the end is orderly.

    Call in the main thread.
    """
    asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(number: int, _frame: FrameType | None) -> None:
        for each in asked:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(signal.Signals(number).name)

    before = {each: signal.signal(each, stop) for each in asked}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class Supervisor:
    """Watches units from one thread, which must live as long as they do."""

    def __init__(
        self,
        say: Say,
        changed: Callable[[Mapping[str, int]], None],
        waits_for: Callable[[Unit], str | None] = lambda _unit: None,
    ) -> None:
        """``waits_for`` says what a unit that is to be started again has to wait for, in words; None for nothing."""
        self._say = say
        self._changed = changed
        self._waits_for = waits_for
        self._watched: dict[str, _Watch] = {}

    def watch(self, unit: Unit) -> None:
        """Keep a unit running from now on, starting it if it was not started."""
        watch = _Watch(unit)
        if unit.process is None:
            unit.start()
        watch.started = time.monotonic()
        self._watched[unit.name] = watch

    def pids(self) -> dict[str, int]:
        """Process ids by name, of those that run."""
        return {
            name: watch.unit.process.pid
            for name, watch in self._watched.items()
            if watch.unit.process is not None and watch.unit.process.poll() is None
        }

    def restarts(self) -> dict[str, list[float]]:
        """When units were last started again, in seconds since the epoch, by name; of those that were."""
        return {name: list(watch.restarts) for name, watch in self._watched.items() if watch.restarts}

    def run(self, tick: Callable[[], None] = lambda: None) -> None:
        """Watch until an exception (``Stopped``) ends it; ``tick`` is called about five times a second."""
        self._changed(self.pids())
        while True:
            now = time.monotonic()
            changes = [self._look(watch, now) for watch in self._watched.values()]
            if any(changes):
                self._changed(self.pids())
            tick()
            time.sleep(_TICK)

    def end(self, names: Sequence[str], *, seconds: float) -> None:
        """End some units, all at once, and kill those still there after ``seconds``."""
        processes = [watch.unit.process for name in names if (watch := self._watched.pop(name, None)) is not None]
        end([process for process in processes if process is not None], seconds=seconds)

    def _look(self, watch: _Watch, now: float) -> bool:
        """One look at a unit; True when its process changed."""
        process = watch.unit.process
        if watch.due is not None:
            if now < watch.due:
                return False
            return self._may_start(watch, now) and self._start_again(watch, now)
        if process is None or process.poll() is None:
            if now - watch.started > HEALTHY_AFTER:
                watch.pause = FIRST_PAUSE
            return False
        self._say(
            f"{watch.unit.name} (process {process.pid}) {_ending(process.returncode)}; "
            f"starting it again in {watch.pause:g} s, its log is {watch.unit.log}"
        )
        if process.returncode > 0 and (tail := last_lines(watch.unit.log, 1)):
            self._say(f"  {tail[:300]}")
        watch.due = now + watch.pause
        watch.pause = min(watch.pause * 2, LONGEST_PAUSE)
        return True

    def _may_start(self, watch: _Watch, now: float) -> bool:
        why = self._waits_for(watch.unit)
        if why is not None and why != watch.waits_for:
            self._say(f"{watch.unit.name} is started again when it can be: {why}")
        if why is None and watch.waits_for is not None:
            watch.pause = FIRST_PAUSE
        watch.waits_for = why
        if why is not None:
            watch.due = now + _WAIT
        return why is None

    def _start_again(self, watch: _Watch, now: float) -> bool:
        try:
            watch.unit.start()
        except LocalStackError as error:
            self._say(f"{watch.unit.name} could not be started: {error}; trying again in {watch.pause:g} s")
            watch.due = now + watch.pause
            watch.pause = min(watch.pause * 2, LONGEST_PAUSE)
            return False
        watch.due, watch.started = None, now
        watch.restarts.append(time.time())
        assert watch.unit.process is not None
        often = _often(watch.restarts)
        self._say(f"{watch.unit.name} runs again (process {watch.unit.process.pid}){often}")
        return True


def _often(restarts: Sequence[float]) -> str:
    """That something starts over and over, in words; empty when it does not."""
    count = sum(at > time.time() - RESTARTS_WITHIN / SECOND for at in restarts)
    within = format_duration(RESTARTS_WITHIN)
    return f"; it has been started again {count} times within {within}" if count >= RESTARTS else ""


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
