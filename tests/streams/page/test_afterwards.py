"""Who was paged hears how it went on, on a broker: through kill -9, by the channel that they were paged by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from seamwatch.incidents import ACKNOWLEDGED, ESCALATED, RESOLVED, TRIGGER
from seamwatch.judging.model.facts import Violation
from seamwatch.paging import DELIVERED
from tests.sinks.channels.standin import Reply, Request, StandIn, standing_in
from tests.sinks.estate import Estate, Stage, estate, everything
from tests.sinks.samples import CODEC, NOW, violation
from tests.streams.page.publishing import person, publish
from tests.waiting import wait_for

PAGER = """
from console.commands.run import _entry, StageName
from seamwatch.settings import load_settings
_entry(StageName.PAGE)(load_settings())
"""
TOKEN = "xoxb-1-2-abc"
CHANNEL = "C1"


class World:
    """Slack's and PagerDuty's interfaces in one: the messages by time stamp, and what becomes of incidents."""

    def __init__(self) -> None:
        self.messages: dict[str, str] = {}
        self.incidents: dict[str, list[str]] = {}
        self.refuses = False

    def __call__(self, request: Request) -> Reply:
        if self.refuses:
            return Reply(503)
        said = request.json
        if request.path == "/v2/enqueue":
            self.incidents.setdefault(said["dedup_key"], []).append(said["event_action"])
            return Reply(202, {"status": "success"})
        ts = said["ts"] if request.path.endswith("chat.update") else f"1.{len(self.messages):06d}"
        self.messages[ts] = said["text"]
        return Reply(200, {"ok": True, "channel": CHANNEL, "ts": ts})


@pytest.fixture
def own(kafka: str, clickhouse: str) -> Iterator[Estate]:
    with estate(kafka, clickhouse) as made:
        yield made


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def service(world: World) -> Iterator[StandIn]:
    with standing_in(world) as made:
        yield made


@pytest.fixture
def pager(own: Estate, service: StandIn) -> Iterator[Stage]:
    person(own, "ann", "slack://${SEAMWATCH_CHANNEL_SLACK}/#on-call", told_of=["resolved"])
    person(own, "bob", "pagerduty://${SEAMWATCH_CHANNEL_PD}", told_of=[])
    environment = {
        **own.environment,
        "SEAMWATCH_CHANNEL_SLACK": TOKEN,
        "SEAMWATCH_CHANNEL_PD": "key",
        "SEAMWATCH_SLACK_API": f"{service.url}/api",
        "SEAMWATCH_PAGERDUTY_API": service.url,
        "SEAMWATCH_PAGE_AGAIN_EVERY": "1h",
    }
    made = Stage(PAGER, environment)
    yield made
    made.end()


def told(own: Estate, news: str) -> list[tuple[str, str, str | None]]:
    found = [CODEC.decode("page", value) for value in everything(own.kafka, [own.topics.page]).values() if value]
    return sorted((p["person"], p["channel"], p["reference"]) for p in found if p["news"] == news
                  and p["result"] == DELIVERED)  # fmt: skip


def escalated(of: Violation) -> Violation:
    return replace(of, state="escalated", step=1, person="bob")


def test_a_message_is_kept_up_to_date_and_an_incident_closed_by_pagers_that_were_killed_in_between(
    own: Estate, world: World, pager: Stage
) -> None:
    opened = violation(1)
    publish(own, opened)
    wait_for(lambda: len(told(own, TRIGGER)) == 1, "telling Ann")
    pager.kill()
    pager.start()
    publish(own, escalated(opened))
    wait_for(lambda: len(told(own, TRIGGER)) == 2, "telling Bob")
    taken = replace(escalated(opened), state="acknowledged", acknowledged_by="bob", acknowledged_at=NOW)
    publish(own, taken)
    wait_for(lambda: len(told(own, ACKNOWLEDGED)) == 1, "the acknowledgement")
    pager.kill()
    publish(own, replace(taken, state="resolved", resolved_at=NOW))
    pager.start()
    wait_for(lambda: len(told(own, RESOLVED)) == 2, "telling both that it is over")
    # Ann wants to hear of the end alone; Bob of nothing, but an incident is not left open.
    assert told(own, ESCALATED) == []
    assert told(own, ACKNOWLEDGED) == [("bob", "pagerduty", None)]
    assert told(own, RESOLVED) == [("ann", "slack", f"{CHANNEL}:1.000000"), ("bob", "pagerduty", None)]
    assert world.messages == {"1.000000": ":white_check_mark: OVER BREACH credit-feed: fresh"}
    assert world.incidents == {"v0001": ["trigger", "acknowledge", "resolve"]}


def test_what_a_service_refuses_is_told_when_it_takes_it_and_only_once(
    own: Estate, world: World, service: StandIn, pager: Stage
) -> None:
    publish(own, replace(violation(2), person="bob"))
    wait_for(lambda: world.incidents == {"v0002": ["trigger"]}, "telling Bob")
    wait_for(lambda: len(told(own, TRIGGER)) == 1, "the record")
    world.refuses = True
    asked = len(service.requests)
    publish(own, replace(violation(2), person="bob", state="resolved", resolved_at=NOW))
    wait_for(lambda: len(service.requests) > asked, "the first try")
    world.refuses = False
    wait_for(lambda: len(told(own, RESOLVED)) == 1, "the end")
    publish(own, violation(3))
    wait_for(lambda: len(told(own, TRIGGER)) == 2, "telling Ann")
    assert world.incidents == {"v0002": ["trigger", "resolve"]}


def test_many_that_end_at_once_are_told_in_one_message_where_none_stands_for_one(own: Estate, pager: Stage) -> None:
    with standing_in() as hook:
        person(own, "cid", f"json://127.0.0.1:{hook.port}/")
        many = [replace(violation(number), person="cid") for number in range(20)]
        publish(own, *many)
        wait_for(lambda: len(told(own, TRIGGER)) == 20, "telling Cid")
        before = len(hook.requests)
        publish(own, *(replace(each, state="resolved", resolved_at=NOW) for each in many))
        wait_for(lambda: len(told(own, RESOLVED)) == 20, "telling that all are over")
        after: list[dict[str, Any]] = [json.loads(request.body) for request in hook.requests[before:]]
    assert len(after) <= 4
    assert any("violations: credit-feed" in said["title"] for said in after)
