"""Contracts on the wire: publishing a folder to the compacted contracts topic, and following that topic.

Reads and writes the topic only; what its messages mean, and which version is in force when, is
`seamwatch.documents`'s.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

from seamwatch.clock import Clock, SystemClock
from seamwatch.collector import unhurried_collector
from seamwatch.documents import Contract, Estate, documents_of, published
from seamwatch.documents.estate import BEGINNING
from seamwatch.documents.loading import Loaded, load
from seamwatch.documents.publishing import Published, rewritten
from seamwatch.errors import DocumentError, UnreachableError
from seamwatch.wire.topics import Topics
from streams.errors import PARTITION_END, kafka_error

log = structlog.get_logger(__name__)

READ_SECONDS: Final = 30.0
GATHER_SECONDS: Final = 2.0
"""For how long a follower goes on taking in what is there already, before it says what the whole of it says."""
AT_ONCE: Final = 500


class ContractsFollower:
    """The estate that the contracts topic says, kept up to date by `poll`."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        """Reads the topic to its end. Raises UnreachableError when nothing comes of it for 30 s."""
        self._topic = Topics(prefix).contracts
        self._bootstrap = bootstrap
        self._latest: dict[str, bytes] = {}
        self._kept: dict[str, bytes] = {}
        self._said = Published()
        self._told: frozenset[str] = frozenset()
        self._at_end = False
        self._next = 0
        self._more = False
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
        heard = time.monotonic()
        with unhurried_collector():
            while not self._at_end:
                if self._read(0.2):
                    heard = time.monotonic()
                elif time.monotonic() > heard + READ_SECONDS:
                    raise UnreachableError(
                        f"{self._topic} could not be read to its end: nothing came for {READ_SECONDS:.0f} s from "
                        f"{bootstrap}: is the broker running, and has `seamwatch topics create` been run?"
                    )
        self.estate = self._estate()

    @property
    def messages(self) -> dict[str, bytes]:
        """Key and value of every document, as published last."""
        return dict(self._latest)

    @property
    def said(self) -> Published:
        """What the messages say, with what they say of former texts."""
        return self._said

    @property
    def overwritten(self) -> dict[str, bytes]:
        """The first text of each contract version of which the topic's last message says another, by key."""
        return {key: self._kept[key] for key in sorted(self._said.rewritten & self._kept.keys())}

    def poll(self, wait: float = 0.0) -> bool:
        """Take in what has been published since, waiting for up to ``wait`` seconds; whether the estate changed."""
        if not self._read(wait):
            return False
        until = time.monotonic() + GATHER_SECONDS
        with unhurried_collector():
            while self._more and time.monotonic() < until:
                self._read(0.05)
        self.estate = self._estate()
        return True

    def catch_up(self, patience: float) -> bool:
        """Take in all that had been published when this was called; False when that takes longer than ``patience``.

        What is unknown afterwards, and was known to somebody who read the topic before, has been withdrawn since.
        """
        until = time.monotonic() + patience
        end: int | None = None
        try:
            _, end = self._consumer.get_watermark_offsets(TopicPartition(self._topic, 0), timeout=max(patience, 0.1))
        except KafkaException as error:
            log.warning("the contracts' end is not known", why=str(error.args[0]))
        while end is None or self._next < end:
            self.poll(0.1)
            if time.monotonic() > until:
                return False
        return True

    def send(self, messages: Mapping[str, bytes | None]) -> None:
        """Publish messages by their keys, None withdrawing. Raises UnreachableError unless all of them were taken."""
        if messages:
            _send(self._bootstrap, self._topic, messages)

    def close(self) -> None:
        """Stop following."""
        self._consumer.close()

    def _read(self, wait: float) -> bool:
        changed = False
        try:
            messages = self._consumer.consume(AT_ONCE, wait)
        except KafkaException as error:
            raise kafka_error(error, f"reading {self._topic}", self._bootstrap) from error
        self._more = len(messages) == AT_ONCE
        for message in messages:
            failure = message.error()
            if failure is not None:
                if failure.code() != PARTITION_END:
                    raise kafka_error(KafkaException(failure), f"reading {self._topic}", self._bootstrap)
                self._at_end = True
                self._next = max(self._next, message.offset() or 0)
                continue
            self._next = (message.offset() or 0) + 1
            key, value = message.key(), message.value()
            name = key.decode(errors="replace") if isinstance(key, bytes) else str(key)
            self._take(name, value.encode() if isinstance(value, str) else value)
            changed = True
        return changed

    def _take(self, key: str, value: bytes | None) -> None:
        self._said.take(key, value)
        self._latest.pop(key, None)
        if value is not None:
            self._latest[key] = value
            if key not in self._said.rewritten:
                self._kept[key] = value

    def _estate(self) -> Estate:
        estate = self._said.estate()
        for problem in estate.problems:
            if problem not in self._told:
                log.warning("a published document is left out", problem=problem)
        self._told = frozenset(estate.problems)
        log.info("contracts", contracts=len(estate.contracts), systems=len(estate.systems))
        return estate


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing a folder did, by the documents' keys; ``gone`` from the folder, they stay in force."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    same: tuple[str, ...] = ()


