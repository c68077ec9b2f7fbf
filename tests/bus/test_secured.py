"""On a broker that encrypts, asks who calls and allows each the least, all of the way works, and no more.

Whoever calls comes in by a password, a token or a certificate, and each of our clients does in each of these ways.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from aiokafka import AIOKafkaProducer
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from board.asking import Stores
from board.live.feed import Feed
from board.live.hub import Hub
from board.running import Shown
from bus import clients
from bus.faust_app import credentials, faust_app
from bus.refusals import why_refused
from bus.tail import tail
from bus.topics import create_topics
from seamwatch.broker import Broker
from seamwatch.clock import SystemClock
from seamwatch.errors import UnreachableError, UsageError
from seamwatch.sdk.emitter import Emitter
from seamwatch.sdk.publisher import Publisher
from seamwatch.settings import load_settings
from seamwatch.testing import inference
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics
from sinks.ledger.format.keys import make_keys
from sinks.store.client import Store
from statements import answer
from statements.sending import send
from statements.verdicts import Verdicts
from tests.bus.authority import Authority
from tests.bus.secured import ADMIN, SESSION_SECONDS, Secured, secured_broker
from tests.bus.secured_estate import CONTRACTS, STAGES, USERS, WAYS, Estate, documented, event, written
from tests.sinks.store.encrypting import encrypting
from tests.streams.page.receiver import Receiver, receiving
from tests.waiting import wait_for
from tests.wire.registering import Registry, registering


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured_broker(tmp_path_factory.mktemp("secured"), USERS) as found:
        found.allow(documented())
        yield found


@pytest.fixture
def store(clickhouse: str) -> Iterator[str]:
    """A database of its own."""
    name = f"secured_{uuid.uuid4().hex[:8]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    yield url
    with Store(url, database="default") as own:
        own.command(f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def estate(broker: Secured, tmp_path: Path) -> Iterator[Estate]:
    own = Estate(broker, tmp_path)
    with ExitStack() as ends:
        ends.callback(own.end)
        yield own


@pytest.fixture
def encrypted(broker: Secured, store: str, tmp_path: Path) -> Iterator[Estate]:
    """An estate whose store and schema registry speak TLS too."""
    certificate, word = broker.ca.with_name("server.pem"), uuid.uuid4().hex
    with ExitStack() as ends:
        registry = ends.enter_context(registering(Registry("registrar", word), certificate))
        (tmp_path / "registry.password").write_text(word)
        make_keys(tmp_path / "ledger.key", "tests.example.org/ledger")
        secrets = [word, urlsplit(store).password or word, (tmp_path / "ledger.key").read_text().strip()]
        more = {
            "CLICKHOUSE_URL": ends.enter_context(encrypting(store, certificate)),
            "SEAMWATCH_CLICKHOUSE_CA": str(broker.ca),
            "SEAMWATCH_SCHEMA_REGISTRY_URL": f"https://127.0.0.1:{registry.server_port}",
            "SEAMWATCH_SCHEMA_REGISTRY_USERNAME": "registrar",
            "SEAMWATCH_SCHEMA_REGISTRY_PASSWORD_FILE": str(tmp_path / "registry.password"),
            "SEAMWATCH_SCHEMA_REGISTRY_CA": str(broker.ca),
            "SEAMWATCH_LEDGER_KEY": str(tmp_path / "ledger.key"),
        }
        own = Estate(broker, tmp_path, more, secrets)
        ends.callback(own.end)
        yield own
        assert registry.schemas


@pytest.fixture
def short_tokens(broker: Secured) -> Iterator[None]:
    """Tokens that end while whoever has them goes on."""
    before, broker.tokens.seconds = broker.tokens.seconds, SESSION_SECONDS + 5
    yield
    broker.tokens.seconds = before


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("short_tokens")
def test_all_of_the_way_from_emit_to_a_page_and_a_row(encrypted: Estate, receiver: Receiver, store: str) -> None:
    estate, asked = encrypted, encrypted.broker.tokens.asked
    contracts = estate.folder / "contracts"
    contracts.mkdir()
    (contracts / "all.yaml").write_text(CONTRACTS.format(channel=receiver.url("owner")))
    estate.run("operator", "topics", "create")
    estate.run("governance", "contracts", "publish", str(contracts))
    estate.run("record", "store", "migrate")
    for stage in STAGES:
        estate.start(stage)
    estate.run("producer", "emit", written(estate.folder, [event(0.5, 1), event(1.7, 2)]))
    wait_for(lambda: bool(receiver.bodies("owner")), "the page")
    assert "1.7" in receiver.bodies("owner")[0]

    def stored() -> list[tuple[int, int]]:
        with Store(store) as own:
            counts = own.rows(
                "SELECT countIf(system = 'credit-model') AS i, (SELECT count() FROM page) AS p FROM inference"
            )
        return [(int(row["i"]), int(row["p"])) for row in counts]

    wait_for(lambda: stored() == [(2, 1)], "the rows")
    # Each of them has asked for a token when it began. When those are over, all goes on by new ones.
    begun = dict(asked)
    wait_for(lambda: all(asked[user] > begun[user] for user in ("measure", "page")), "new tokens")
    estate.run("producer", "emit", written(estate.folder, [event(0.5, 3), event(1.9, 4)]))
    wait_for(lambda: stored()[0][0] == 4, "rows by new tokens")
    assert "ok" in estate.run("page", "doctor")
    assert estate.run("page", "cat", "inference").count("credit-model") == 4
    assert "4" in estate.run("record", "sql", "SELECT count() FROM inference WHERE system = 'credit-model'")
    estate.run("record", "verify", "--key", f"{estate.more['SEAMWATCH_LEDGER_KEY']}.pub")
    estate.hides_all()
    codes = estate.end()
    assert codes == dict.fromkeys(STAGES, 0), {stage: estate.log(stage) for stage in STAGES}
    for stage in STAGES:
        estate.hides(estate.log(stage))
        assert "AUTHORIZATION_FAILED" not in estate.log(stage)
        assert "not authorized" not in estate.log(stage).lower()


def named(monkeypatch: pytest.MonkeyPatch, estate: Estate, user: str, by: str, **more: str) -> Broker:
    """The broker that the settings name where the environment is a user's."""
    for name, value in {**estate.environment(user, by), **more}.items():
        if name.startswith(("SEAMWATCH_", "KAFKA_")):
            monkeypatch.setenv(name, value)
    settings = load_settings()
    found = settings.broker()
    assert found is not None
    estate.hides(f"{settings!r} {settings} {found!r} {found}")
    return found


