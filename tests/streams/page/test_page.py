"""The pager on a broker: at least once and on record, through kill -9, floods and acknowledgements."""

from __future__ import annotations

import asyncio
import re
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

import faust
import pytest

from bus import clients
from seamwatch.clock import SystemClock
from seamwatch.durations import HOUR
from seamwatch.judging.model import facts
from seamwatch.judging.model.facts import Violation
from seamwatch.paging import DELIVERED, Attempt, Page, Recipient
from streams.page.beginning import marks_of
from streams.page.codec import violation_topic
from streams.page.stage import page
from tests.sinks.estate import Estate, Stage, estate, everything
from tests.sinks.samples import CODEC, violation
from tests.streams.page.on_a_thread import run_to_the_end
from tests.streams.page.publishing import person, publish
from tests.streams.page.receiver import Receiver, receiving
from tests.waiting import PATIENCE, wait_for

PAGE = """
from seamwatch.settings import load_settings
from sinks.channels.channels import Channels
from streams.page.stage import run
run(load_settings(), Channels())
"""


@pytest.fixture
def own(kafka: str, clickhouse: str) -> Iterator[Estate]:
    with estate(kafka, clickhouse) as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def pages(own: Estate) -> list[dict[str, Any]]:
    found = everything(own.kafka, [own.topics.page])
    return [CODEC.decode("page", value) for value in found.values() if value is not None]


def delivered(own: Estate) -> set[tuple[str, int]]:
    return {(p["violation_id"], p["step"]) for p in pages(own) if p["result"] == DELIVERED}


class Running:
    """The pager on a thread, delivering to a list."""

    def __init__(self, own: Estate, **options: Any) -> None:
        self._options = options
        self.told: list[tuple[Recipient, Page]] = []
        self._stop: Callable[[], object] = lambda: None
        self._started = threading.Event()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(own,), daemon=True)
        self._thread.start()
        self._started.wait(PATIENCE)

    def steps(self) -> list[tuple[str, int]]:
        return [step for _, page in list(self.told) for step in page.about]

    def close(self) -> None:
        self._stop()
        self._thread.join(PATIENCE)
        assert self.error is None

    def _run(self, own: Estate) -> None:
        async def tell(
            recipient: Recipient, page: Page, only: Mapping[str, str | None] | None = None
        ) -> AsyncIterator[Attempt]:
            self.told.append((recipient, page))
            yield Attempt("list", SystemClock().now(), DELIVERED)

        async def main() -> None:
            stop, loop = asyncio.Event(), asyncio.get_running_loop()
            self._stop = lambda: loop.call_soon_threadsafe(stop.set)
            self._started.set()
            await page(own.kafka, own.topics, SystemClock(), tell, stop, **self._options)

        try:
            run_to_the_end(main())
        except BaseException as error:  # noqa: BLE001 - shown by the test's own thread
            self.error = error


def test_killed_in_the_middle_it_still_tells_of_each_open_violation_and_records_it(
    own: Estate, receiver: Receiver
) -> None:
    people = [f"p{n}" for n in range(6)]
    for name in people:
        person(own, name, receiver.url(name))
        receiver.hang[f"/{name}"] = 0.3
    many = [violation(n, person=people[n % 6]) for n in range(12)]
    stage = Stage(PAGE, own.environment)
    try:
        for kill in range(3):
            publish(own, *many[kill * 4 : kill * 4 + 4])
            wait_for(lambda kill=kill: len(receiver.received) > kill * 2, "telling")  # type: ignore[misc]
            stage.kill()
            stage.start()
        wait_for(lambda: len(delivered(own)) == len(many), "telling of all")
    finally:
        code = stage.end()
    # All may have been told before the last process, begun by then, listens to signals.
    assert code in (0, -signal.SIGTERM)
    assert delivered(own) == {(v.violation_id, 0) for v in many}
    received = " ".join(str(body["message"]) for _, body in receiver.received)
    assert set(re.findall(r"Reference (v\d+)/0", received)) == {v.violation_id for v in many}


def test_only_what_is_open_and_untold_is_told_and_each_step_once(own: Estate) -> None:
    publish(own, violation(1), violation(2), replace(violation(2), state="acknowledged", acknowledged_by="ann"))
    publish(own, violation(3), replace(violation(3), state="resolved"))
    first = Running(own)
    try:
        wait_for(lambda: len(delivered(own)) == 1, "telling of what is open")
        publish(own, replace(violation(1), state="escalated", step=1, person="bob"))
        wait_for(lambda: len(delivered(own)) == 2, "telling of the next step")
    finally:
        first.close()
    assert [step for step in first.steps() if step[1] == 0] == [("v0001", 0)]
    told = {(recipient.id, page.news, page.about) for recipient, page in first.told}
    assert told - {("ann", "escalated", (("v0001", 1),))} == {
        ("ann", "trigger", (("v0001", 0),)), ("bob", "trigger", (("v0001", 1),))
    }  # fmt: skip
    second = Running(own)
    try:
        publish(own, violation(4))
        wait_for(lambda: ("v0004", 0) in delivered(own), "telling of the new one")
    finally:
        second.close()
    assert second.steps() == [("v0004", 0)]


