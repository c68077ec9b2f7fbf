"""Each channel by itself, its result known, its secret nowhere."""

from __future__ import annotations

import asyncio
import io
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from seamwatch.clock import ScaledClock
from seamwatch.delivering import Manner
from seamwatch.paging import Attempt, Page, Recipient, page_of
from sinks.channels.channels import Channels, labelled
from sinks.channels.service import Sending
from tests.sinks.samples import NOW, violation
from tests.streams.page.receiver import Receiver, receiving
from tests.waiting import PATIENCE

PAGE = Page("BREACH feed: fresh", "the feed is old", "breach", (("v1", 0),))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def told(channels: Channels, recipient: Recipient, page: Page = PAGE) -> list[Attempt]:
    async def tell() -> list[Attempt]:
        return [attempt async for attempt in channels(recipient, page)]

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
    url = f"json://user:${{SEAMWATCH_CHANNEL_TOKEN}}@127.0.0.1:{receiver.port}/hook"
    receiver.fail["/hook"] = 99
    attempts = told(Channels(environment={"SEAMWATCH_CHANNEL_TOKEN": "hunter2"}), Recipient("ann", "Ann", (url,)))
    assert [(a.channel, a.delivered) for a in attempts] == [("json", False)]
    missing = told(Channels(environment={}), Recipient("ann", "Ann", (url,)))
    assert missing[0].result == (
        "failed: the environment of the pager has no SEAMWATCH_CHANNEL_TOKEN, which the channel refers to"
    )
    captured = capfd.readouterr()
    assert "hunter2" not in captured.out + captured.err + caplog.text + str(attempts)


@pytest.mark.parametrize("url", ["json://127.0.0.1:{port}/${{CLICKHOUSE_URL}}", "${{CLICKHOUSE_URL}}"])
def test_a_variable_that_is_not_for_channels_is_named_and_never_read(receiver: Receiver, url: str) -> None:
    environment = {"CLICKHOUSE_URL": f"json://127.0.0.1:{receiver.port}/hunter2"}
    (attempt,) = told(Channels(environment=environment), Recipient("ann", "Ann", (url.format(port=receiver.port),)))
    assert not attempt.delivered
    assert "${CLICKHOUSE_URL}: only variables whose names begin with SEAMWATCH_CHANNEL_" in attempt.result
    assert "hunter2" not in attempt.result
    assert receiver.received == []


def test_a_failure_says_what_happened_and_at_which_host_unless_that_is_a_secret(receiver: Receiver) -> None:
    receiver.fail["/hook"] = 99
    with socket.create_server(("127.0.0.1", 0)) as closed:
        deaf = closed.getsockname()[1]
    hidden = "json://${SEAMWATCH_CHANNEL_HOOK}"
    urls = (receiver.url("hook"), f"json://127.0.0.1:{deaf}/", "json://no-such-host.invalid/", hidden)
    environment = {"SEAMWATCH_CHANNEL_HOOK": f"localhost:{receiver.port}/hook"}
    attempts = told(Channels(environment=environment), Recipient("ann", "Ann", urls))
    assert {a.channel: a.result for a in attempts} == {
        "json": f"failed: HTTP 500 from 127.0.0.1:{receiver.port} (3 tries)",
        "json#2": f"failed: the connection was refused by 127.0.0.1:{deaf} (3 tries)",
        "json#3": "failed: the name of no-such-host.invalid:80 cannot be found (3 tries)",
        "json#4": "failed: HTTP 500 from the host that a variable of the environment names (3 tries)",
    }


def test_a_service_that_answers_slowly_is_waited_for_and_gets_the_page_once(receiver: Receiver) -> None:
    receiver.hang["/hook"] = 5.0  # longer than Apprise would wait by itself
    (attempt,) = told(Channels(patience=8.0), Recipient("ann", "Ann", (receiver.url("hook"),)))
    assert attempt.delivered
    assert len(receiver.received) == 1


def test_what_is_being_answered_still_is_not_sent_again_and_counts_when_it_comes() -> None:
    begun, answer = [], threading.Event()

    class Slow:
        schemes = frozenset[str]()
        manner = Manner()

        def unusable(self, url: str, *, given: bool) -> str | None:
            raise AssertionError((url, given))

        def send(self, sending: Sending) -> None:
            begun.append(sending.url)
            answer.wait(PATIENCE)

    async def tell() -> tuple[list[Attempt], list[Attempt]]:
        channels = Channels(patience=0.01, service_of=lambda _url: Slow())
        recipient = Recipient("ann", "Ann", ("json://127.0.0.1/hook",))
        first = [attempt async for attempt in channels(recipient, PAGE)]
        answer.set()
        second = [attempt async for attempt in channels(recipient, PAGE)]
        channels.close()
        return first, second

    (failed,), (delivered,) = asyncio.run(tell())
    assert "being answered still" in failed.result
    assert delivered.delivered
    assert begun == ["json://127.0.0.1/hook"]


