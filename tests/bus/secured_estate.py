"""An estate on a broker that asks who calls: commands and stages, each by its own user and in its own way."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shlex
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from tests.bus.secured import Secured
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
USERS = ("operator", "governance", "producer", "measure", "judge", "record", "page", "board")
STAGES = ("measure", "judge", "record", "page")
WAYS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", "OAUTHBEARER", "SSL")
BY = {
    "operator": "PLAIN", "governance": "SCRAM-SHA-256", "producer": "OAUTHBEARER",
    "measure": "OAUTHBEARER", "judge": "SSL", "record": "SCRAM-SHA-512", "page": "OAUTHBEARER",
    "board": "SCRAM-SHA-512",
}  # fmt: skip
"""How each comes in, so that between them they do in every way."""

CONTRACTS = """
kind: Person
id: owner@example.org
name: Example Owner
channels: ["{channel}"]
---
kind: System
id: credit-model
type: model
owner: owner@example.org
---
kind: Contract
id: scores
version: "1"
seam: model-to-product
covers: [credit-model]
parties:
  provider: {{team: models, signatory: owner@example.org}}
  consumer: {{team: product, signatory: owner@example.org}}
escalation: [{{person: owner@example.org, acknowledge_within: 1h}}]
clauses:
- {{id: valid, kind: range, min: 0, max: 1}}
"""


def documented() -> list[list[str]]:
    """The arguments of each ``acl`` command of the documentation, as a shell would give them to kafka-acls.sh."""
    page = (ROOT / "docs" / "connections.md").read_text()
    (block,) = re.findall(r"```sh\n(acl\(\).*?)```", page, re.DOTALL)
    return [["--add", *shlex.split(line)[1:]] for line in block.splitlines() if line.startswith("acl ")]


_NOTHING: Mapping[str, str] = MappingProxyType({})


class Estate:
    """Commands and stages, each by its own user, and all that they said.

    ``more`` is what all of their environments say besides, ``secrets`` what in it is not to be seen.
    """

    def __init__(
        self, broker: Secured, folder: Path, more: Mapping[str, str] = _NOTHING, secrets: Sequence[str] = ()
    ) -> None:
        self.broker, self.folder, self.more = broker, folder, more
        self._secrets = secrets
        self.stages: dict[str, subprocess.Popen[bytes]] = {}

    def environment(self, user: str, by: str | None = None) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("SEAMWATCH_", "KAFKA_"))}
        more = {"SEAMWATCH_DATA": str(self.folder), "SEAMWATCH_INSTANCE": "a", **self.more}
        return {**own, **self.broker.environment(user, self.folder, by or BY[user]), **more}

    def run(self, user: str, *arguments: str, code: int = 0, by: str | None = None, **more: str) -> str:
        """What a command says, and that it ends with this code."""
        command = [sys.executable, "-m", "console.app", *arguments]
        environment = {**self.environment(user, by), **more}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout
        self.hides(done.stdout)
        return done.stdout

    def start(self, stage: str) -> None:
        """Start a stage by its own user."""
        with (self.folder / f"{stage}.log").open("wb") as log:
            self.stages[stage] = subprocess.Popen(
                [sys.executable, "-m", "console.app", "run", stage],
                cwd=ROOT, env=self.environment(stage), stdout=log, stderr=log,
            )  # fmt: skip

    def log(self, stage: str) -> str:
        """What a stage has said."""
        return (self.folder / f"{stage}.log").read_text()

    def hides(self, text: str) -> None:
        """No secret is in what was said: nobody's password, no token, nothing of a key."""
        tokens = [token.rpartition(".")[2] for token in self.broker.tokens.given]
        secrets = [*self.broker.passwords.values(), *tokens, *self._secrets]
        assert not [secret[:4] for secret in secrets if secret in text]
        assert "PRIVATE KEY" not in text

    def hides_all(self) -> None:
        """Neither the stages' logs nor the process list hold a secret."""
        for stage, process in self.stages.items():
            self.hides(self.log(stage))
            self.hides(Path(f"/proc/{process.pid}/cmdline").read_text())

    def end(self) -> dict[str, int]:
        """Ask all stages to end; their codes."""
        for process in self.stages.values():
            process.terminate()
        return {stage: process.wait(PATIENCE) for stage, process in self.stages.items()}


def event(score: float, number: int) -> str:
    now = dt.datetime.now(dt.UTC).isoformat()
    fields = {"event_id": str(uuid.uuid4()), "event_time": now, "system": "credit-model", "version": "v1"}
    return json.dumps({"type": "inference", **fields, "subject": f"s{number}", "score": score})


def written(folder: Path, texts: Sequence[str]) -> str:
    file = folder / "events.ndjson"
    file.write_text("\n".join(texts) + "\n")
    return str(file)
