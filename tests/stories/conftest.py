"""One running estate for all stories: what people agreed, a day of events, and what the commands say of it.

Everything goes through the real doors: `seamwatch up` on servers of its own, `emit`, and the commands that people use.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from typer.testing import CliRunner

from console.app import build
from seamwatch.errors import SeamwatchError
from seamwatch.instants import format_instant
from seamwatch.testing import event_id
from tests.board.browser.chromium import found
from tests.stories import lending
from tests.streams.page.receiver import Receiver, receiving
from tests.waiting import PATIENCE, wait_for

_ELSEWHERE = ("KAFKA_BOOTSTRAP_SERVERS", "CLICKHOUSE_URL", "SEAMWATCH_DATA", "SEAMWATCH_PREFIX")
"""What would name another system than the estate's."""
MINUTE = 60_000_000
HOUR = 60 * MINUTE

PEOPLE = "\n---\n".join(
    f"apiVersion: seamwatch/v1\nkind: Person\nid: {name}@example.org\nname: Example {name}"
    for name in ("owner", "lead", "reviewer", "product")
)
SYSTEMS = """
---
kind: System
apiVersion: seamwatch/v1
id: features
type: dataset
owner: owner@example.org
review: {every: 4h, by: owner@example.org}
---
{kind: System, apiVersion: seamwatch/v1, id: archive, type: dataset, owner: owner@example.org}
---
kind: System
apiVersion: seamwatch/v1
id: scorer
type: model
owner: lead@example.org
use_cases: [credit]
runbook: ask the lead
versions:
  - version: "1"
    approvals: [{id: CR-1, use_case: credit, approved_by: reviewer@example.org, approved_at: 2026-01-01}]
---
{kind: System, apiVersion: seamwatch/v1, id: helper, type: agent, owner: lead@example.org}
"""
CONTRACT = """---
apiVersion: seamwatch/v1
kind: Contract
id: %s
version: "1"
seam: data-to-model
covers: %s
parties:
  provider: {team: data, signatory: owner@example.org}
  consumer: {team: models, signatory: lead@example.org}
escalation: [{person: owner@example.org, acknowledge_within: 1h}]
clauses:
"""
FEED = """  - {id: fresh, kind: freshness, max_lag: 3h}
  - {id: who, kind: representation, shares: {north: [0.1, 1], south: [0, 0.6]}}
  - {id: sources, kind: lineage, exclude: [partner-legacy], attested: true, by: owner@example.org}
"""
KEPT = "  - {id: rows, kind: volume, of: dataset, min: 1, per: 2h}\n"
MEANING = """  - {id: valid, kind: range, min: 0, max: 1}
  - {id: means, kind: calibration, max_error: 0.1, min_outcomes: 200, by: none}
  - {id: auc, kind: benchmark, metric: auc, min: 0.8, every: 4h, by: lead@example.org}
  - {id: looked-at, kind: review, every: 4h, by: reviewer@example.org}
  - {id: approved, kind: approval}
"""
PACT = """  - {id: tools, kind: scope, tools: [{tool: pay}, {tool: find}, {tool: ask}]}
  - {id: few, kind: rate, max: 3, per: trace, tool: pay}
  - {id: person, kind: escalation, when: confidence < 0.5, to: ask}
  - {id: permissions, kind: review, every: 4h, by: reviewer@example.org}
"""
CONTRACTS = (
    ("feed", "[features]", FEED), ("kept", "[archive]", KEPT), ("meaning", "[scorer]", MEANING),
    ("pact", "[helper]", PACT),
)  # fmt: skip


