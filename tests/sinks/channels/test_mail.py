"""E-mail: a plain and an HTML part, one thread a violation, by a real exchange with a server of the test's own."""

from __future__ import annotations

import email
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default

import pytest

from seamwatch.incidents import RESOLVED
from seamwatch.paging import DELIVERED, Page, Recipient, digest_of
from sinks.channels.services import unusable
from tests.sinks.channels.telling import page, told
from tests.sinks.samples import NOW, violation


class Server:
    """What was received, to whom each; ``refuse`` is answered to each recipient instead."""

    def __init__(self) -> None:
        self.received: list[tuple[list[str], EmailMessage]] = []
        self.refuse: str | None = None
        self.port = 0


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 mail.example.org")
            to: list[str] = []
            while line := self.rfile.readline().decode().strip():
                verb = line.upper()
                if verb.startswith("RCPT TO:"):
                    to.append(line.partition("<")[2].partition(">")[0])
                    self._say(server.refuse or "250 ok")
                elif verb == "DATA":
                    self._say("354 go on")
                    lines = []
                    while (data := self.rfile.readline()) != b".\r\n":
                        lines.append(data.removeprefix(b"."))
                    message = email.message_from_bytes(b"".join(lines), policy=default)
                    assert isinstance(message, EmailMessage)
                    server.received.append((to, message))
                    to = []
                    self._say("250 taken")
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 ok")

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    made = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    server.port = made.server_address[1]
    threading.Thread(target=made.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        made.shutdown()
        made.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


def tell(server: Server, what: Page, to: str = "ann@example.org") -> list[str]:
    url = f"mailto://127.0.0.1:{server.port}/{to}?mode=insecure&from=seamwatch@example.org"
    return [attempt.result for attempt in told((url,), what)]


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def test_a_page_is_plain_text_and_html_with_its_addresses_as_links(server: Server) -> None:
    assert tell(server, page(of=violation(1, summary="the <b>feed</b> is old"))) == [DELIVERED]
    ((to, message),) = server.received
    assert to == ["ann@example.org"]
    assert message["subject"] == "BREACH credit-feed: fresh"
    assert message["auto-submitted"] == "auto-generated"
    plain, shown = part(message, "plain"), part(message, "html")
    for words in (
        "the <b>feed</b> is old",
        "Runbook   https://example.org/runbook",
        "then bob is told",
        "Offended  e1",
    ):
        assert words in plain
    assert "Reference v0001/0" in plain
    assert "the &lt;b&gt;feed&lt;/b&gt; is old" in shown
    assert '<a href="https://example.org/runbook">' in shown
    assert '<a href="https://board.example.org/episodes/v0001">' in shown


def test_all_about_one_violation_is_one_thread_and_what_comes_twice_has_one_id(server: Server) -> None:
    tell(server, page())
    tell(server, page())
    tell(server, page(RESOLVED))
    tell(server, page(of=violation(2)))
    first, again, over, other = (message for _, message in server.received)
    assert first["message-id"] == again["message-id"] == "<v0001@example.org>"
    assert over["in-reply-to"] == over["references"] == first["message-id"]
    assert over["message-id"] != first["message-id"]
    assert other["message-id"] == "<v0002@example.org>"
    assert "in-reply-to" not in first


def test_a_digest_is_a_message_of_its_own(server: Server) -> None:
    tell(server, digest_of([violation(n) for n in range(5)], Recipient("ann", "Ann"), NOW))
    ((_, message),) = server.received
    assert message["subject"] == "5 violations, 5 breaches: credit-feed"


def test_each_address_gets_it_and_a_refusal_says_its_status(server: Server) -> None:
    assert tell(server, page(), "ann@example.org/bob@example.org") == [DELIVERED]
    assert [to for to, _ in server.received] == [["ann@example.org"], ["bob@example.org"]]
    server.refuse = "550 no such user hunter2"
    (result,) = tell(server, page())
    assert result == "failed: SMTP 550 from 127.0.0.1"
    server.refuse = "451 later"
    (result,) = tell(server, page())
    assert result == "failed: SMTP 451 from 127.0.0.1 (3 tries)"


def test_a_url_that_cannot_be_used_is_known_before_there_is_a_page() -> None:
    assert unusable("mailto://example.org") is not None
    assert unusable("mailto://${SEAMWATCH_CHANNEL_USER}:${SEAMWATCH_CHANNEL_PASSWORD}@example.org") is None
