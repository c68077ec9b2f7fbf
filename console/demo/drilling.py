"""The drill of the demo: after the eleven days the order desk is paged for practice, by the command, as anybody would.

Types the command, and tells what is missing of what must come of it. What a drill is, is `console.drilling`'s.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import IO, Any, Final

from pydantic import TypeAdapter

from console.demo.handing import command_line, own_environment
from console.demo.stories import PRACTISED, RUNS_DRILLS, TAKES_DRILLS, Expected, Story
from console.drilling.holding import line_of
from console.keys import public_of, write_private_key
from seamwatch.clauses.drill.statement import Step
from seamwatch.judging.model.facts import DRILL

REPORT: Final = "order-agent-drill.html"
ANSWERS: Final = "drill-answers.yaml"
_SCENARIO: Final = "leaked-data"
_KEY: Final = "continuity.pem"
_KEY_ID: Final = "continuity-demo"
_DOCUMENT: Final = "continuity.yaml"
_WAIT: Final = "2m"
_SECONDS: Final = 240
_STEPS: Final = TypeAdapter(tuple[Step, ...])


def enrol(folder: Path, since: str) -> None:
    """Make the key of who holds drills, put its public part into their document, and lay the answers beside.

    ``since``: from when the key is valid, as documents write a time.
    """
    public = public_of(write_private_key(folder / _KEY))
    with (folder / "contracts" / _DOCUMENT).open("a", encoding="utf-8") as document:
        document.write(f"keys:\n  - {{key_id: {_KEY_ID}, public: {public}, not_before: {since}}}\n")
    (folder / ANSWERS).write_text((resources.files("console.demo") / "answers.yaml").read_text("utf-8"), "utf-8")


def practice(due: int) -> Story:
    """What must be seen of the drill: it pages, is taken on, and is over. ``due``: when it was begun (micros)."""
    contract, clause, system = PRACTISED
    expected = Expected(
        "told, taken on, worked through, signed", contract, clause, system, due, TAKES_DRILLS, severity=DRILL,
        resolves=True,
    )  # fmt: skip
    return Story("the drill", "nothing has happened: people practise", (expected,))


@dataclass(frozen=True, slots=True)
class Drilled:
    """The command as it was typed, its exit code, what it said, the report for machines, and what is missing of it."""

    command: str
    code: int
    said: tuple[str, ...]
    report: dict[str, Any] | None
    missing: str
    file: str = REPORT


class Drilling:
    """The command, from when it is started until it has ended or is ended."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        contract, clause, system = PRACTISED
        words = [
            "drill", system, "--as", RUNS_DRILLS, "--key", _KEY, "--clause", f"{contract}#{clause}",
            "--scenario", _SCENARIO, "--answers", ANSWERS, "--wait", _WAIT, "--out", REPORT, "--json", "--data", ".",
        ]  # fmt: skip
        self.command, argv = command_line(words)
        self._outputs = [_output(folder, "drill.out"), _output(folder, "drill.err")]
        self._until = time.monotonic() + _SECONDS
        self._process = subprocess.Popen(
            argv, cwd=folder, env=own_environment(environment), stdin=subprocess.DEVNULL,
            stdout=self._outputs[0], stderr=self._outputs[1],
        )  # fmt: skip

    def ended(self) -> Drilled | None:
        """What came of it once it has ended; None while it goes on."""
        if self._process.poll() is None:
            if time.monotonic() < self._until:
                return None
            self._process.kill()
            self._process.wait()
        printed, said = (_read(output) for output in self._outputs)
        return drilled(self.command, self._process.returncode, printed, said)

    def close(self) -> None:
        """End it, if it goes on."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        for output in self._outputs:
            output.close()


def drilled(command: str, code: int, printed: str, said: str) -> Drilled:
    """What came of a drill, by what the command printed for machines, and said for people."""
    told = [line for line in said.splitlines() if line.strip()]
    try:
        report = json.loads(printed)
    except ValueError:
        return Drilled(command, code, tuple(told), None, "it gave no report")
    steps = _STEPS.validate_python(report["steps"])
    told += [f"  {line_of(step)}" for step in steps]
    told.append(f"  {REPORT}: {report['report']}")
    return Drilled(command, code, tuple(told), report, _missing(code, report))


def _missing(code: int, report: Mapping[str, Any]) -> str:
    taken = report["taken"]
    if taken is None:
        return "nobody took it on"
    if taken["person"] != TAKES_DRILLS:
        return f"{taken['person']} took it on"
    if not report["passed"]:
        return "it did not pass"
    return "" if code == 0 else f"exit {code}"


def _output(folder: Path, name: str) -> IO[bytes]:
    return (folder / "logs" / name).open("w+b")


def _read(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read().decode("utf-8", "replace")
