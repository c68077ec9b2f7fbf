"""A broker that encrypts, asks who calls and lets each do only what it was allowed: the real one, on loopback."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from bus import clients
from seamwatch.broker import Broker
from stack.kafka import server as kafka_server
from stack.kafka.jars import kafka_jars, user_cache
from stack.kafka.java import find_java
from tests.bus.authority import Authority, certificates
from tests.bus.token_service import AUDIENCE, ISSUER, TokenService, token_service
from tests.waiting import PATIENCE

MECHANISM = "SCRAM-SHA-512"
ADMIN = "admin"

SASL = "org.apache.kafka.common.security"
SESSION_SECONDS = 15
"""So long a connection by a token goes on before it has to show one again."""

_SECURITY = """
sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN,OAUTHBEARER
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={sasl}.scram.ScramLoginModule required \
username="{admin}" password="{password}";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={sasl}.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config={sasl}.plain.PlainLoginModule required {plain};
listener.name.sasl_ssl.oauthbearer.sasl.jaas.config={sasl}.oauthbearer.OAuthBearerLoginModule required;
listener.name.sasl_ssl.oauthbearer.sasl.server.callback.handler.class=\
{sasl}.oauthbearer.OAuthBearerValidatorCallbackHandler
listener.name.sasl_ssl.oauthbearer.connections.max.reauth.ms={session}
sasl.oauthbearer.jwks.endpoint.url={keys}
sasl.oauthbearer.expected.audience={audience}
sasl.oauthbearer.expected.issuer={issuer}
sasl.oauthbearer.clock.skew.seconds=1
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.mutual.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=([^,]+)$/$1/
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{admin};User:ANONYMOUS
"""
_DENIALS = """
log4j.logger.kafka.authorizer.logger=INFO, file
"""


@dataclass(frozen=True, slots=True)
class Secured:
    """Where it is, what its certificate is checked by, and the passwords of those who may log in.

    A user's password is the same whatever they log in by, and opens the key of their certificate as well.
    """

    servers: str
    mutual: str
    """Where it asks for a certificate of the client instead."""
    ca: Path
    passwords: Mapping[str, str]
    authority: Authority
    tokens: TokenService

    def environment(self, user: str, folder: Path, by: str = MECHANISM) -> dict[str, str]:
        """What somebody's environment says who comes in ``by`` a mechanism, or by "SSL"; the password is in a file."""
        file = folder / f"{user}.password"
        file.write_text(self.passwords[user] + "\n")
        own = {"KAFKA_BOOTSTRAP_SERVERS": self.servers, "SEAMWATCH_KAFKA_SSL_CA": str(self.ca)}
        if by == "SSL":
            certificate, key = self.authority.client(user, self.passwords[user])
            (folder / f"{user}.pem").write_bytes(certificate)
            (folder / f"{user}.key").write_bytes(key)
            return own | {
                "KAFKA_BOOTSTRAP_SERVERS": self.mutual,
                "SEAMWATCH_KAFKA_SECURITY_PROTOCOL": "SSL",
                "SEAMWATCH_KAFKA_SSL_CERTIFICATE": str(folder / f"{user}.pem"),
                "SEAMWATCH_KAFKA_SSL_KEY": str(folder / f"{user}.key"),
                "SEAMWATCH_KAFKA_SSL_KEY_PASSWORD_FILE": str(file),
            }
        own |= {"SEAMWATCH_KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "SEAMWATCH_KAFKA_SASL_MECHANISM": by}
        if by == "OAUTHBEARER":
            properties = folder / f"{user}.kafka.json"
            properties.write_text(json.dumps(self.oidc(user)))
            return own | {"SEAMWATCH_KAFKA_PROPERTIES_FILE": str(properties)}
        return own | {"SEAMWATCH_KAFKA_SASL_USERNAME": user, "SEAMWATCH_KAFKA_SASL_PASSWORD_FILE": str(file)}

    def oidc(self, user: str) -> dict[str, str]:
        """The properties by which a user gets tokens."""
        return {
            "sasl.oauthbearer.token.endpoint.url": self.tokens.url,
            "sasl.oauthbearer.client.id": user,
            "sasl.oauthbearer.client.secret": self.passwords[user],
            "https.ca.location": str(self.ca),
        }

    def broker(self, user: str = ADMIN) -> Broker:
        """The broker as a user sees it."""
        return Broker(
            self.servers,
            {
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": MECHANISM,
                "sasl.username": user,
                "sasl.password": self.passwords[user],
                "ssl.ca.location": str(self.ca),
            },
        )

    def allow(self, commands: Sequence[Sequence[str]]) -> None:
        """Do what ``kafka-acls.sh --add`` does with these arguments of each line."""
        bindings = [binding for command in commands for binding in _bindings(command)]
        admin = clients.admin(self.broker())  # with the client go the answers
        for future in admin.create_acls(bindings).values():
            future.result(PATIENCE)


def _bindings(arguments: Sequence[str]) -> Iterator[AclBinding]:
    given: dict[str, list[str]] = {}
    words = iter(arguments)
    for word in words:
        assert word.startswith("--"), word
        given.setdefault(word[2:], []).append("" if word in ("--add", "--idempotent") else next(words))
    (principal,) = given.pop("allow-principal")
    operations = given.pop("operation")
    (pattern,) = given.pop("resource-pattern-type", ["literal"])
    assert given.pop("add") == [""]
    for name, resources in given.items():
        for resource in resources:
            for operation in operations:
                yield AclBinding(
                    ResourceType[name.replace("-", "_").upper()],
                    resource,
                    ResourcePatternType[pattern.upper()],
                    principal,
                    "*",
                    AclOperation[re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).upper()],
                    AclPermissionType.ALLOW,
                )