def test_a_pager_that_begins_at_a_mark_tells_nothing_twice_and_how_it_went_on(own: Estate) -> None:
    publish(own, violation(1), violation(2), replace(violation(2), state="acknowledged", acknowledged_by="ann"))
    first = Running(own, whole_seconds=0.0, mark_every=0.2)
    reader = clients.reader(own.kafka, f"{own.topics.prefix}.page-follower")
    names = [own.topics.violations("freshness"), own.topics.page]

    def needed() -> list[int]:
        marks = marks_of(reader, [(name, number) for name in names for number in range(2)])
        return [len(mark.needed) for place, mark in sorted(marks.items()) if mark.needed]

    try:
        # The last state of each, and the page about the one that was open.
        wait_for(lambda: sum(needed()) == 3, "the mark")
    finally:
        first.close()
        reader.close()
    second = Running(own, whole_seconds=0.0)
    try:
        publish(own, replace(violation(1), state="resolved", resolved_at=SystemClock().now()))
        wait_for(lambda: any(p["news"] == "resolved" for p in pages(own)), "telling that it is over")
    finally:
        second.close()
    assert [(recipient.id, page.news, page.about) for recipient, page in second.told] == [
        ("ann", "resolved", (("v0001", 0),))
    ]


def test_a_reminder_is_told_once_and_one_that_is_too_late_never(own: Estate) -> None:
    now = SystemClock().now()
    in_time = facts.Notice(
        notice_id="n1", type="reminder", contract="c", contract_version="1", contract_digest="d", clause="tell",
        kind="change_notice", system="scorer", slice="c1/ann", person="ann", summary="change c1 waits for you",
        due_at=now + HOUR, detected_at=now,
    )  # fmt: skip
    too_late = replace(in_time, notice_id="n2", due_at=now - HOUR)
    summary = replace(in_time, notice_id="n3", type="summary", due_at=now - HOUR)
    producer = own.producer()
    for notice in (in_time, too_late, summary):
        producer.produce(own.topics.notice, CODEC.encode("notice", asdict(notice)), key=notice.notice_id.encode())
    assert producer.flush(PATIENCE) == 0
    first = Running(own)
    try:
        wait_for(lambda: len(delivered(own)) == 2, "telling of both")
    finally:
        first.close()
    assert sorted(first.steps()) == [("n1", 0), ("n3", 0)]
    reminder = next(page for _, page in first.told if page.about == (("n1", 0),))
    assert "change c1 waits for you" in reminder.body
    assert "seamwatch ack c1 --as ann" in reminder.body
    second = Running(own)
    try:
        publish(own, violation(4))
        wait_for(lambda: ("v0004", 0) in delivered(own), "telling of the new one")
    finally:
        second.close()
    assert second.steps() == [("v0004", 0)]


def test_a_thousand_old_ones_at_start_are_one_digest_and_each_is_on_record(own: Estate) -> None:
    publish(own, *(violation(n) for n in range(1_000)))
    running = Running(own)
    try:
        wait_for(lambda: len(delivered(own)) == 1_000, "telling of all")
    finally:
        running.close()
    # Partitions may be assigned one topic after the other, but never a page a violation.
    assert len(running.told) <= 3
    assert sorted(running.steps()) == [(f"v{n:04d}", 0) for n in range(1_000)]


def test_a_team_adds_its_own_agent_in_ten_lines(own: Estate) -> None:
    seen: list[Violation] = []

    async def main() -> None:
        app = faust.App(
            f"{own.topics.prefix}.team",
            broker=f"aiokafka://{own.kafka}",
            topic_disable_leader=True,
            topic_allow_declare=False,
            web_enabled=False,
        )

        @app.agent(violation_topic(app, "freshness", own.topics.prefix))
        async def tell_the_feed_team(stream: Any) -> None:
            async for state in stream:
                seen.append(state)  # noqa: PERF401 - as a team would write it

        await app.start()
        for _ in range(200):
            await asyncio.sleep(0.1)
            if seen:
                break
        await app.stop()

    publish(own, violation(1))
    asyncio.run(main())
    assert seen == [violation(1)]
