"""The dashboards: as they are made, of Grafana's model, and each query answered by a store or taken by promtool."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from seamwatch.durations import DAY, HOUR, SECOND
from seamwatch.judging.records import violation_record
from sinks.store.client import Store
from tests.board.conftest import url_of
from tests.console.populated import AGENT, EPISODES, MODEL, populated
from tests.deploy.exposed import OF_A_TARGET, exposed, named, selected
from tests.deploy.grafana import Shown
from tests.deploy.promtool import promtool
from tests.sinks.samples import CODEC, NOW

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana"
FILES = ("on-call.json", "system.json", "contracts.json", "stages.json")
DASHBOARDS: dict[str, dict[str, Any]] = {name: json.loads((FOLDER / name).read_text("utf-8")) for name in FILES}
TARGETS = [
    (f"{name}: {panel['title']}", panel, target)
    for name, dashboard in DASHBOARDS.items()
    for panel in dashboard["panels"]
    for target in panel["targets"]
]
OF_THE_STORE = [(where, panel, target["rawSql"]) for where, panel, target in TARGETS if "rawSql" in target]
OF_PROMETHEUS = [(where, target) for where, _, target in TARGETS if "expr" in target]
SHOWN = Shown(
    (NOW - 3 * DAY) // SECOND,
    (NOW + HOUR) // SECOND,
    600,
    {"system": [MODEL, AGENT], "contract": ["eligibility-data-to-decisions", "agent-pact", "o'clock"]},
)


def test_they_are_those_that_are_made(tmp_path: Path) -> None:
    subprocess.run([sys.executable, FOLDER / "make.py", tmp_path], check=True, stdout=subprocess.DEVNULL)
    assert {file.name: file.read_text("utf-8") for file in tmp_path.iterdir()} == {
        name: (FOLDER / name).read_text("utf-8") for name in FILES
    }
    assert {file.name for file in FOLDER.glob("*.json")} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_dashboard_is_of_grafanas_model(name: str) -> None:
    dashboard = DASHBOARDS[name]
    assert (dashboard["schemaVersion"], dashboard["id"]) == (39, None)
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        of, refs = panel["datasource"], [target["refId"] for target in panel["targets"]]
        assert variables[of["uid"].strip("${}")]["query"] == of["type"]
        assert all(target["datasource"] == of for target in panel["targets"])
        assert len(set(refs)) == len(refs) > 0
    used = set(re.findall(r"\$\{(\w+)", json.dumps(panels)))
    assert used == set(variables)


@pytest.mark.parametrize("name", FILES)
def test_panels_lie_within_the_grid_and_over_no_other(name: str) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARDS[name]["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


def test_uids_are_one_each() -> None:
    uids = [dashboard["uid"] for dashboard in DASHBOARDS.values()]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[a-z0-9-]{1,40}", uid) for uid in uids)


def _plain(expression: str) -> str:
    return re.sub(r"\$\{\w+:regex\}", ".+", expression)


def test_promtool_takes_every_query_for_prometheus(tmp_path: Path) -> None:
    rules = [{"record": f"asked:{number}", "expr": _plain(t["expr"])} for number, (_, t) in enumerate(OF_PROMETHEUS)]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))
    content, said = promtool("check", "rules", "rules.yml", folder=tmp_path)
    assert content, said
    assert f"{len(OF_PROMETHEUS)} rules found" in said


def test_every_query_for_prometheus_names_what_is_shown_or_recorded() -> None:
    recordings = yaml.safe_load((FOLDER.parent / "prometheus" / "recordings.yml").read_text("utf-8"))
    recorded = {rule["record"] for group in recordings["groups"] for rule in group["rules"]}
    known, of_alerts = exposed(), {"severity"}
    for where, target in OF_PROMETHEUS:
        names = named(_plain(target["expr"]))
        assert names, where
        assert names <= known.keys() | recorded, where
        for metric, label in selected(_plain(target["expr"])):
            assert label in known[metric] | OF_A_TARGET | of_alerts, where


@pytest.fixture(scope="module")
def store(clickhouse: str, auditor_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The estate, read as the auditor."""
    with (
        pytest.MonkeyPatch.context() as environment,
        populated(clickhouse, tmp_path_factory.mktemp("grafana"), environment) as estate,
    ):
        environment.undo()
        outage = {
            "outage_id": "1" * 32, "fault": "stalled", "stage": "judge", "state": "open", "since": NOW - HOUR,
            "detected_at": NOW - HOUR, "summary": "judge stands still",
        }  # fmt: skip
        estate.book.record([CODEC.encode("outage", outage)], "outage", millis=NOW // 1000)
        suspended = {
            "suspension_id": "2" * 32, "system": AGENT, "tool": "refund", "state": "suspended",
            "reason": "it refunds twice", "since": NOW - HOUR, "judged_at": NOW - HOUR,
        }  # fmt: skip
        estate.book.record([CODEC.encode("suspended", suspended)], "suspended", millis=NOW // 1000)
        broken = replace(EPISODES[0], violation_id="9" * 32, contract="o'clock", unit="s", observed=9.0, limit=3.0)
        value = CODEC.encode("violation", violation_record(broken))
        estate.book.record([value], f"violations.{broken.kind}", millis=NOW // 1000)
        with Store(url_of(auditor_url, estate.url), reading=True) as store:
            yield store


@pytest.mark.parametrize(("panel", "sql"), [each[1:] for each in OF_THE_STORE], ids=[each[0] for each in OF_THE_STORE])
def test_every_query_for_the_store_is_answered(store: Store, panel: dict[str, Any], sql: str) -> None:
    rows = store.rows(SHOWN.expanded(sql))
    assert rows
    if panel["type"] == "stat":
        assert {len(row) for row in rows} == {1}
    if panel["type"] == "timeseries":
        assert next(iter(rows[0])) == "time"
        assert all(isinstance(row["time"], datetime) for row in rows)
        assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
        values = [value for row in rows for name, value in row.items() if name != "time"]
        assert any(isinstance(value, int | float) for value in values)


def test_what_the_variables_offer_is_what_is_there(store: Store) -> None:
    offered = {
        variable["name"]: {value for row in store.rows(variable["query"]) for value in row.values()}
        for dashboard in DASHBOARDS.values()
        for variable in dashboard["templating"]["list"]
        if variable["type"] == "query"
    }
    assert {MODEL, AGENT} <= offered["system"]
    assert "eligibility-data-to-decisions" in offered["contract"]


def test_a_share_of_time_that_was_open_is_that_of_the_episodes(store: Store) -> None:
    (sql,) = (sql for where, _, sql in OF_THE_STORE if "Share of the time" in where)
    since, until = (NOW - 3 * DAY) // SECOND, NOW // SECOND
    found = store.rows(replace(SHOWN, since=since, until=until).expanded(sql))
    shares = {(row["contract"], row["clause"]): row["open_share"] for row in found}
    # Open for three hours of three days; two episodes, one for the hour before last, are other clauses'.
    assert shares["eligibility-data-to-decisions", "shape-of-scores"] == pytest.approx(3 / 72)
    assert shares["eligibility-data-to-decisions", "fresh"] == pytest.approx(1 / 72)