def publish_folder(
    bootstrap: str, prefix: str, folder: Path, clock: Clock | None = None, *, withdraw: bool = False
) -> Publication:
    """Make the contracts topic say what a folder of YAML says; doing so again changes nothing.

    Raises what `publish` does, and DocumentError when the folder has errors.
    """
    follower = ContractsFollower(bootstrap, prefix)
    try:
        return publish(follower, load(folder), clock, withdraw=withdraw)
    finally:
        follower.close()


def publish(
    follower: ContractsFollower, loaded: Loaded, clock: Clock | None = None, *, withdraw: bool = False
) -> Publication:
    """Make the contracts topic say what a folder says, as far as a follower of it does not know that it does.

    New documents and changed systems and persons are published. Those that are gone from the folder stay in force
    unless ``withdraw`` asks for the contrary: a folder is empty, or half there, while it is saved or checked out.
    Former versions of a contract that is still there stay even then; one that none of the folder's versions follows (a
    change that is taken back) is gone. Where somebody wrote another text over a published version, the first is put
    back. Raises DocumentError when the folder has errors, no document without ``withdraw``, or another text under a
    published version of a contract (nothing is published then), and UnreachableError.
    """
    while follower.poll(0.2):
        pass
    said = follower.said
    documents = documents_of(loaded.estate())
    if not documents and not withdraw:
        raise DocumentError("there is no document in the folder, so nothing is published; what was published stays")
    if wrong := list(rewritten(loaded.reads, said.first)):
        raise DocumentError("\n".join(map(str, sorted(wrong))))
    now = (clock or SystemClock()).now()
    before = follower.messages
    new: list[str] = []
    changed: list[str] = []
    same: list[str] = []
    messages: dict[str, bytes | None] = {}
    for document in documents:
        known = said.digest_of(document.key)
        if known == document.digest:
            same.append(document.key)
            continue
        (new if document.key not in before else changed).append(document.key)
        messages |= published([document], now)
    former = _former(follower, [d for d in documents if isinstance(d, Contract)], messages)
    gone = tuple(sorted(set(before) - {document.key for document in documents} - former))
    if withdraw:
        messages |= dict.fromkeys(gone)
    restored = {key: value for key, value in follower.overwritten.items() if key not in messages}
    messages |= restored
    follower.send(messages)
    withdrawn, kept = (gone, ()) if withdraw else ((), gone)
    return Publication(tuple(new), tuple(changed), withdrawn, kept, tuple(restored), tuple(same))


def _former(
    follower: ContractsFollower, contracts: Sequence[Contract], messages: Mapping[str, bytes | None]
) -> set[str]:
    """The versions that one of these followed: they stay, because they govern the events of their time."""
    said = copy.copy(follower.said)
    for key, value in messages.items():
        said.take(key, value)
    terms = said.estate().terms
    since = {term.contract.key: term.valid_from for term in terms}
    last: dict[str, int] = {}
    for contract in contracts:
        last[contract.id] = max(since.get(contract.key, BEGINNING), last.get(contract.id, BEGINNING))
    return {term.contract.key for term in terms if term.valid_from < last.get(term.contract.id, BEGINNING)}


def _send(bootstrap: str, topic: str, messages: Mapping[str, bytes | None]) -> None:
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
