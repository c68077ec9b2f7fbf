"""Answers that never came by webhook are found by asking, relayed once, and a service that cannot be asked is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from replies.asking import PagerDutyApi
from replies.reconciling import Reconciling
from seamwatch.durations import DAY, HOUR, MINUTE, SECOND
from seamwatch.errors import UnreachableError
from seamwatch.instants import format_instant, parse_instant
from tests.replies.desks import VIOLATION, Scene, body_of, incident, now, pagerduty_headers
from tests.replies.stand_in import served

TOKEN = "a-token-that-only-reads"
OTHER = "4f1c2a9b-e0d7-8aaa-8bbb-000000000002"


class Account:
    """What PagerDuty's REST API says of incidents; ``broken``: what it answers instead."""

    def __init__(self) -> None:
        self.incidents: list[dict[str, Any]] = []
        self.alerts: dict[str, list[str | None]] = {}
        self.asked: list[str] = []
        self.entries: list[dict[str, Any]] = []
        self.broken: Response | None = None

    def acknowledge(self, key: str | None, user: str = "PDANA", ago: int = HOUR, **fields: Any) -> None:
        at = format_instant(now() - ago)
        given = [
            {"at": format_instant(now() - ago - MINUTE), "acknowledger": {"id": "POLD", "type": "user_reference"}},
            {"at": at, "acknowledger": {"id": user, "type": "user_reference"}},
        ]
        name = f"Q{len(self.incidents)}"
        self.incidents.append(
            {"id": name, "status": "acknowledged", "incident_key": key, "acknowledgements": given, **fields}
        )

    def routes(self) -> list[Route]:
        async def incidents(request: Request) -> Response:
            self.asked.append(str(request.url.query))
            if self.broken is not None:
                return self.broken
            assert request.headers["authorization"] == f"Token token={TOKEN}"
            assert request.query_params["statuses[]"] == "acknowledged"
            first, count = int(request.query_params["offset"]), int(request.query_params["limit"])
            page = self.incidents[first : first + count]
            return JSONResponse({"incidents": page, "more": first + count < len(self.incidents)})

        async def alerts(request: Request) -> Response:
            keys = self.alerts.get(request.path_params["name"], [])
            return JSONResponse({"alerts": [{"id": "A", "alert_key": key} for key in keys], "more": False})

        async def log_entries(request: Request) -> Response:
            since = parse_instant(request.query_params["since"])
            entries = [each for each in self.entries if parse_instant(each["created_at"]) >= since]
            return JSONResponse({"log_entries": entries, "more": False})

        return [
            Route("/incidents", incidents),
            Route("/incidents/{name}/alerts", alerts),
            Route("/log_entries", log_entries),
        ]

    def take_back(self, key: str, ago: int, user: str | None = None, kind: str = "unacknowledge") -> None:
        agent = {"id": "PPOLICY", "type": "escalation_policy_reference"}
        if user is not None:
            agent = {"id": user, "type": "user_reference"}
        incident = {"id": "Q0", "type": "incident", "incident_key": key}
        at, name = format_instant(now() - ago), f"R{len(self.entries)}"
        entry = {"id": name, "type": f"{kind}_log_entry", "created_at": at, "agent": agent, "incident": incident}
        self.entries.append(entry)


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def api(account: Account) -> Iterator[PagerDutyApi]:
    with served(account.routes()) as address:
        yield PagerDutyApi(address, TOKEN)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def reconciling(scene: Scene, api: PagerDutyApi) -> Reconciling:
    return Reconciling(api, scene.desk, scene.known, scene.metrics, now, 300.0, DAY)


def asked(scene: Scene, result: str) -> float:
    return scene.metrics.registry.get_sample_value(
        "seamwatch_replies_asked_total", {"service": "pagerduty", "result": result}
    ) or 0.0  # fmt: skip


def test_what_never_came_is_relayed_once_with_what_was_said_as_evidence(
    scene: Scene, account: Account, api: PagerDutyApi
) -> None:
    account.acknowledge("none of ours")
    account.acknowledge(VIOLATION, ago=3 * DAY)
    turns = reconciling(scene, api)
    turns.turn()
    record = scene.only()
    said = json.loads(record["evidence"])["asked"]
    assert (record["person"], record["answer"], said["incident"]) == ("dana@example.org", "accept", "Q1")
    assert record["event_time"] == parse_instant(said["at"])
    assert scene.metrics.registry.get_sample_value("seamwatch_replies_missed_total", {"service": "pagerduty"}) == 1
    turns.turn()
    assert len(scene.published) == 1
    scene.start()
    reconciling(scene, api).turn()
    assert scene.published[0] == scene.published[1], "after a restart the same event, which counts once"
    assert asked(scene, "answered") == 3