@pytest.mark.parametrize("by", WAYS)
def test_every_client_comes_in_in_each_way(
    estate: Estate, by: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    broker, topics = named(monkeypatch, estate, ADMIN, by), Topics("seamwatch")
    create_topics(broker, topics.prefix)
    publisher = Publisher(broker, topics, Codec())
    publisher.send("inference", inference(subject=f"publisher-{by}").record())
    assert publisher.finish() == 1

    # Events that a process left on disk, since its broker was away, are sent by another.
    away = Broker("127.0.0.1:9", broker.properties)
    first = Emitter("p", bootstrap=away, prefix=topics.prefix, spool=tmp_path / "spool", delivery_timeout=1.0)
    first.emit(inference(subject=f"spooled-{by}"))
    assert first.close(5.0) == 1
    second = Emitter("p", bootstrap=broker, prefix=topics.prefix, spool=tmp_path / "spool")
    second.start()
    wait_for(lambda: second.counts.delivered == 1, "the spooled event")
    assert second.close() == 0

    async def by_faust() -> None:
        login = credentials_to_aiokafka_auth(credentials(broker))
        producer = AIOKafkaProducer(bootstrap_servers=broker.servers, **login)
        await producer.start()
        value = Codec().encode("inference", inference(subject=f"faust-{by}").record())
        await producer.send_and_wait(topics.input("inference"), value, b"credit-model")
        await producer.stop()

    asyncio.run(by_faust())
    seen = [Codec().decode("inference", read.value or b"")["subject"] for read in tail(broker, topics, ["inference"])
            if read.value is not None and read.value[:1] != b"\0"]  # fmt: skip
    assert {f"publisher-{by}", f"spooled-{by}", f"faust-{by}"} <= set(seen)
    estate.hides(caplog.text + repr(faust_app(broker, "n", "i", str(tmp_path)).conf.broker_credentials))


def foreign(folder: Path, user: str) -> dict[str, str]:
    """A certificate by an authority that the broker does not know."""
    certificate, key = Authority().client(user, "x")
    (folder / "foreign.pem").write_bytes(certificate)
    (folder / "foreign.key").write_bytes(key)
    return {
        "SEAMWATCH_KAFKA_SSL_CERTIFICATE": str(folder / "foreign.pem"),
        "SEAMWATCH_KAFKA_SSL_KEY": str(folder / "foreign.key"),
        "SEAMWATCH_KAFKA_SSL_KEY_PASSWORD": "x",
        "SEAMWATCH_KAFKA_SSL_KEY_PASSWORD_FILE": "",
    }


NO_CERTIFICATE = dict.fromkeys(
    (f"SEAMWATCH_KAFKA_SSL_{name}" for name in ("CERTIFICATE", "KEY", "KEY_PASSWORD_FILE")), ""
)


@pytest.mark.parametrize(
    ("by", "wrong", "said"),
    [
        ("SSL", "none", "asks for a certificate (SEAMWATCH_KAFKA_SSL_CERTIFICATE)"),
        ("SSL", "foreign", "does not accept the certificate of SEAMWATCH_KAFKA_SSL_CERTIFICATE"),
        ("OAUTHBEARER", "secret", "the token endpoint gives no token"),
        ("OAUTHBEARER", "audience", "it does not accept the token"),
        ("SCRAM-SHA-256", "password", "uthentication"),
        ("PLAIN", "password", "uthentication"),
    ],
)
def test_who_is_refused_is_told_why_and_without_the_secret(
    estate: Estate, by: str, wrong: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = {"none": NO_CERTIFICATE, "foreign": foreign(estate.folder, "judge")}.get(wrong, {})
    if wrong == "password":
        more = {"SEAMWATCH_KAFKA_SASL_PASSWORD": "another", "SEAMWATCH_KAFKA_SASL_PASSWORD_FILE": ""}
    broker = named(monkeypatch, estate, "judge", by, **more)
    if wrong == "secret":
        broker = Broker(broker.servers, {**broker.properties, "sasl.oauthbearer.client.secret": "another"})
    if wrong == "audience":
        monkeypatch.setattr(estate.broker.tokens, "audience", "somebody else")
    found = why_refused(broker, 20.0)
    assert found is not None
    assert "does not let us in" in found
    assert said in found
    assert "docs/connections.md" in found
    with pytest.raises(UnreachableError) as told:
        Publisher(broker, Topics("seamwatch"), Codec(), timeout=3.0)
    assert said in str(told.value)
    assert "another" not in f"{found}{told.value}"
    estate.hides(f"{found}{told.value}")


def test_a_key_that_its_password_does_not_open_is_told_and_no_event_is_lost(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEAMWATCH_KAFKA_SSL_KEY_PASSWORD", "another-word")
    right = named(monkeypatch, estate, ADMIN, "SSL", SEAMWATCH_KAFKA_SSL_KEY_PASSWORD="")
    broker = Broker(right.servers, {**right.properties, "ssl.key.password": "another-word"})
    topics, said = Topics("seamwatch"), []
    makes = (
        lambda: clients.admin(broker),
        lambda: Publisher(broker, topics, Codec()),
        lambda: faust_app(broker, "n", "i", str(tmp_path)),
        lambda: faust_app(Broker(right.servers, {k: v for k, v in right.properties.items() if k != "ssl.key.password"}),
                          "n", "i", str(tmp_path)),
    )  # fmt: skip
    for make in makes:
        with pytest.raises(UsageError) as told:
            make()
        said.append(str(told.value))
    assert all("SEAMWATCH_KAFKA_SSL_KEY_PASSWORD" in each for each in said), said
    with caplog.at_level(logging.WARNING):
        emitter = Emitter("p", bootstrap=broker, prefix=topics.prefix, spool=tmp_path / "spool")
        emitter.emit(inference())
        wait_for(lambda: emitter.counts.spooled == 1, "the event on disk")
        emitter.close()
    assert "cannot be delivered" in caplog.text
    assert "another-word" not in "".join(said) + caplog.text
    mended = Emitter("p", bootstrap=right, prefix=topics.prefix, spool=tmp_path / "spool")
    mended.start()
    wait_for(lambda: mended.counts.delivered == 1, "the event")
    mended.close()


def test_a_producer_may_not_publish_a_contract(estate: Estate) -> None:
    contracts = estate.folder / "contracts"
    contracts.mkdir()
    (contracts / "all.yaml").write_text(CONTRACTS.format(channel="json://127.0.0.1:9/"))
    estate.run("operator", "topics", "create")
    said = estate.run("producer", "contracts", "publish", str(contracts), code=3)
    assert "seamwatch.contracts" in said
    assert "authoriz" in said.lower()


def test_the_board_follows_and_sends_answers_and_does_no_more(broker: Secured) -> None:
    create_topics(broker.broker(), "seamwatch", 2)
    nowhere = "http://127.0.0.1:9/seamwatch"
    shown = Shown(broker.broker("board"), "seamwatch", nowhere, nowhere)
    feed = Feed(shown, Stores(shown), Codec(), SystemClock(), Hub())
    feed.start()
    try:
        wait_for(lambda: feed.away_since is None)
    finally:
        feed.end()
    found = answer.of_violation("e" * 32, "credit-model", "a summary")
    said = answer.draft(found, "owner@example.org", "accept", None, SystemClock().now(), "seamwatch board")
    assert answer.submit(shown, said, 0) is None
    with Verdicts(shown.kafka, "seamwatch.verdict"):
        # It raises where one of them may not be read.
        read = list(tail(shown.kafka, Topics("seamwatch"), ("config_change", "violations", "notice")))
    assert {each.topic.split(".")[1] for each in read} <= {"config_change", "violations", "notice"}
    for topic in ("contracts", "page", "verdict", "inference"):
        assert "authorization failed" in str(send(shown.kafka, f"seamwatch.{topic}", [(b"k", b"v")]))


def test_a_wrong_password_is_said_and_not_shown(estate: Estate) -> None:
    wrong = "not-the-password-7c1"
    more = {"SEAMWATCH_KAFKA_SASL_PASSWORD": wrong, "SEAMWATCH_KAFKA_SASL_PASSWORD_FILE": ""}
    said = estate.run("operator", "doctor", code=1, **more)
    assert "does not let us in" in said
    assert "authentication" in said.lower()
    assert wrong not in said


def test_a_certificate_that_is_not_trusted_is_said(estate: Estate) -> None:
    said = estate.run("operator", "doctor", code=1, SEAMWATCH_KAFKA_SSL_CA="")
    assert "does not let us in" in said
    assert "certificate" in said.lower()
