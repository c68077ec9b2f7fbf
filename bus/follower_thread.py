"""The follower thread: follows topics until it is told to end, and tries again when the broker is away.

What is followed is a subclass's. Of an error of ours the process ends, to be started again, rather than go on for ever
with what was.
"""

from __future__ import annotations

import os
import signal
import threading
from abc import abstractmethod
from typing import Final

from confluent_kafka import KafkaException

from bus.errors import kafka_error
from seamwatch.broker import Address
from seamwatch.errors import SeamwatchError

_AGAIN_SECONDS: Final = 1.0
_END_SECONDS: Final = 1.0


class FollowerThread(threading.Thread):
    """One thread that follows; ``_ended`` is set once it is to end."""

    def __init__(self, name: str, kafka: Address) -> None:
        super().__init__(name=name, daemon=True)
        self._kafka = kafka
        self._ended = threading.Event()

    def end(self) -> None:
        """End the thread."""
        self._ended.set()
        self.join(_END_SECONDS)

    def run(self) -> None:
        """Follow until told to end."""
        try:
            self._begin()
            while not self._ended.is_set():
                try:
                    self._follow()
                except KafkaException as error:
                    self._away(str(kafka_error(error, "following what is open", self._kafka)))
                except SeamwatchError as error:
                    self._away(str(error))
                self._ended.wait(_AGAIN_SECONDS)
        except BaseException:
            os.kill(os.getpid(), signal.SIGTERM)
            raise

    def _begin(self) -> None:
        """What is done once, before it follows."""
        return

    @abstractmethod
    def _follow(self) -> None:
        """Follow until ended. Raises KafkaException or SeamwatchError while the broker is away."""

    @abstractmethod
    def _away(self, why: str) -> None:
        """Note that what is known is not kept up to date, and why."""