@contextlib.contextmanager
def secured_broker(folder: Path, users: Sequence[str], seconds: float = 60.0) -> Iterator[Secured]:
    """A broker that knows these users and allows them nothing yet."""
    passwords = {user: uuid.uuid4().hex for user in (ADMIN, *users)}
    authority = certificates(folder)
    with token_service(passwords, folder / "server.pem") as tokens:
        port, mutual = _configured(folder, passwords, tokens)
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        made = [
            f"--add-scram={mechanism}=[name={user},password={word}]"
            for user, word in passwords.items()
            for mechanism in (MECHANISM, "SCRAM-SHA-256")
        ]
        settings = str(folder / "server.properties")
        format_ = ["format", "--standalone", f"--cluster-id={cluster}", "-c", settings, *made]
        formatting = _java(folder, "kafka.tools.StorageTool", *format_)
        subprocess.run(formatting, check=True, capture_output=True, timeout=seconds)
        # Newer brokers ask nobody for keys who is not named so.
        allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={tokens.keys_url}"
        with (folder / "out").open("wb") as out:
            command = _java(folder, "kafka.Kafka", settings, options=[allowed])
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            found = Secured(f"127.0.0.1:{port}", f"127.0.0.1:{mutual}", folder / "ca.pem", passwords, authority, tokens)
            _await(found, process, time.monotonic() + seconds)
            yield found
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _configured(folder: Path, passwords: Mapping[str, str], tokens: TokenService) -> tuple[int, int]:
    """Writes the broker's files; the ports where one logs in, and where one shows a certificate."""
    port, mutual, controller_port = _free_port(), _free_port(), _free_port()
    properties = kafka_server.PROPERTIES.format(port=port, controller_port=controller_port, data=folder / "data")
    properties = properties.replace(
        f"PLAINTEXT://127.0.0.1:{port}", f"SASL_SSL://127.0.0.1:{port},MUTUAL://127.0.0.1:{mutual}"
    )
    properties = properties.replace("listener.name=PLAINTEXT", "listener.name=SASL_SSL")
    properties = properties.replace("PLAINTEXT:PLAINTEXT,", "SASL_SSL:SASL_SSL,MUTUAL:SSL,")
    properties += _SECURITY.format(
        sasl=SASL,
        admin=ADMIN,
        password=passwords[ADMIN],
        plain=" ".join(f'user_{user}="{word}"' for user, word in passwords.items()),
        session=SESSION_SECONDS * 1000,
        keys=tokens.keys_url,
        audience=AUDIENCE,
        issuer=ISSUER,
        folder=folder,
    )
    (folder / "server.properties").write_text(properties)
    (folder / "log4j.properties").write_text(kafka_server.LOGGING.format(log=folder / "kafka.log") + _DENIALS)
    return port, mutual


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _await(broker: Secured, process: subprocess.Popen[bytes], until: float) -> None:
    admin = clients.admin(broker.broker())
    while True:
        assert process.poll() is None, "the broker has ended"
        with contextlib.suppress(KafkaException):
            if admin.list_topics(timeout=2.0).brokers:
                return
        assert time.monotonic() < until, "the broker does not answer"


def _java(folder: Path, main: str, *arguments: str, options: Sequence[str] = ()) -> list[str]:
    jars = kafka_jars(user_cache(None), lambda _line: None)
    logging = f"-Dlog4j.configuration=file:{folder / 'log4j.properties'}"
    java = [str(find_java(None)), *kafka_server.HEAP, *options, logging, "-cp", f"{jars}/*"]
    return [*java, main, *arguments]
