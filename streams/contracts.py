"""Contracts on the wire: publishing a folder to the compacted contracts topic, and following that topic.

Reads and writes the topic only; what its messages mean, and which version is in force when, is
`seamwatch.documents`'s.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

from seamwatch.clock import Clock, SystemClock
from seamwatch.documents import Contract, Estate, documents_of, published
from seamwatch.documents.estate import BEGINNING
from seamwatch.errors import UnreachableError
from seamwatch.wire.topics import Topics
from streams.errors import PARTITION_END, kafka_error

log = structlog.get_logger(__name__)

READ_SECONDS = 30.0


class ContractsFollower:
    """The estate that the contracts topic says, kept up to date by `poll`."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        """Reads the topic to its end. Raises UnreachableError when that takes more than 30 s."""
        self._topic = Topics(prefix).contracts
        self._bootstrap = bootstrap
        self._latest: dict[str, bytes] = {}
        self._at_end = False
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": f"{prefix}.contracts-followers",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 100,
                # While the broker is away the client says so many times a second: our log says it now and then.
                "logger": logging.getLogger("librdkafka"),
            }
        )
        self._consumer.assign([TopicPartition(self._topic, 0, OFFSET_BEGINNING)])
        until = time.monotonic() + READ_SECONDS
        while not self._at_end:
            self._read(0.2)
            if time.monotonic() > until:
                raise UnreachableError(
                    f"{self._topic} could not be read to its end in {READ_SECONDS:.0f} s from {bootstrap}: is the "
                    "broker running, and has `seamwatch topics create` been run?"
                )
        self.estate = self._estate()

    @property
    def messages(self) -> dict[str, bytes]:
        """Key and value of every document, as published."""
        return dict(self._latest)

    def poll(self, wait: float = 0.0) -> bool:
        """Take in what has been published since, waiting for up to ``wait`` seconds; whether the estate changed."""
        if not self._read(wait):
            return False
        self.estate = self._estate()
        return True

    def close(self) -> None:
        """Stop following."""
        self._consumer.close()

    def _read(self, wait: float) -> bool:
        changed = False
        try:
            messages = self._consumer.consume(500, wait)
        except KafkaException as error:
            raise kafka_error(error, f"reading {self._topic}", self._bootstrap) from error
        for message in messages:
            failure = message.error()
            if failure is not None:
                if failure.code() != PARTITION_END:
                    raise kafka_error(KafkaException(failure), f"reading {self._topic}", self._bootstrap)
                self._at_end = True
                continue
            key, value = message.key(), message.value()
            name = key.decode(errors="replace") if isinstance(key, bytes) else str(key)
            self._latest.pop(name, None)
            if value is not None:
                self._latest[name] = value if isinstance(value, bytes) else value.encode()
            changed = True
        return changed

    def _estate(self) -> Estate:
        estate = Estate.of_published(self._latest.items())
        for problem in estate.problems:
            log.warning("a published document is left out", problem=problem)
        log.info("contracts", contracts=len(estate.contracts), systems=len(estate.systems))
        return estate


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing a folder did, by the documents' keys."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    same: tuple[str, ...] = ()


def publish_folder(bootstrap: str, prefix: str, folder: Path, clock: Clock | None = None) -> Publication:
    """Make the contracts topic say what a folder of YAML says; doing so again changes nothing.

    New and changed documents are published, those that are gone from the folder are withdrawn. Former versions of a
    contract that is still there stay; one that none of the folder's versions follows (a change that is taken back) is
    withdrawn. A document that changed under the same key keeps the time it was first published at, so that the order
    of versions stays.
    Raises DocumentError when the folder has errors (nothing is published then), and UnreachableError.
    """
    documents = documents_of(Estate.load(folder))
    follower = ContractsFollower(bootstrap, prefix)
    before = follower.messages
    follower.close()
    now = (clock or SystemClock()).now()
    new: list[str] = []
    changed: list[str] = []
    same: list[str] = []
    messages: dict[str, bytes | None] = {}
    for document in documents:
        known = _known(before.get(document.key))
        if known is not None and known[0] == document.digest:
            same.append(document.key)
            continue
        (new if known is None else changed).append(document.key)
        messages |= published([document], now if known is None else known[1])
    contracts = [document for document in documents if isinstance(document, Contract)]
    former = _former(contracts, {**before, **messages})
    withdrawn = sorted(set(before) - {document.key for document in documents} - former)
    messages |= dict.fromkeys(withdrawn)
    _send(bootstrap, Topics(prefix).contracts, messages)
    return Publication(tuple(new), tuple(changed), tuple(withdrawn), tuple(same))


def _former(contracts: Sequence[Contract], messages: Mapping[str, bytes | None]) -> set[str]:
    """The versions that one of these followed: they stay, because they govern the events of their time."""
    terms = Estate.of_published(messages.items()).terms
    since = {term.contract.key: term.valid_from for term in terms}
    last: dict[str, int] = {}
    for contract in contracts:
        last[contract.id] = max(since.get(contract.key, BEGINNING), last.get(contract.id, BEGINNING))
    return {term.contract.key for term in terms if term.valid_from < last.get(term.contract.id, BEGINNING)}


def _known(value: bytes | None) -> tuple[str, int] | None:
    if value is None:
        return None
    try:
        message = json.loads(value)
        return str(message["digest"]), int(message["published_at"])
    except (ValueError, KeyError, TypeError):
        # Somebody else's record under our key: it is replaced like a document that changed.
        return None


def _send(bootstrap: str, topic: str, messages: dict[str, bytes | None]) -> None:
    failures: list[str] = []
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "message.max.bytes": 2 << 20,
            # A broker that has just started makes it wait, and it would say so on the terminal.
            "log_level": 2,
        }
    )
    for key, value in messages.items():
        producer.produce(
            topic,
            value,
            key.encode(),
            partition=0,
            on_delivery=lambda error, _message: failures.append(str(error)) if error is not None else None,
        )
    left = producer.flush(READ_SECONDS)
    if left or failures:
        raise UnreachableError(
            f"{topic}: {left + len(failures)} documents could not be published to {bootstrap}"
            f"{': ' + failures[0] if failures else ''}; publish again"
        )