def test_a_channel_may_not_name_a_file_of_the_pagers_machine(receiver: Receiver) -> None:
    url = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ?template=/etc/hostname"
    (attempt,) = told(Channels(), Recipient("ann", "Ann", (url,)))
    assert "names a file of the pager's machine (template)" in attempt.result


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
        async for attempt in channels(recipient, PAGE):
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
    attempts = told(Channels(console=console), recipient, page_of(violation(1, step=1), recipient, NOW))
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


def test_a_console_that_nobody_is_known_to_read_has_told_only_who_names_it() -> None:
    console = io.StringIO()
    without, named = Recipient("ann", "Ann"), Recipient("bob", "Bob", ("console://",))
    attempts = {
        recipient.id: told(Channels(console=console, console_read=False), recipient)[0].result
        for recipient in (without, named)
    }
    assert attempts == {
        "ann": "failed: ann has no channels; printed on the pager's standard output, which need not be read",
        "bob": "delivered",
    }
    assert "PAGE  Ann (ann)" in console.getvalue()


def test_whom_no_document_knows_is_never_told() -> None:
    console = io.StringIO()
    (attempt,) = told(Channels(console=console), Recipient("ghost", "ghost", known=False))
    assert attempt.result == "failed: no Person document has the id ghost; printed on the pager's standard output"
    assert "PAGE  ghost (ghost)" in console.getvalue()


def test_who_cannot_be_reached_is_known_before_there_is_a_page() -> None:
    channels = Channels(environment={"SEAMWATCH_CHANNEL_HERE": "x"}, console_read=False)
    urls = ("slak://token", "slack://${SEAMWATCH_CHANNEL_AWAY}", "slack://${SEAMWATCH_CHANNEL_HERE}", "console://")
    assert channels.unreachable(Recipient("ann", "Ann", urls)) == [
        "channel slak: Apprise does not know this kind of URL: no service has the scheme 'slak': did you mean 'slack'?",
        "channel slack: the environment has no SEAMWATCH_CHANNEL_AWAY",
    ]
    assert channels.unreachable(Recipient("ann", "Ann")) == [
        "has no channels: pages for them are printed here, and count as not delivered"
    ]
    assert Channels().unreachable(Recipient("ann", "Ann")) == []


def test_labels_hold_the_scheme_and_nothing_else() -> None:
    urls = ("slack://TokenA/TokenB", "slack://TokenC/TokenD", "console://", "https://hooks.example.org/secret")
    assert [label for label, _ in labelled(urls)] == ["slack", "slack#2", "console", "https"]


def test_a_variable_that_is_given_to_other_urls_is_not_sent_to_this_one(receiver: Receiver) -> None:
    environment = {
        "SEAMWATCH_CHANNEL_TOKEN": "hunter2",
        "SEAMWATCH_CHANNEL_TOKEN_FOR": "slack://${SEAMWATCH_CHANNEL_TOKEN}/* json://127.0.0.1/${SEAMWATCH_CHANNEL_TOKEN}",
    }
    url = f"json://127.0.0.1:{receiver.port}/${{SEAMWATCH_CHANNEL_TOKEN}}"
    (attempt,) = told(Channels(environment=environment), Recipient("ann", "Ann", (url,)))
    assert attempt.result == (
        "failed: SEAMWATCH_CHANNEL_TOKEN is given to other channels only: SEAMWATCH_CHANNEL_TOKEN_FOR does not name "
        "this URL"
    )
    assert receiver.received == []
    environment["SEAMWATCH_CHANNEL_TOKEN_FOR"] += f" json://127.0.0.1:{receiver.port}/*"
    assert told(Channels(environment=environment), Recipient("ann", "Ann", (url,)))[0].delivered


def test_only_the_channels_that_are_named_are_told(receiver: Receiver) -> None:
    recipient = Recipient("ann", "Ann", (receiver.url("one"), receiver.url("two")))

    async def tell() -> list[Attempt]:
        channels = Channels()
        try:
            return [attempt async for attempt in channels(recipient, PAGE, {"json#2": None, "slack": None})]
        finally:
            channels.close()

    assert [attempt.channel for attempt in asyncio.run(tell())] == ["json#2"]
    assert [path for path, _ in receiver.received] == ["/two"]


def test_the_manner_of_a_channel_is_that_of_its_service_also_where_a_variable_holds_the_url() -> None:
    channels = Channels(environment={"SEAMWATCH_CHANNEL_URL": "pagerduty://key"})
    recipient = Recipient("ann", "Ann", ("${SEAMWATCH_CHANNEL_URL}", "json://127.0.0.1/", "pagerduty://other"))
    keeps = {label: channels.manner(recipient, label).keeps_incidents for label, _ in labelled(recipient.channels)}
    channels.close()
    assert keeps == {"channel": True, "json": False, "pagerduty": True}
