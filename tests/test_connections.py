"""What the environment says of servers reaches every client whole; half of it is told, and no secret is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seamwatch.broker import Broker
from seamwatch.connections import no_kafka_settings
from seamwatch.errors import UsageError
from seamwatch.settings import Settings, load_settings

SECRET = "s3cr3t-of-a-test"


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "CLICKHOUSE_URL", "SEAMWATCH_AUDITOR_URL", *no_kafka_settings()):
        monkeypatch.delenv(name, raising=False)


def said(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in {"KAFKA_BOOTSTRAP_SERVERS": "a:1,b:2", **values}.items():
        monkeypatch.setenv(name if name.isupper() and not name.startswith("_") else f"SEAMWATCH{name}".upper(), value)
    return load_settings()


def client(settings: Settings) -> dict[str, object]:
    broker = settings.broker()
    assert broker is not None
    return broker.client()


def test_without_any_setting_a_client_knows_the_servers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().broker() is None
    assert client(said(monkeypatch)) == {"bootstrap.servers": "a:1,b:2"}


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_login_over_tls_with_the_password_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ending: str
) -> None:
    (tmp_path / "password").write_text(f" {SECRET}{ending}", newline="")
    (tmp_path / "ca.pem").write_text("-")
    settings = said(
        monkeypatch,
        _kafka_security_protocol="sasl_ssl",
        _kafka_sasl_mechanism="scram-sha-512",
        _kafka_sasl_username="measure",
        _kafka_sasl_password_file=str(tmp_path / "password"),
        _kafka_ssl_ca=str(tmp_path / "ca.pem"),
        _kafka_properties='{"socket.keepalive.enable": true, "ssl.endpoint.identification.algorithm": "none"}',
    )
    assert client(settings) == {
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "measure",
        "sasl.password": f" {SECRET}",
        "ssl.ca.location": str(tmp_path / "ca.pem"),
        "socket.keepalive.enable": True,
        "ssl.endpoint.identification.algorithm": "none",
    }
    broker = settings.broker()
    assert SECRET not in f"{broker!r} {broker} {settings!r}"


def test_a_client_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("own.pem", "own.key"):
        (tmp_path / name).write_text("-")
    settings = said(
        monkeypatch,
        _kafka_security_protocol="SSL",
        _kafka_ssl_certificate=str(tmp_path / "own.pem"),
        _kafka_ssl_key=str(tmp_path / "own.key"),
        _kafka_ssl_key_password=SECRET,
    )
    assert client(settings) == {
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "SSL",
        "ssl.certificate.location": str(tmp_path / "own.pem"),
        "ssl.key.location": str(tmp_path / "own.key"),
        "ssl.key.password": SECRET,
    }
    assert SECRET not in repr(settings)


def test_tokens_by_oidc(monkeypatch: pytest.MonkeyPatch) -> None:
    properties = {
        "sasl.oauthbearer.token.endpoint.url": "https://login.example.org/token",
        "sasl.oauthbearer.client.id": "seamwatch",
        "sasl.oauthbearer.client.secret": SECRET,
    }
    settings = said(
        monkeypatch,
        _kafka_security_protocol="SASL_SSL",
        _kafka_sasl_mechanism="OAUTHBEARER",
        _kafka_properties=json.dumps(properties),
    )
    found = client(settings)
    assert found.items() >= {**properties, "sasl.oauthbearer.method": "oidc"}.items()
    assert SECRET not in f"{settings!r}{settings.broker()!r}"


def test_further_properties_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    properties = {
        "sasl.oauthbearer.token.endpoint.url": "https://a.example.org",
        "sasl.oauthbearer.client.secret": SECRET,
    }
    (tmp_path / "kafka.json").write_text(json.dumps(properties))
    values = {"_kafka_security_protocol": "SASL_SSL", "_kafka_sasl_mechanism": "OAUTHBEARER"}
    settings = said(monkeypatch, _kafka_properties_file=str(tmp_path / "kafka.json"), **values)
    assert client(settings).items() >= properties.items()
    assert SECRET not in f"{settings!r}{settings.broker()!r}"
    (tmp_path / "kafka.json").write_text(f'{{"sasl.password": "{SECRET}"}}')
    with pytest.raises(
        UsageError, match=r"kafka\.json: 'sasl\.password' cannot be set here: set SEAMWATCH_KAFKA_SASL"
    ) as told:
        settings.broker()
    assert SECRET not in str(told.value)
    with pytest.raises(UsageError, match="PROPERTIES_FILE are both set"):
        said(monkeypatch, _kafka_properties='{"client.id": "x"}').broker()


SASL = {"_kafka_security_protocol": "SASL_SSL", "_kafka_sasl_mechanism": "PLAIN", "_kafka_sasl_username": "u"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"_kafka_sasl_username": "u"}, "KAFKA_SASL_USERNAME is set, and .*PROTOCOL is PLAINTEXT"),
        ({"_kafka_ssl_ca": "x"}, "KAFKA_SSL_CA is set, and .*PROTOCOL is PLAINTEXT"),
        ({"_kafka_security_protocol": "SASL_SSL"}, "SASL_MECHANISM is not set"),
        (SASL, r"KAFKA_SASL_PASSWORD \(or .*_FILE\) is not set, and PLAIN needs it"),
        ({**SASL, "_kafka_sasl_password_file": "/nowhere"}, "PASSWORD_FILE: /nowhere cannot be read: No such file"),
        (
            {**SASL, "_kafka_sasl_password": SECRET, "_kafka_sasl_password_file": "/nowhere"},
            "are both set: set one of them",
        ),
        ({"_kafka_security_protocol": "SSL", "_kafka_ssl_ca": "/nowhere"}, "KAFKA_SSL_CA: there is no file /nowhere"),
        ({"_kafka_security_protocol": "SSL", "_kafka_ssl_key": __file__}, "belong together"),
        ({"_kafka_security_protocol": "TLS"}, "SEAMWATCH_KAFKA_SECURITY_PROTOCOL='TLS'"),
        (
            {"_kafka_security_protocol": "SASL_SSL", "_kafka_sasl_mechanism": "OAUTHBEARER"},
            "does not name sasl.oauthbearer.token.endpoint.url",
        ),
        ({"_kafka_properties": f'{{"sasl.password": "{SECRET}"}}'}, "set SEAMWATCH_KAFKA_SASL_PASSWORD"),
        ({"_kafka_properties": '{"isolation.level": "read_uncommitted"}'}, "'isolation.level' cannot be set here"),
        ({"_kafka_properties": f'{{"x": ["{SECRET}"]}}'}, "write a JSON object"),
        ({"_kafka_properties": SECRET}, "write a JSON object"),
    ],
)
def test_half_of_it_is_told_in_words_and_without_the_secret(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as told:
        said(monkeypatch, **values).broker()
    assert SECRET not in str(told.value)
    assert SECRET not in repr(told.value.__cause__)


def test_what_a_client_is_for_goes_before_what_the_broker_says() -> None:
    broker = Broker("a:1", {"linger.ms": 100, "sasl.password": "p"})
    assert broker.client({"linger.ms": 5}) == {"bootstrap.servers": "a:1", "linger.ms": 5, "sasl.password": "p"}


def test_a_store_is_checked_by_certificates_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from sinks.store.client import Address

    settings = said(
        monkeypatch,
        CLICKHOUSE_URL="https://w:p%40@store.example.org/seamwatch",
        _auditor_url="http://r@127.0.0.1:8123/seamwatch",
        _clickhouse_ca="/etc/a ca & more.pem",
    )
    found = Address.parse(str(settings.clickhouse))
    assert (found.ca, found.port, found.password, found.database) == ("/etc/a ca & more.pem", 8443, "p@", "seamwatch")
    assert Address.parse(str(settings.auditor)).ca is None


def test_no_address_with_a_password_in_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = said(
        monkeypatch,
        CLICKHOUSE_URL=f"https://w:{SECRET}@store.example.org/seamwatch",
        _auditor_url=f"http://r:{SECRET}@127.0.0.1:8123/seamwatch",
        _schema_registry_url=f"http://u:{SECRET}@registry.example.org",
    )
    assert SECRET in str(settings.clickhouse)
    assert SECRET not in f"{settings!r}{settings}"
