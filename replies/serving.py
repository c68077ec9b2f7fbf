"""Serving: one process that relays, until it is told to end. It is put together here, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog
import uvicorn

from replies import pagerduty, webhook
from replies.app import make_app
from replies.asking import PagerDutyApi
from replies.desk import Desk
from replies.following import Following
from replies.metrics import Metrics
from replies.publishing import Publishing
from replies.reconciling import Reconciling
from replies.relay import Relay
from replies.slack import Slack
from replies.verifying import secrets_of, standard_secrets_of, token_of
from seamwatch.errors import UsageError
from seamwatch.listening import listen
from seamwatch.settings import Settings
from seamwatch.wire.codec import codec_of

log = structlog.get_logger(__name__)

_GRACE_SECONDS: Final = 12
"""A call that waits for Kafka is answered before the process ends."""
_MOST_AT_ONCE: Final = 200


def demanded(settings: Settings) -> tuple[str, Path]:
    """Who relays, and the file of their key. Raises UsageError for what must be set and is not."""
    if settings.relay is None:
        raise UsageError("the replies need the person as whom they relay: set SEAMWATCH_RELAY")
    if settings.relay_key is None:
        raise UsageError("replies are signed by the key of who relays them: set SEAMWATCH_RELAY_KEY")
    files = (
        settings.replies_pagerduty_secret_file,
        settings.replies_webhook_secret_file,
        settings.replies_pagerduty_token_file,
        settings.replies_slack_token_file,
    )
    if not any(files):
        raise UsageError(
            "no service is set from which replies could come: set SEAMWATCH_REPLIES_PAGERDUTY_SECRET_FILE, "
            "SEAMWATCH_REPLIES_WEBHOOK_SECRET_FILE, SEAMWATCH_REPLIES_PAGERDUTY_TOKEN_FILE or "
            "SEAMWATCH_REPLIES_SLACK_TOKEN_FILE"
        )
    return settings.relay, settings.relay_key


def run(settings: Settings, private_key: bytes) -> None:
    """Relay until SIGTERM. Raises UsageError for settings that are missing, or cannot be used."""
    broker = settings.broker()
    if broker is None:
        raise UsageError("the replies need a broker: set KAFKA_BOOTSTRAP_SERVERS")
    person, _ = demanded(settings)
    secrets, api = _secrets(settings), _api(settings)
    codec, metrics = codec_of(settings), Metrics(settings.metrics_port, settings.metrics_host)
    following = Following(broker, settings.prefix, codec, required=settings.follows_signed_only)
    publishing = Publishing(broker, settings.prefix, codec)
    metrics.unread.set_function(lambda: following.unread)
    relay = Relay(person, private_key, following, publishing.publish, settings.clock().now, settings.max_age)
    desk = Desk(relay, metrics, secrets, None if api is None else api.keys_of)
    threads: list[Following | Reconciling | Slack] = [following]
    if api is not None:
        every = settings.replies_pagerduty_every / 1_000_000
        threads.append(Reconciling(api, desk, following, metrics, settings.clock().now, every, settings.max_age))
    if settings.replies_slack_token_file is not None:
        token = token_of(settings.replies_slack_token_file, "SEAMWATCH_REPLIES_SLACK_TOKEN_FILE")
        threads.append(Slack(settings.replies_slack_api, token, desk, metrics))

    def start() -> None:
        codec.publish_schemas()
        for thread in threads:
            thread.start()

    def end() -> None:
        for thread in threads:
            thread.end()

    listening = listen(settings.replies_host, settings.replies_port, "SEAMWATCH_REPLIES")
    host, port = listening.getsockname()[:2]
    app = make_app(desk, following.ready.is_set, start, end)
    log.info("replies are taken", host=host, port=port, services=sorted(secrets), relay=person)
    uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=_MOST_AT_ONCE,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            proxy_headers=False,
            forwarded_allow_ips="",
        )
    ).run(sockets=[listening])


def _secrets(settings: Settings) -> Mapping[str, Sequence[bytes]]:
    found: dict[str, Sequence[bytes]] = {}
    if settings.replies_pagerduty_secret_file is not None:
        file = settings.replies_pagerduty_secret_file
        found[pagerduty.SERVICE] = secrets_of(file, "SEAMWATCH_REPLIES_PAGERDUTY_SECRET_FILE")
    if settings.replies_webhook_secret_file is not None:
        file = settings.replies_webhook_secret_file
        found[webhook.SERVICE] = standard_secrets_of(file, "SEAMWATCH_REPLIES_WEBHOOK_SECRET_FILE")
    return found


def _api(settings: Settings) -> PagerDutyApi | None:
    file = settings.replies_pagerduty_token_file
    if file is None:
        return None
    token = token_of(file, "SEAMWATCH_REPLIES_PAGERDUTY_TOKEN_FILE")
    return PagerDutyApi(settings.replies_pagerduty_api, token)
