"""Connections: what the environment says of how to reach the broker, the store and the schema registry.

Part of the settings. Passwords come by a variable or, better, by a file, and are never shown. Connects to nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

from seamwatch.broker import OURS, Broker, Property
from seamwatch.errors import UsageError

_PREFIX: Final = "SEAMWATCH_"
_OIDC: Final = "sasl.oauthbearer.token.endpoint.url"


def _properties(value: object) -> dict[str, Property]:
    """The mapping that is written as JSON. What it holds is never in an error: it may be secret."""
    try:
        mapping = json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError:
        mapping = None
    if not isinstance(mapping, dict) or any(isinstance(each, list | dict | None) for each in mapping.values()):
        wanted = 'write a JSON object of librdkafka\'s properties, such as {"socket.keepalive.enable": true}'
        raise ValueError(wanted)
    for name in mapping:
        if name in OURS or name in _NAMED:
            instead = f"set {_PREFIX}{_NAMED[name].upper()}" if name in _NAMED else "Seamwatch relies on its own value"
            raise ValueError(f"{name!r} cannot be set here: {instead}")
    return mapping


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _file(path: Path) -> Path:
    return path.expanduser()


_NAMED: Final = {
    "security.protocol": "kafka_security_protocol",
    "sasl.mechanism": "kafka_sasl_mechanism",
    "sasl.mechanisms": "kafka_sasl_mechanism",
    "sasl.username": "kafka_sasl_username",
    "sasl.password": "kafka_sasl_password",
    "ssl.ca.location": "kafka_ssl_ca",
    "ssl.certificate.location": "kafka_ssl_certificate",
    "ssl.key.location": "kafka_ssl_key",
    "ssl.key.password": "kafka_ssl_key_password",
}
"""Properties that have a setting of their own."""

File = Annotated[Path | None, AfterValidator(lambda path: None if path is None else _file(path))]


class Connections(BaseSettings):
    """The part of the settings that says where things are, and how one is let in."""

    kafka: str | None = Field(
        default=None, validation_alias=AliasChoices("KAFKA_BOOTSTRAP_SERVERS", "SEAMWATCH_KAFKA", "kafka")
    )
    """Bootstrap servers of the broker, ``host:port,host:port``."""

    kafka_security_protocol: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], BeforeValidator(_upper)
    ] = "PLAINTEXT"
    """Whether connections to the broker are encrypted, and whether a client logs in."""

    kafka_sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None, BeforeValidator(_upper)
    ] = None
    """How a client logs in; OAUTHBEARER asks the token endpoint that the properties name."""

    kafka_sasl_username: str | None = None
    """Who logs in."""

    kafka_sasl_password: SecretStr | None = None
    """Their password."""

    kafka_sasl_password_file: File = None
    """The file that holds it; a line end after it is not part of it."""

    kafka_ssl_ca: File = None
    """The certificates that the broker's is checked by (PEM); None for those that the machine trusts."""

    kafka_ssl_certificate: File = None
    """The client's own certificate (PEM), where the broker asks for one."""

    kafka_ssl_key: File = None
    """The key of that certificate (PEM)."""

    kafka_ssl_key_password: SecretStr | None = None
    """The password of the key."""

    kafka_ssl_key_password_file: File = None
    """The file that holds it."""

    kafka_properties: Annotated[dict[str, Property], NoDecode, BeforeValidator(_properties)] = Field(
        default_factory=dict, repr=False
    )
    """Further properties of librdkafka for every client, as a JSON object."""

    kafka_properties_file: File = None
    """The file that holds it, where a secret is among them."""

    clickhouse: str | None = Field(
        default=None, validation_alias=AliasChoices("CLICKHOUSE_URL", "SEAMWATCH_CLICKHOUSE", "clickhouse"), repr=False
    )
    """The store, ``http://user:password@host:port/database``."""

    auditor: str | None = Field(
        default=None,
        validation_alias=AliasChoices("SEAMWATCH_AUDITOR_URL", "SEAMWATCH_AUDITOR", "auditor"),
        repr=False,
    )
    """The same store as a user who may only read: what only reads asks by it, where it is set."""

    clickhouse_ca: File = None
    """The certificates that the store's is checked by (PEM), where its address is https."""

    schema_registry_url: str | None = Field(default=None, repr=False)
    """A Confluent schema registry; without one records are framed as Avro single objects."""

    schema_registry_username: str | None = None
    """Who asks it, where it wants to know."""

    schema_registry_password: SecretStr | None = None
    """Their password."""

    schema_registry_password_file: File = None
    """The file that holds it."""

    schema_registry_ca: File = None
    """The certificates that the registry's is checked by (PEM)."""

    def broker(self) -> Broker | None:
        """The broker that is named; None where none is. Raises UsageError where it says half of how to be let in."""
        return None if not self.kafka else Broker(self.kafka, self.kafka_client())

    def kafka_client(self) -> dict[str, Property]:
        """Librdkafka's properties for being let in. Raises UsageError where half is said, or a file is not there."""
        found = self._further()
        protocol = self.kafka_security_protocol
        encrypted, logs_in = protocol.endswith("SSL"), protocol.startswith("SASL")
        given = [name for name in _NAMED.values() if name != "kafka_security_protocol" and self._is_set(name)]
        for name in dict.fromkeys(given):
            if not (logs_in if "sasl" in name else encrypted):
                wanted = "SASL_SSL" if "sasl" in name else "SSL or SASL_SSL"
                raise UsageError(
                    f"{_PREFIX}{name.upper()} is set, and {_PREFIX}KAFKA_SECURITY_PROTOCOL is {protocol}: "
                    f"set that to {wanted}"
                )
        if protocol != "PLAINTEXT":
            found["security.protocol"] = protocol
        if logs_in:
            found |= self._login(found)
        if encrypted:
            found |= self._encryption()
        return found

    def registry_login(self) -> tuple[str, SecretStr] | None:
        """Who asks the schema registry, and their password; None for nobody."""
        if self.schema_registry_username is None:
            return None
        secret = self._secret("schema_registry_password")
        return self.schema_registry_username, secret if secret is not None else SecretStr("")

    def _further(self) -> dict[str, Property]:
        path, variable = self.kafka_properties_file, f"{_PREFIX}KAFKA_PROPERTIES"
        if path is None:
            return dict(self.kafka_properties)
        if self.kafka_properties:
            raise UsageError(f"{variable} and {variable}_FILE are both set: set one of them")
        try:
            return _properties(_text(path, f"{variable}_FILE"))
        except ValueError as error:
            raise UsageError(f"{variable}_FILE: {path}: {error}") from None

    def _login(self, further: Mapping[str, Property]) -> dict[str, Property]:
        mechanism = self.kafka_sasl_mechanism
        if mechanism is None:
            raise UsageError(f"{_PREFIX}KAFKA_SASL_MECHANISM is not set: write SCRAM-SHA-512, or what the broker takes")
        if mechanism == "OAUTHBEARER":
            if _OIDC not in further:
                raise UsageError(f"{_PREFIX}KAFKA_PROPERTIES does not name {_OIDC}, which gives the tokens")
            return {"sasl.mechanism": mechanism, "sasl.oauthbearer.method": "oidc"}
        password = self._secret("kafka_sasl_password")
        if self.kafka_sasl_username is None or password is None:
            missing = "USERNAME" if self.kafka_sasl_username is None else "PASSWORD (or …_PASSWORD_FILE)"
            raise UsageError(f"{_PREFIX}KAFKA_SASL_{missing} is not set, and {mechanism} needs it")
        return {
            "sasl.mechanism": mechanism,
            "sasl.username": self.kafka_sasl_username,
            "sasl.password": password.get_secret_value(),
        }

    def _encryption(self) -> dict[str, Property]:
        files = {
            "ssl.ca.location": "kafka_ssl_ca",
            "ssl.certificate.location": "kafka_ssl_certificate",
            "ssl.key.location": "kafka_ssl_key",
        }
        found: dict[str, Property] = {}
        for name, setting in files.items():
            path: Path | None = getattr(self, setting)
            if path is not None:
                if not path.is_file():
                    raise UsageError(f"{_PREFIX}{setting.upper()}: there is no file {path}")
                found[name] = str(path)
        if ("ssl.certificate.location" in found) != ("ssl.key.location" in found):
            raise UsageError(f"{_PREFIX}KAFKA_SSL_CERTIFICATE and {_PREFIX}KAFKA_SSL_KEY belong together: set both")
        if (password := self._secret("kafka_ssl_key_password")) is not None:
            found["ssl.key.password"] = password.get_secret_value()
        return found

    def _is_set(self, name: str) -> bool:
        return getattr(self, name) is not None or getattr(self, f"{name}_file", None) is not None

    def _secret(self, name: str) -> SecretStr | None:
        """A secret by itself, or that of its file."""
        given: SecretStr | None = getattr(self, name)
        path: Path | None = getattr(self, f"{name}_file")
        if path is None:
            return given
        variable = f"{_PREFIX}{name.upper()}"
        if given is not None:
            raise UsageError(f"{variable} and {variable}_FILE are both set: set one of them")
        return SecretStr(_text(path, f"{variable}_FILE").rstrip("\r\n"))


def _text(path: Path, variable: str) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"{variable}: {path} cannot be read: {why}") from None


def with_ca(url: str | None, ca: Path | None) -> str | None:
    """A store's address that also names the certificates which its own is checked by."""
    if url is None or ca is None or urlsplit(url).scheme != "https":
        return url
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode({"ca_cert": str(ca)}))))
    return urlunsplit(parts._replace(query=query))


def no_kafka_settings() -> dict[str, str]:
    """The variables of how to be let in at the broker, each as if it were not set: for who talks to a local one."""
    names = [name for name in Connections.model_fields if name.startswith("kafka_")]
    return {f"{_PREFIX}{name.upper()}": "" for name in names}
