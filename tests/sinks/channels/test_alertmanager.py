"""Alertmanager: a real one is told of violations, and says itself which alerts fire and which are over."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from seamwatch.durations import DAY
from seamwatch.incidents import ACKNOWLEDGED, RESOLVED
from seamwatch.paging import DELIVERED, Recipient, digest_of
from sinks.channels.services import service_of, unusable
from tests.sinks.channels.alertmanager_server import alertmanager
from tests.sinks.channels.standin import standing_in
from tests.sinks.channels.telling import AHEAD, BOARD, page, told
from tests.sinks.samples import NOW, violation
from tests.waiting import PATIENCE, wait_for


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with alertmanager(tmp_path_factory.mktemp("alertmanager")) as made:
        yield made


def alerts(server: str, violation_id: str) -> list[dict[str, Any]]:
    asked = f"http://{server}/api/v2/alerts?filter=violation_id%3D%22{violation_id}%22"
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())
    return found


def test_an_alert_fires_while_its_violation_is_open_and_is_over_with_it(server: str) -> None:
    url = f"alertmanager://{server}"
    of = violation(1, violation_id="fires")
    assert [a.result for a in told((url,), page(of=of))] == [DELIVERED]
    (firing,) = alerts(server, "fires")
    assert firing["status"]["state"] == "active"
    assert firing["labels"] == {
        "alertname": "Seamwatch freshness", "violation_id": "fires", "system": "credit-feed", "kind": "freshness",
        "contract": "credit-data", "clause": "fresh", "severity": "breach",
    }  # fmt: skip
    said = firing["annotations"]
    assert (said["runbook"], said["next_person"], said["evidence"]) == ("https://example.org/runbook", "bob", "e1")
    assert firing["generatorURL"] == f"{BOARD}/episodes/fires"
    assert [a.result for a in told((url,), page(ACKNOWLEDGED, of=of))] == [DELIVERED]
    assert len(alerts(server, "fires")) == 1
    assert [a.result for a in told((url,), page(RESOLVED, of=of))] == [DELIVERED]
    wait_for(lambda: alerts(server, "fires") == [], "the end of the alert")


def test_many_are_told_at_once_and_an_old_one_begins_before_it_ends(server: str) -> None:
    many = [violation(n, violation_id=f"many{n}", opened_at=NOW - n * DAY + DAY) for n in range(5)]
    digest = digest_of(many, Recipient("ann", "Ann"), NOW, BOARD, {v.violation_id: AHEAD for v in many})
    assert [a.result for a in told((f"alertmanager://{server}/",), digest)] == [DELIVERED]
    assert [len(alerts(server, v.violation_id)) for v in many] == [1] * 5


def test_an_account_is_sent_as_one_and_is_in_no_result() -> None:
    with standing_in() as behind:
        url = f"alertmanager://seamwatch:${{SEAMWATCH_CHANNEL_AM}}@127.0.0.1:{behind.port}/am"
        (attempt,) = told((url,), page(), environment={"SEAMWATCH_CHANNEL_AM": "hunter2"})
    (request,) = behind.requests
    assert (request.path, request.headers["authorization"]) == ("/am/api/v2/alerts", "Basic c2VhbXdhdGNoOmh1bnRlcjI=")
    assert attempt.delivered


def test_a_url_without_a_host_is_known_before_there_is_a_page_and_what_is_open_is_told_every_minute() -> None:
    assert "lacks its host" in str(unusable("alertmanager://"))
    manner = service_of("alertmanagers://alertmanager.example.org").manner
    assert (manner.keeps_incidents, manner.every) == (True, 60.0)
