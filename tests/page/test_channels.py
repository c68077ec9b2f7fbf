"""Each channel by itself, its result known, its secret nowhere."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Iterator

import pytest

from seamwatch.clock import ScaledClock
from seamwatch.paging import Attempt, Notice, Recipient, notice_of
from sinks.channels import Channels, labelled
from tests.page.receiver import Receiver, receiving
from tests.sinks.samples import NOW, violation

NOTICE = Notice("BREACH feed: fresh", "the feed is old", "breach", (("v1", 0),))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def told(channels: Channels, recipient: Recipient, notice: Notice = NOTICE) -> list[Attempt]:
    async def tell() -> list[Attempt]:
        return [attempt async for attempt in channels(recipient, notice)]

    try:
        return asyncio.run(tell())
    finally:
        channels.close()


def test_a_channel_gets_what_and_the_reference_to_deduplicate_by(receiver: Receiver) -> None:
    clock = ScaledClock(5, 0, 1e-30)
    attempts = told(Channels(clock=clock), Recipient("ann", "Ann", (receiver.url("hook"),)))
    assert attempts == [Attempt("json", 5, "delivered")]
    ((_, body),) = receiver.received
    assert (body["title"], body["type"]) == ("BREACH feed: fresh", "failure")
    assert "the feed is old" in body["message"]
    assert "Reference v1/0" in body["message"]


def test_secrets_come_from_the_environment_and_are_nowhere_in_results_or_logs(
    receiver: Receiver, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    url = f"json://user:${{TOKEN}}@127.0.0.1:{receiver.port}/hook"
    receiver.fail["/hook"] = 99
    attempts = told(Channels(environment={"TOKEN": "hunter2"}), Recipient("ann", "Ann", (url,)))
    assert [(a.channel, a.delivered) for a in attempts] == [("json", False)]
    missing = told(Channels(environment={}), Recipient("ann", "Ann", (url,)))
    assert missing[0].result == "failed: the environment of the pager has no TOKEN, which the channel refers to"
    captured = capfd.readouterr()
    assert "hunter2" not in captured.out + captured.err + caplog.text + str(attempts)


def test_a_channel_that_fails_at_first_is_tried_again(receiver: Receiver) -> None:
    receiver.fail["/hook"] = 2
    assert told(Channels(), Recipient("ann", "Ann", (receiver.url("hook"),)))[0].delivered
    assert len(receiver.received) == 1


def test_a_stuck_channel_holds_up_no_other(receiver: Receiver) -> None:
    receiver.hang["/stuck"] = 1.5
    channels = Channels(patience=0.3)
    recipient = Recipient("ann", "Ann", (receiver.url("stuck"), receiver.url("quick")))

    async def tell() -> tuple[float, list[Attempt]]:
        begun, attempts, first = time.monotonic(), [], 0.0
        async for attempt in channels(recipient, NOTICE):
            first = first or time.monotonic() - begun
            attempts.append(attempt)
        return first, attempts

    first, attempts = asyncio.run(tell())
    channels.close()
    assert first < 0.3
    assert [(a.channel, a.delivered) for a in attempts] == [("json#2", True), ("json", False)]
    assert "no answer within" in attempts[1].result


def test_who_has_no_channels_is_told_on_the_console() -> None:
    console = io.StringIO()
    recipient = Recipient("ann@example.org", "Ann Example")
    attempts = told(Channels(console=console), recipient, notice_of(violation(1, step=1), recipient, NOW))
    assert [(a.channel, a.result) for a in attempts] == [("console", "delivered")]
    shown = console.getvalue()
    for words in (
        "PAGE  Ann Example (ann@example.org)",
        "credit-feed is 27 h old; agreed are 26 h",
        "Severity  breach",
        "Observed  27 h, agreed 26 h",
        "1 m ago",
        "step 2",
        "seamwatch ack v0001 --as ann@example.org",
    ):
        assert words in shown


def test_an_unknown_kind_of_url_is_a_failed_attempt_that_says_so() -> None:
    attempts = told(Channels(), Recipient("ann", "Ann", ("carrier-pigeon://loft", "no url at all")))
    assert {a.channel for a in attempts} == {"carrier-pigeon", "channel"}
    assert all("Apprise does not know" in a.result for a in attempts)


def test_labels_hold_the_scheme_and_nothing_else() -> None:
    urls = ("slack://TokenA/TokenB", "slack://TokenC/TokenD", "console://", "https://hooks.example.org/secret")
    assert [label for label, _ in labelled(urls)] == ["slack", "slack#2", "console", "https"]
