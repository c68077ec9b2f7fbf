"""The Faust application that a pager runs in, connected as every other client is; knows none of its agents."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from typing import Any, Final

import faust
from aiokafka.abc import AbstractTokenProvider
from faust.auth import Credentials, OAuthCredentials, SASLCredentials, SSLCredentials

from bus.tokens import OF_TOKENS, Tokens
from seamwatch.broker import KEY_HINT, Address, Broker, broker_at
from seamwatch.errors import UsageError

_log = logging.getLogger(__name__)

_APPLICATION: Final = {
    "client.id": ("broker_client_id",),
    "connections.max.idle.ms": ("consumer_connections_max_idle_ms", "producer_connections_max_idle_ms"),
    "metadata.max.age.ms": ("consumer_metadata_max_age_ms", "producer_metadata_max_age_ms"),
}
"""Properties of librdkafka that are settings of the application by other names."""
_ENCRYPTION: Final = frozenset(
    {
        *("ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.key.password"),
        *("ssl.cipher.suites", "ssl.endpoint.identification.algorithm", "enable.ssl.certificate.verification"),
    }
)
_LOGIN: Final = frozenset({"security.protocol", "sasl.mechanism", "sasl.username", "sasl.password"})
_SECURITY: Final = ("ssl.", "sasl.", "https.", "enable.ssl.", "enable.sasl.", "security.")


def faust_app(address: Address, name: str, instance: str, folder: str) -> faust.App:
    """An application by the settings that were found to hold (docs/paging.md says why each).

    Of the broker's properties, which are librdkafka's, it goes by those that Faust's driver has the like of. Raises
    UsageError for another that is about security, and where a certificate or a key cannot be read; what else has no
    like is logged.
    """
    broker = broker_at(address)
    further = _settings(broker.properties)
    return faust.App(
        name,
        broker=f"aiokafka://{broker.servers.replace(',', ';')}",
        broker_credentials=credentials(broker),
        store="memory://",
        datadir=folder,
        processing_guarantee="at_least_once",
        topic_disable_leader=True,
        topic_allow_declare=False,
        producer_acks=-1,
        web_enabled=False,
        # Unique, since two workers with an empty one would each own every partition; and the same after a restart,
        # since the group would otherwise wait for the one that died.
        consumer_group_instance_id=f"{name}-{instance}",
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        consumer_auto_offset_reset="earliest",
        key_serializer="raw",
        autodiscover=False,
        **further,
    )


def _settings(known: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of the application by librdkafka's properties."""
    rest = known.keys() - _ENCRYPTION - _LOGIN - OF_TOKENS - _APPLICATION.keys()
    if refused := sorted(name for name in rest if name.startswith(_SECURITY)):
        raise UsageError(
            f"SEAMWATCH_KAFKA_PROPERTIES: the pager's client has nothing like {', '.join(refused)} "
            "(docs/connections.md says what it has): set what it takes, for the pager at least"
        )
    if rest:
        _log.warning("the pager's client has nothing like %s, and goes without it", ", ".join(sorted(rest)))
    found: dict[str, Any] = {}
    for name, settings in _APPLICATION.items():
        if name in known:
            found |= dict.fromkeys(settings, known[name])
    return found


def credentials(broker: Broker) -> Credentials | None:
    """What lets Faust's driver in where librdkafka's properties let the other clients in; None where all are let in."""
    known = broker.properties
    protocol = str(known.get("security.protocol", "PLAINTEXT"))
    context = _context(known) if protocol.endswith("SSL") else None
    if protocol == "SSL":
        return SSLCredentials(context)
    if not protocol.startswith("SASL"):
        return None
    if known["sasl.mechanism"] == "OAUTHBEARER":
        return OAuthCredentials(oauth_cb=_Provider(Tokens.of(known)), ssl_context=context)
    return SASLCredentials(
        username=str(known["sasl.username"]),
        password=str(known["sasl.password"]),
        ssl_context=context,
        mechanism=str(known["sasl.mechanism"]),
    )


class _Provider(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka ships no types
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def token(self) -> str:
        return await self._tokens.token()

    def extensions(self) -> dict[str, str]:
        return dict(self._tokens.extensions)


def _context(known: Any) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=known.get("ssl.ca.location"))
        if "ssl.cipher.suites" in known:
            context.set_ciphers(known["ssl.cipher.suites"])
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"the certificates for Kafka cannot be used: {error}") from None
    if "ssl.certificate.location" in known:
        # Without any password OpenSSL would ask the terminal for one.
        files = known["ssl.certificate.location"], known.get("ssl.key.location"), known.get("ssl.key.password", "")
        try:
            context.load_cert_chain(*files)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"the certificate for Kafka cannot be used: {error}. {KEY_HINT}") from None
    if known.get("ssl.endpoint.identification.algorithm") == "none":
        context.check_hostname = False
    if known.get("enable.ssl.certificate.verification") in (False, "false"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
