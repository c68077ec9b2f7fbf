"""Topics are made so that what is needed of them is kept; those of an earlier version are told of, and set right."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from typer.testing import CliRunner, Result

from bus.topics import create_topics, differing
from console.app import build
from seamwatch.clauses import kinds
from seamwatch.wire.topics import Topics
from tests.waiting import PATIENCE, wait_for

DAY_MS = 24 * 3_600 * 1_000


@pytest.fixture
def prefix(kafka: str) -> Iterator[str]:
    name = f"t_{uuid.uuid4().hex[:10]}"
    yield name
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.delete_topics([topic for topic in admin.list_topics(timeout=PATIENCE).topics if topic.startswith(f"{name}.")])


def create(kafka: str, prefix: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka)
    monkeypatch.setenv("SEAMWATCH_PREFIX", prefix)
    return CliRunner().invoke(build(), ["topics", "create", "--partitions", "1", *arguments])


def test_what_was_delivered_is_kept_for_as_long_as_what_is_open() -> None:
    specs = {spec.name: spec.settings for spec in Topics("t").specs(kinds())}
    for name in ("t.page", "t.outage", "t.violations.freshness"):
        assert specs[name]["cleanup.policy"] == "compact"
        assert specs[name]["min.compaction.lag.ms"] == str(7 * DAY_MS)
    assert (specs["t.notice"]["cleanup.policy"], specs["t.notice"]["retention.ms"]) == ("delete", str(30 * DAY_MS))


def test_topics_of_an_earlier_version_are_told_and_set_right_when_asked(
    kafka: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As they were made before: what was delivered was forgotten after a week.
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.create_topics([NewTopic(f"{prefix}.{name}", 1, 1) for name in ("page", "notice")]).values():
        future.result(PATIENCE)
    told = create(kafka, prefix, monkeypatch)
    assert told.exit_code == 1
    lines = {line.split()[1]: line for line in told.stdout.splitlines()}
    assert lines[f"{prefix}.page"].startswith("different")
    assert "cleanup.policy=delete, not compact" in lines[f"{prefix}.page"]
    assert f"retention.ms={7 * DAY_MS}, not {30 * DAY_MS}" in lines[f"{prefix}.notice"]
    assert set(differing(kafka, prefix)) == {f"{prefix}.page", f"{prefix}.notice"}

    altered = create(kafka, prefix, monkeypatch, "--alter", "--json")
    assert altered.exit_code == 0
    reports = [json.loads(line) for line in altered.stdout.splitlines()]
    assert {report["name"] for report in reports if report["outcome"] == "altered"} == {
        f"{prefix}.page", f"{prefix}.notice",
    }  # fmt: skip
    wait_for(lambda: not differing(kafka, prefix), "the broker's taking it up")
    again = create(kafka, prefix, monkeypatch)
    assert (again.exit_code, {line.split()[0] for line in again.stdout.splitlines()}) == (0, {"existing"})


def test_partitions_are_told_and_never_changed(kafka: str, prefix: str) -> None:
    create_topics(kafka, prefix, 1)
    reports = create_topics(kafka, prefix, 2, alter=True)
    assert {report.outcome for report in reports if report.name == f"{prefix}.page"} == {"different"}
    assert all(topic.startswith(f"{prefix}.") for topic in (report.name for report in reports))
    present = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=PATIENCE).topics
    assert len(present[f"{prefix}.page"].partitions) == 1
