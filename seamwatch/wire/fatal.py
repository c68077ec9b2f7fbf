"""Fatal: whether a Kafka client is over for good, by whatever way it says so.

librdkafka tells a fatal error once: as a message of a consumer, to the error callback, or as the failure of a call;
after that the client lives on and does nothing. Its statistics go on saying it, so a word that was missed is caught
up with there. Only listens; whoever owns the client asks, and ends with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

from confluent_kafka import KafkaError, KafkaException

STATISTICS_MS: Final = 5_000
_MARK: Final = '"fatal"'


class Fatal:
    """What one client has said of its own end. One for each client, and before it: it is part of its configuration."""

    def __init__(self) -> None:
        self._error: KafkaError | None = None

    def configuration(self) -> dict[str, int | Callable[..., None]]:
        """What to add to the client's configuration, so that it is heard."""
        return {"error_cb": self.on_error, "stats_cb": self.on_statistics, "statistics.interval.ms": STATISTICS_MS}

    def on_error(self, error: KafkaError) -> None:
        """An error that the client could give to nobody else; most of them pass."""
        if error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001 - its own name
            self._error = self._error or error

    def on_statistics(self, text: str) -> None:
        """What the client says of itself every few seconds, as JSON."""
        if _MARK not in text:
            return
        fatal = json.loads(text).get("fatal")
        if isinstance(fatal, Mapping):
            self._error = self._error or KafkaError(KafkaError._FATAL, f"Fatal error: {fatal.get('reason')}", True)  # noqa: SLF001

    def check(self) -> None:
        """Raise KafkaException when the client is over. Costs nothing; to be called wherever it is waited for."""
        if self._error is not None:
            raise KafkaException(self._error)