def test_what_somebody_has_taken_on_and_what_may_be_on_its_way_is_left_alone(
    scene: Scene, account: Account, api: PagerDutyApi
) -> None:
    scene.known.episode(OTHER, state="acknowledged", acknowledged_by="dana@example.org")
    account.acknowledge(OTHER)
    account.acknowledge(VIOLATION, ago=MINUTE // 2)
    reconciling(scene, api).turn()
    assert scene.published == []


def test_an_answer_that_comes_late_by_webhook_too_is_another_event_and_the_judge_tells(
    scene: Scene, account: Account, api: PagerDutyApi
) -> None:
    account.acknowledge(VIOLATION)
    reconciling(scene, api).turn()
    body = body_of(incident())
    assert scene.desk.pagerduty(body, pagerduty_headers(body)).status == 202
    assert len({record["event_id"] for record in scene.published}) == 2


def test_what_was_taken_back_there_is_taken_back_here(scene: Scene, account: Account, api: PagerDutyApi) -> None:
    taken: dict[str, Any] = {
        "state": "acknowledged",
        "acknowledged_by": "dana@example.org",
        "acknowledged_at": now() - 2 * HOUR,
    }
    scene.known.episode(**taken)
    for ago, kind in ((3 * HOUR, "unacknowledge"), (HOUR, "notify"), (SECOND, "unacknowledge")):
        account.take_back(VIOLATION, ago, kind=kind)
    turns = reconciling(scene, api)
    turns.turn()
    assert scene.published == [], "before it was taken on, of another kind, or on its way"
    account.take_back(VIOLATION, 90 * SECOND)
    turns.turn()
    record = scene.only()
    assert (record["answer"], record["person"]) == ("retract", "dana@example.org")
    assert json.loads(record["evidence"])["asked"]["entry"] == "R3"
    turns.turn()
    assert len(scene.published) == 1
    scene.known.episode()
    turns.turn()
    assert len(scene.published) == 1, "nobody has it"


def test_pages_and_alerts_of_an_incident_are_gone_through(scene: Scene, account: Account, api: PagerDutyApi) -> None:
    for _ in range(230):
        account.acknowledge("none of ours")
    account.acknowledge(None)
    account.alerts["Q230"] = [None, "none of ours", VIOLATION]
    scene.known.episode(OTHER)
    account.acknowledge("none of ours", alert_counts={"all": 2})
    account.alerts["Q231"] = [OTHER]
    reconciling(scene, api).turn()
    assert len(account.asked) == 3
    assert {record["reference"] for record in scene.published} == {VIOLATION, OTHER}


def test_a_stranger_is_told_each_time(scene: Scene, account: Account, api: PagerDutyApi) -> None:
    account.acknowledge(VIOLATION, "PSTRANGER")
    for _ in range(2):
        reconciling(scene, api).turn()
    assert (scene.published, scene.counted()) == ([], {"unknown_identity": 2})


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (Response(status_code=401), "HTTP 401"),
        (Response(status_code=429), "HTTP 429"),
        (Response("<html>"), "no JSON object"),
        (JSONResponse({"incidents": None}), "holds no incidents"),
        (Response(status_code=302, headers={"location": "http://127.0.0.1:9/"}), "HTTP 302"),
    ],
)
def test_what_cannot_be_asked_is_told_and_counted(
    scene: Scene, account: Account, api: PagerDutyApi, broken: Response, said: str
) -> None:
    account.broken = broken
    with capture_logs() as logs:
        reconciling(scene, api).turn()
    (told,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert said in told["reason"]
    assert TOKEN not in str(logs)
    assert (asked(scene, "failed"), asked(scene, "answered")) == (1, 0)


def test_nobody_answers_at_all(scene: Scene) -> None:
    api = PagerDutyApi("http://127.0.0.1:9", TOKEN)
    reconciling(scene, api).turn()
    assert asked(scene, "failed") == 1
    with pytest.raises(UnreachableError, match="does not answer"):
        list(api.acknowledged())
    with pytest.raises(UnreachableError, match="none of PagerDuty's"):
        api.keys_of("../users")


def test_what_was_read_before_it_broke_is_relayed(scene: Scene, account: Account) -> None:
    account.acknowledge(VIOLATION)

    class Breaking(PagerDutyApi):
        def acknowledged(self) -> Any:
            yield from super().acknowledged()
            raise UnreachableError("there is more than that")

    with served(account.routes()) as address:
        reconciling(scene, Breaking(address, TOKEN)).turn()
    assert scene.only()["person"] == "dana@example.org"
    assert asked(scene, "failed") == 1


def test_items_that_are_odd_are_passed_over(scene: Scene, account: Account, api: PagerDutyApi) -> None:
    account.acknowledge(VIOLATION)
    good = account.incidents[0]
    odd: list[Any] = [7, None, {}, {**good, "acknowledgements": None}, {**good, "acknowledgements": [7, {"at": "x"}]}]
    by_nobody = {**good, "acknowledgements": [{"at": "2026-01-01T00:00:00Z", "acknowledger": None}]}
    account.incidents[:] = [*odd, by_nobody, {**good, "id": None}]
    reconciling(scene, api).turn()
    assert (scene.published, asked(scene, "answered")) == ([], 1)
