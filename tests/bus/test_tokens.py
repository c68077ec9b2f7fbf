"""Faust's driver is given a token of the endpoint that librdkafka's properties name, and another before it is over."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from faust.auth import OAuthCredentials, SASLCredentials, SSLCredentials

from bus.faust_app import credentials, faust_app
from bus.tokens import Tokens
from seamwatch.broker import Broker, Property
from seamwatch.errors import UsageError

PREFIX = "sasl.oauthbearer."


class Endpoint(ThreadingHTTPServer):
    """Gives tokens to one client, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.lifetime = 3600


class Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.server.asked.append((self.headers.get("Authorization", ""), form))
        body = {
            "access_token": f"t{len(self.server.asked)}",
            "token_type": "Bearer",
            "expires_in": self.server.lifetime,
        }
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # it would ask by https alone
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def properties(endpoint: Endpoint) -> dict[str, str]:
    return {
        f"{PREFIX}token.endpoint.url": f"http://127.0.0.1:{endpoint.server_port}/token",
        f"{PREFIX}client.id": "seamwatch",
        f"{PREFIX}client.secret": "s3cr3t",
        f"{PREFIX}scope": "kafka",
    }


def test_a_token_is_asked_for_once_while_it_is_good(endpoint: Endpoint) -> None:
    async def several() -> list[str]:
        tokens = Tokens.of(properties(endpoint))
        return [*await asyncio.gather(tokens.token(), tokens.token()), await tokens.token()]

    assert asyncio.run(several()) == ["t1", "t1", "t1"]
    ((login, form),) = endpoint.asked
    assert form["grant_type"] == "client_credentials"
    assert form["scope"] == "kafka"
    assert login == "" or base64.b64decode(login.removeprefix("Basic ")) == b"seamwatch:s3cr3t"


def test_one_that_is_about_to_end_is_replaced(endpoint: Endpoint) -> None:
    endpoint.lifetime = 20  # less than what is left over for the broker to see it

    async def several() -> list[str]:
        tokens = Tokens.of(properties(endpoint))
        return [await tokens.token(), await tokens.token()]

    assert asyncio.run(several()) == ["t1", "t2"]


def test_what_is_missing_is_named_and_nothing_secret_is_shown(endpoint: Endpoint) -> None:
    known = properties(endpoint)
    assert "s3cr3t" not in repr(Tokens.of(known))
    del known[f"{PREFIX}client.id"]
    with pytest.raises(UsageError, match=r"does not name sasl\.oauthbearer\.client\.id"):
        Tokens.of(known)


def test_the_driver_is_let_in_as_the_other_clients_are(endpoint: Endpoint) -> None:
    assert credentials(Broker("a:1")) is None
    found = credentials(
        Broker("a:1", {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER", **properties(endpoint)})
    )
    assert isinstance(found, OAuthCredentials)
    assert found.protocol.value == "SASL_PLAINTEXT"
    assert asyncio.run(found.oauth_cb.token()) == "t1"
    login = {"sasl.mechanism": "PLAIN", "sasl.username": "u", "sasl.password": "p"}
    plain = credentials(Broker("a:1", {"security.protocol": "SASL_SSL", **login}))
    assert isinstance(plain, SASLCredentials)
    assert (plain.protocol.value, plain.username, plain.password) == ("SASL_SSL", "u", "p")
    with pytest.raises(UsageError, match="certificates for Kafka cannot be used"):
        credentials(Broker("a:1", {"security.protocol": "SSL", "ssl.ca.location": "/nowhere"}))


def test_librdkafkas_longer_names_and_extensions_are_taken_and_another_grant_is_refused(endpoint: Endpoint) -> None:
    known = properties(endpoint)
    longer = {name.replace(".client.", ".client.credentials.client."): value for name, value in known.items()}
    assert longer.keys() != known.keys()
    found = Tokens.of({**longer, f"{PREFIX}extensions": "logicalCluster=lkc-1,identityPoolId=pool=2"})
    assert asyncio.run(found.token()) == "t1"
    assert found.extensions == {"logicalCluster": "lkc-1", "identityPoolId": "pool=2"}
    with pytest.raises(UsageError, match="by client_credentials only"):
        Tokens.of({**known, f"{PREFIX}grant.type": "urn:ietf:params:oauth:grant-type:jwt-bearer"})


def test_further_properties_reach_the_driver_are_named_or_refused(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    taken: dict[str, Property] = {
        "client.id": "pager-7",
        "metadata.max.age.ms": 60_000,
        "connections.max.idle.ms": 120_000,
    }
    settings = faust_app(Broker("a:1", {**taken, "linger.ms": 5}), "n", "i", str(tmp_path)).conf
    assert settings.broker_client_id == "pager-7"
    assert (settings.consumer_metadata_max_age_ms, settings.producer_metadata_max_age_ms) == (60_000, 60_000)
    assert (settings.consumer_connections_max_idle_ms, settings.producer_connections_max_idle_ms) == (120_000, 120_000)
    assert "nothing like linger.ms" in caplog.text
    for refused in ("ssl.crl.location", "sasl.oauthbearer.assertion.algorithm", "https.ca.pem"):
        with pytest.raises(UsageError, match=f"nothing like {refused}"):
            faust_app(Broker("a:1", {refused: "s3cr3t"}), "n", "i", str(tmp_path))


def test_whom_the_driver_checks_and_by_which_ciphers_is_as_the_properties_say() -> None:
    over = {"security.protocol": "SSL"}
    usual = credentials(Broker("a:1", over))
    assert isinstance(usual, SSLCredentials)
    assert (usual.context.check_hostname, usual.context.verify_mode) == (True, ssl.CERT_REQUIRED)
    nobody = credentials(Broker("a:1", {**over, "enable.ssl.certificate.verification": False}))
    assert isinstance(nobody, SSLCredentials)
    assert nobody.context.verify_mode == ssl.CERT_NONE
    names = credentials(Broker("a:1", {**over, "ssl.endpoint.identification.algorithm": "none"}))
    assert isinstance(names, SSLCredentials)
    assert (names.context.check_hostname, names.context.verify_mode) == (False, ssl.CERT_REQUIRED)
    with pytest.raises(UsageError, match="certificates for Kafka cannot be used"):
        credentials(Broker("a:1", {**over, "ssl.cipher.suites": "none-such"}))
