"""SARIF 2.1.0: findings in the form that code hosts show in a pull request. Writes text; judges nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from console.gate.findings import RULES, Finding


def sarif(findings: Sequence[Finding], root: Path) -> str:
    """The log of one run, as JSON; files are named relative to ``root``, those outside it by their whole URI."""
    names = list(RULES)
    rules = [
        {
            "id": name,
            "shortDescription": {"text": text},
            "fullDescription": {"text": text},
            "help": {"text": f"{text} docs/gate.md says what to do when it does not hold."},
            "defaultConfiguration": {"level": "error"},
        }
        for name, text in RULES.items()
    ]
    results = [
        {
            "ruleId": finding.rule,
            "ruleIndex": names.index(finding.rule),
            "level": finding.level,
            "message": {"text": f"{finding.reason}. Remedy: {finding.remedy}."},
            "locations": [_location(finding, root)],
        }
        for finding in findings
    ]
    driver = {"name": "seamwatch gate", "version": version("seamwatch"), "rules": rules}
    log: dict[str, Any] = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _location(finding: Finding, root: Path) -> dict[str, Any]:
    file = (root / finding.file).resolve()
    inside = file.is_relative_to(root.resolve())
    uri = quote(file.relative_to(root.resolve()).as_posix()) if inside else file.as_uri()
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": max(finding.line, 1)}}}