@dataclass(frozen=True)
class Estate:
    """The running estate; ``began`` is the time (micros) from which its ten hours of events run."""

    data: Path
    contracts: Path
    began: int
    key: Path  # the modeller's
    service: Receiver  # takes what the lender's people are sent

    def pages(self, person: str) -> list[str]:
        """What a person of the lender was sent so far, in order."""
        return self.service.bodies(person)

    def emit(self, **event: Any) -> None:
        """Publish one event of now."""
        line = json.dumps({"event_time": format_instant(time.time_ns() // 1_000), **event})
        command = [sys.executable, "-m", "console.app", "emit", "-", "--data", str(self.data)]
        subprocess.run(
            command, input=line, env=_environment(), text=True, check=True, capture_output=True, timeout=PATIENCE
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command, as somebody types it."""
        return command(*arguments, "--data", str(self.data))

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """What a command says with --json, one object a line; asked within this process, since it is asked often."""
        said = [*arguments, "--data", str(self.data), "--json"]
        done = CliRunner(env=dict.fromkeys(_ELSEWHERE)).invoke(build(), said)
        error = done.exception
        assert error is None or isinstance(error, SystemExit | SeamwatchError), done.exc_info
        code = error.exit_code if isinstance(error, SeamwatchError) else done.exit_code
        assert code in (0, 1), error or done.output
        return [json.loads(line) for line in done.stdout.splitlines()]

    def violations(self, clause: str, system: str | None = None) -> list[dict[str, Any]]:
        """The episodes of a clause."""
        found = self.rows("violations", *(() if system is None else ("--system", system)))
        return [row for row in found if row["clause"] == clause]

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for a condition."""
        wait_for(holds, what, every=0.2)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command, as somebody types it who names the estate themselves or needs none."""
    return subprocess.run(
        [sys.executable, "-m", "console.app", *arguments],
        env=_environment(), capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}


def _events(began: int) -> Iterator[dict[str, Any]]:
    """Ten hours: a feed that goes wrong, a model that goes wrong at the end, and an agent that goes too far."""

    def event(kind: str, system: str, minute: float, name: str, **fields: Any) -> dict[str, Any]:
        at = format_instant(began + round(minute * MINUTE))
        return {"type": kind, "event_id": event_id(name), "event_time": at, "system": system, **fields}

    def refresh(hour: float, sources: list[str], **cohorts: int) -> dict[str, Any]:
        counts = [{"cohort": cohort, "count": count} for cohort, count in cohorts.items()]
        at = format_instant(began + round(hour * HOUR))
        return event(
            "dataset_refresh", "features", hour * 60, f"r{hour}", data_as_of=at, row_count=1_000, sources=sources,
            cohorts=counts, attested_by="owner@example.org",
        )  # fmt: skip

    yield refresh(0.5, ["core"], north=500, south=500)
    yield refresh(2, ["core"], north=1_000)
    yield refresh(4, ["core", "Partner-Legacy "])
    serves = {"version": "1", "use_case": "credit", "subject": "s1"}
    for number in range(60):
        talk = {"trace_id": "talk-2"} if number == 12 else {}
        score = 1.4 if number == 30 else 0.4
        yield event("inference", "scorer", 1 + 8 * number, f"d{number}", score=score, **talk, **serves)
    yield event("inference", "Scorer", 70, "stray", score=0.4, **serves)
    for number in range(2_200):
        # Of the first two thousand nine in ten come true, as said; of the last two hundred every other one.
        true = number % 10 < 9 if number < 2_000 else number % 2
        yield event(
            "outcome", "scorer", 60 + number / 10, f"o{number}", inference_id=event_id("unknown"), score=0.9,
            label=float(true), observed_at=format_instant(began + round((60 + number / 10) * MINUTE)),
        )  # fmt: skip
    for number, tool in enumerate(["find", "pay", "pay", "pay", "pay", "erase", "find"]):
        yield event(
            "tool_call", "helper", 100 + number, f"c{number}", version="1", tool=tool, arguments="{}",
            decision="allowed", trace_id="talk-1", confidence=0.3 if number == 6 else 0.9,
        )  # fmt: skip
    yield event(
        "tool_call", "helper", 98, "after d12", version="1", tool="find", arguments="{}", decision="allowed",
        trace_id="talk-2", parent_id=event_id("d12"), confidence=0.9,
    )  # fmt: skip


EXPECTED = {
    ("fresh", "features"), ("who", "features"), ("sources", "features"), ("rows", "archive"), ("valid", "scorer"),
    ("means", "scorer"), ("auc", "scorer"), ("looked-at", "scorer"), ("tools", "helper"), ("few", "helper"),
    ("person", "helper"), ("approval", "Scorer"), ("permissions", "helper"), ("review", "features"),
}  # fmt: skip


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A real browser for all stories; each opens a context of its own in it.

    It ends with them: while it runs, so does an event loop in this thread, which others want for theirs.
    """
    from playwright.sync_api import expect, sync_playwright

    path = found()
    assert path is not None, "there is no browser: run `make browser`"
    expect.set_options(timeout=PATIENCE * 1_000)
    with sync_playwright() as playwright:
        # As root, as containers run tests, Chromium has no sandbox; it opens our own pages alone.
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=False)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """The estate, up and with all its events judged, until the last story is told."""
    folder = tmp_path_factory.mktemp("stories")
    with receiving() as service:
        began = time.time_ns() // 1_000 - 10 * HOUR
        made = Estate(folder / "data", folder / "contracts", began, folder / "modeller.pem", service)
        _agree(made)
        with _up(made, folder / "output"):
            _live_through(made, folder / "events.ndjson")
            yield made


@contextmanager
def _up(made: Estate, output: Path) -> Iterator[None]:
    """The whole system."""
    command = [sys.executable, "-m", "console.app", "up", "--data", str(made.data), "--contracts", str(made.contracts)]
    with output.open("wb") as told:
        process = subprocess.Popen(command, stdout=told, stderr=told, env=_environment())
    try:

        def running() -> bool:
            assert process.poll() is None, output.read_text()
            return (made.data / "run.json").exists()

        made.until(running, "it did not start")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def _live_through(made: Estate, file: Path) -> None:
    """Publish the events of both estates, and wait until they are judged."""
    events = sorted([*_events(made.began), *lending.events(made.began)], key=lambda event: str(event["event_time"]))
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    sent = made.run("emit", str(file))
    assert sent.returncode == 0, sent.stderr
    expected = EXPECTED | lending.EXPECTED
    made.until(lambda: {(v["clause"], v["system"]) for v in made.rows("violations")} >= expected, "not judged")


def _agree(made: Estate) -> None:
    """Write the documents of both estates."""
    made.contracts.mkdir()
    agreed = "".join(CONTRACT % (name, covers) + clauses for name, covers, clauses in CONTRACTS)
    (made.contracts / "estate.yaml").write_text(PEOPLE + SYSTEMS + agreed)
    key = command("keys", "new", "--id", "modeller-1", "--out", str(made.key), "--json")
    assert key.returncode == 0, key.stderr
    text = lending.documents(made.began, f"127.0.0.1:{made.service.port}", json.loads(key.stdout)["public"])
    (made.contracts / "lending.yaml").write_text(text)
