"""Prometheus' rules: promtool takes them, each alert fires and does not fire, and they name what stages show."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

from tests.deploy.exposed import OF_A_TARGET, exposed, named, registries, selected
from tests.deploy.promtool import promtool

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
TESTS = sorted((FOLDER / "tests").glob("*.yml"))
STAGES = ("measure", "judge", "record", "page", "replies", "board")


def rules(file: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / file).read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules("alerts.yml")}
RECORDED = {rule["record"]: rule for rule in rules("recordings.yml")}
KNOWN = exposed()


def test_promtool_takes_the_rules_and_the_example() -> None:
    content, said = promtool("check", "config", "prometheus.yml", folder=FOLDER)
    assert content, said
    assert f"{len(ALERTS)} rules found" in said


def test_promtool_finds_no_fault_with_what_stages_show(tmp_path: Path) -> None:
    for registry in registries():
        content, said = promtool("check", "metrics", folder=tmp_path, given=generate_latest(registry).decode())
        assert (content, said) == (True, "")


@pytest.mark.parametrize("file", TESTS, ids=lambda path: path.stem)
def test_the_rules_pass_their_own_tests(file: Path) -> None:
    content, said = promtool("test", "rules", file.name, folder=file.parent)
    assert content, said


@pytest.mark.parametrize(("changed", "missed"), [("vector(0) > 1", "fires"), ("vector(1)", "is quiet")])
def test_each_alert_has_a_test_that_it_fires_and_one_that_it_does_not(
    tmp_path: Path, changed: str, missed: str
) -> None:
    """Of rules that never fire, or always do, the tests of each alert find fault."""
    folder = Path(shutil.copytree(FOLDER, tmp_path / "prometheus"))
    document = yaml.safe_load((folder / "alerts.yml").read_text("utf-8"))
    for group in document["groups"]:
        for rule in group["rules"]:
            rule["expr"] = changed
            rule.pop("for", None)
    (folder / "alerts.yml").write_text(yaml.safe_dump(document))
    content, said = promtool("test", "rules", *(file.name for file in TESTS), folder=folder / "tests")
    assert not content
    faulted = set(re.findall(r'expr: "ALERTS\{alertname=\\"(\w+)\\"', said))
    always = {"SeamwatchWatchdog"} if missed == "is quiet" else set()
    assert faulted == set(ALERTS) - always


@pytest.mark.parametrize(
    "rule", [*ALERTS.values(), *RECORDED.values()], ids=lambda rule: rule.get("alert") or "recording"
)
def test_what_a_rule_names_is_what_a_stage_shows(rule: dict[str, Any]) -> None:
    expression = rule["expr"]
    assert named(expression) <= KNOWN.keys() | RECORDED.keys()
    for metric, label in selected(expression):
        if metric.startswith("~"):
            pattern = re.compile(metric[1:])
            found = {name for name in KNOWN if pattern.fullmatch(name)}
            (stages,) = re.findall(r"\(([^()]*)\)", pattern.pattern)
            assert len(found) == len(stages.split("|")), pattern.pattern
        elif metric in KNOWN:
            assert label in KNOWN[metric] | OF_A_TARGET, f"{metric} has no label {label}"


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_grave_it_is_what_is_wrong_and_where_to_read_on(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in ("critical", "warning", "none")
    told = rule["annotations"]
    assert all(told[part].endswith(".") for part in ("summary", "description"))
    page, _, section = told["runbook_url"].partition("#")
    assert f"### {name}\n" in (ROOT / page).read_text("utf-8")
    assert section == name.lower()


def test_a_section_is_of_an_alert_that_there_is() -> None:
    sections = re.findall(r"^### (Seamwatch\w+)$", (ROOT / "docs" / "alerts.md").read_text("utf-8"), re.MULTILINE)
    assert sections == list(ALERTS)


def test_a_summary_names_no_label_that_its_alert_lacks() -> None:
    fired: dict[str, set[str]] = {}
    for file in TESTS:
        for case in yaml.safe_load(file.read_text("utf-8"))["tests"]:
            for asked in case["promql_expr_test"]:
                for sample in asked["exp_samples"]:
                    labels = dict(re.findall(r'(\w+)="([^"]*)"', sample["labels"]))
                    fired.setdefault(labels["alertname"], set()).update(labels)
    for name, rule in ALERTS.items():
        asked_for = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        assert asked_for <= fired[name], name


def test_every_stage_has_its_job_in_the_example_and_its_alerts() -> None:
    example = yaml.safe_load((FOLDER / "prometheus.yml").read_text("utf-8"))
    assert [job["job_name"] for job in example["scrape_configs"]] == [
        f"seamwatch-{stage}" for stage in ("measure", "judge", "record", "page", "board", "replies")
    ]
    ports = [
        target for job in example["scrape_configs"] for each in job["static_configs"] for target in each["targets"]
    ]
    assert len(set(ports)) == len(STAGES)
    for stage in STAGES:
        of_it = [
            name
            for name, rule in ALERTS.items()
            if f"seamwatch_{stage}" in rule["expr"] or f'-{stage}"' in rule["expr"]
        ]
        assert len(of_it) >= 4, stage
