"""The pipeline steps in the repository run: the very command lines in them, as their runner would."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.gate.test_gate import DIGEST
from tests.signing.folder import Folder
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]


def read(name: str) -> Any:
    return YAML(typ="safe").load((ROOT / name).read_text("utf-8"))


def run(line: str, place: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, **variables}
    return subprocess.run(
        ["bash", "-ec", line], cwd=place, env=environment, capture_output=True, text=True, timeout=PATIENCE
    )


def github(arguments: str) -> tuple[str, dict[str, str]]:
    action, workflow = read("deploy/ci/github/action.yml"), read("deploy/ci/github/example.yml")
    (used,) = (step for step in workflow["jobs"]["gate"]["steps"] if step.get("uses") == "./deploy/ci/github")
    assert set(used["with"]) <= set(action["inputs"])
    inputs = {name: given.get("default") for name, given in action["inputs"].items()} | used["with"]
    inputs |= {"contracts": "documents/", "arguments": arguments}
    (step,) = action["runs"]["steps"]
    values = {name: inputs[text.removeprefix("${{ inputs.").removesuffix(" }}")] for name, text in step["env"].items()}
    return step["run"], values


def gitlab(arguments: str) -> tuple[str, dict[str, str]]:
    job = read("deploy/ci/gitlab/gate.yml")["seamwatch-gate"]
    (line,) = job["script"]
    assert job["artifacts"]["paths"] == ["gate.sarif"]
    given = {"SEAMWATCH_CONTRACTS": "documents/", "SEAMWATCH_GATE_ARGUMENTS": arguments}
    return line, job["variables"] | given


@pytest.mark.parametrize("step", [github, gitlab])
def test_a_step_passes_what_is_signed_and_leaves_its_findings_when_it_refuses(folder: Folder, step: Any) -> None:
    line, variables = step(f"--version 2.1 --config-digest {DIGEST} --offline")
    place = folder.path.parent
    passed = run(line, place, **variables)
    assert passed.returncode == 0, passed.stderr
    folder.signatures.unlink()
    assert run(line, place, **variables).returncode == 1
    results = json.loads((place / "gate.sarif").read_text())["runs"][0]["results"]
    assert [r["ruleId"] for r in results if r["level"] == "error"] == ["signature"] * 3


def test_the_hooks_run(folder: Folder) -> None:
    hooks = {hook["id"]: hook for hook in read(".pre-commit-hooks.yaml")}
    check = hooks["seamwatch-check"]
    assert run(shlex.join([*check["entry"].split(), *check["args"]]), ROOT).returncode == 0
    line = f"{hooks['seamwatch-gate']['entry']} credit-model --contracts documents/ --offline"
    assert run(line, folder.path.parent).returncode == 0
    folder.signatures.unlink()
    assert run(line, folder.path.parent).returncode == 1
