"""What Apprise sends: an incident's key where the service keeps incidents, so that what comes after is of the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from seamwatch.incidents import RESOLVED
from seamwatch.paging import DELIVERED, Page, Recipient, digest_of
from sinks.channels.services import service_of
from tests.sinks.channels.standin import Reply, StandIn, standing_in
from tests.sinks.channels.telling import page, told
from tests.sinks.samples import NOW, violation


@pytest.fixture
def service() -> Iterator[StandIn]:
    with standing_in() as made:
        yield made


def tell(service: StandIn, what: Page) -> list[str]:
    url = f"goalert://127.0.0.1:{service.port}/11111111-2222-3333-4444-555555555555"
    return [attempt.result for attempt in told((url,), what)]


def test_a_service_that_keeps_incidents_opens_and_ends_one_under_the_violations_id(service: StandIn) -> None:
    assert tell(service, page()) == [DELIVERED]
    assert tell(service, page(RESOLVED)) == [DELIVERED]
    opened, ended = (request.json for request in service.requests)
    assert opened["dedup"] == ended["dedup"] == "v0001"
    assert (opened.get("action"), ended.get("action")) == (None, "close")


def test_of_many_each_is_an_incident_and_what_was_taken_is_not_sent_again(service: StandIn) -> None:
    service.answer = lambda _request: Reply(503 if len(service.requests) == 3 else 200)
    many = [violation(number) for number in range(5)]
    assert tell(service, digest_of(many, Recipient("ann", "Ann"), NOW)) == [DELIVERED]
    keys = [request.json["dedup"] for request in service.requests]
    assert sorted(set(keys)) == [each.violation_id for each in many]
    assert len(keys) == 6


def test_which_services_keep_incidents_is_known_by_the_scheme() -> None:
    keep = [service_of(f"{scheme}://x").manner.keeps_incidents for scheme in ("ilert", "squadcast", "json", "tgram")]
    assert keep == [True, True, False, False]
