"""Summaries by a real pager, broker and store: whole by mail and webhook, and told in time when the store dies."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import pytest

from seamwatch.documents import documents_of, published
from seamwatch.paging import DELIVERED
from tests.console.populated import Populated
from tests.sinks.channels.standin import StandIn, standing_in
from tests.sinks.channels.test_mail import Server, part, serving
from tests.sinks.estate import Estate, Proxy, Stage, estate, everything
from tests.sinks.samples import CODEC, NOW
from tests.sinks.summed_estate import DATASET, MODEL, NOTICE, READER, published_estate, summed_estate
from tests.streams.page.publishing import person
from tests.waiting import PATIENCE, wait_for

PAGE = "from console.app import main; main(['run', 'page'])"
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
BOARD = "https://board.example.org"


@pytest.fixture(scope="module")
def store(clickhouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Populated]:
    with summed_estate(clickhouse, tmp_path_factory.mktemp("whole")) as made:
        yield made


@pytest.fixture
def own(kafka: str, clickhouse: str, store: Populated) -> Iterator[Estate]:
    with estate(kafka, clickhouse) as made:
        producer = made.producer()
        for key, value in published(documents_of(published_estate(store)), NOW, {}):
            producer.produce(made.topics.contracts, value, key=key.encode())
        assert producer.flush(PATIENCE) == 0
        yield made


def tell(own: Estate, name: str, **fields: Any) -> None:
    """Say that a summary is due, as the judge does."""
    producer = own.producer()
    value = CODEC.encode("notice", {**NOTICE, "notice_id": name, **fields})
    producer.produce(own.topics.notice, value, key=name.encode())
    assert producer.flush(PATIENCE) == 0


def record(store: Populated, name: str) -> None:
    store.book.record([CODEC.encode("notice", {**NOTICE, "notice_id": name})], "notice", millis=NOW // 1000)


def about(mails: Server, name: str) -> list[str]:
    """The texts of the mails about a summary."""
    texts = [part(message, "plain") for _, message in mails.received]
    return [text for text in texts if f"Reference {name}/0" in text]


def posted(hooks: StandIn, name: str) -> list[dict[str, Any]]:
    bodies = [request.json["data"] for request in hooks.requests]
    return [data for data in bodies if data["references"] == [f"{name}/0"]]


def test_summaries_are_whole_and_go_out_in_time_when_the_store_dies_or_the_pager(
    own: Estate, store: Populated, auditor_url: str
) -> None:
    proxy = Proxy(urlunsplit(urlsplit(auditor_url)._replace(path=urlsplit(store.url).path)))
    environment = {
        **own.environment, "CLICKHOUSE_URL": "", "SEAMWATCH_AUDITOR_URL": proxy.url, "SEAMWATCH_BOARD_URL": BOARD,
        "SEAMWATCH_SUMMARY_WITHIN": "50s",
    }  # fmt: skip
    with serving() as mails, standing_in() as hooks:
        person(
            own,
            READER,
            f"mailto://127.0.0.1:{mails.port}/reader@example.org?mode=insecure&from=seamwatch@example.org",
            f"webhook://127.0.0.1:{hooks.port}/hook?secret={quote(SECRET)}&format=cloudevents",
        )
        stage = Stage(PAGE, environment)
        try:
            tell(own, "summary-1")
            wait_for(lambda: bool(about(mails, "summary-1") and posted(hooks, "summary-1")), "the whole summary")
            (text,) = about(mails, "summary-1")
            assert text.index("held for 2 of 3") < text.index("What broke") < text.index("What is owed")
            assert "13 episodes, 12 breaches, 1 still going on: fresh 12, volume 1." in text
            assert "21 in all, 4 overdue." in text
            assert f"WARNING {DATASET}: <few> rows came (under-25)" in text
            assert "could not be read" not in text
            assert f"seamwatch ack summary-1 --as {READER}" in text
            ((_, message),) = mails.received
            assert f'href="{BOARD}/summaries/summary-1"' in part(message, "html")
            (data,) = posted(hooks, "summary-1")
            summed = data["incidents"][0]["summed"]
            assert (summed["outcome"], summed["episodes"], summed["owed"], summed["overdue"]) == ("whole", 13, 21, 4)

            # A conversation's summary and a digest are told alike, each of its own system and period.
            record(store, "of-calls")
            tell(own, "of-calls", system=MODEL, kind="escalation")
            wait_for(lambda: bool(about(mails, "of-calls")), "the summary of another kind")
            assert "shape-of-scores 1." in about(mails, "of-calls")[0]
            record(store, "digest")
            tell(own, "digest", clause="learn", kind="follow_up")
            wait_for(lambda: bool(about(mails, "digest")), "the digest")
            assert "What broke" in about(mails, "digest")[0]
            assert "seamwatch ack" not in about(mails, "digest")[0], "nobody is asked for a receipt of it"

            # The store is killed while the next one is being read.
            record(store, "dying")
            proxy.delay, proxy.asked = 0.3, 0
            tell(own, "dying")
            wait_for(lambda: proxy.asked > 0, "the asking")
            proxy.down = True
            wait_for(lambda: bool(about(mails, "dying")), "the summary without the store")
            (text,) = about(mails, "dying")
            assert "could not be read" in text or "Not read:" in text
            assert f"{BOARD}/summaries/dying" in text

            # The pager is killed while it reads, and the next one tells it.
            proxy.down, proxy.delay, proxy.asked = False, 1.0, 0
            record(store, "killed")
            tell(own, "killed")
            wait_for(lambda: proxy.asked > 0, "the asking")
            stage.kill()
            assert not about(mails, "killed")
            proxy.delay = 0.0
            stage.start()
            wait_for(lambda: bool(about(mails, "killed")), "the summary by the next pager")
            assert " 4 overdue." in about(mails, "killed")[0]
        finally:
            stage.end()
            proxy.close()
    told = [CODEC.decode("page", value) for value in everything(own.kafka, [own.topics.page]).values() if value]
    assert {(one["violation_id"], one["result"]) for one in told if one["channel"] == "mailto"} == {
        (name, DELIVERED) for name in ("summary-1", "of-calls", "digest", "dying", "killed")
    }
