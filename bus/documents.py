"""Contracts on the wire: publishing a folder to the compacted contracts topic, and following that topic.

Reads and writes the topic only; what its messages mean, and which version is in force when, is
`seamwatch.documents`'s.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import structlog
from confluent_kafka import KafkaException

from bus import clients
from bus.ends import end_for
from bus.errors import kafka_error
from bus.reading import Reading
from bus.refusals import why_refused
from seamwatch.broker import Address
from seamwatch.clock import Clock, SystemClock
from seamwatch.collector import unhurried_collector
from seamwatch.documents import Contract, Estate, RiskPolicy, documents_of, published
from seamwatch.documents.estate import BEGINNING
from seamwatch.documents.loading import Loaded, load
from seamwatch.documents.publishing import Published, rewritten
from seamwatch.documents.vouching import signed as signing_of
from seamwatch.documents.vouching_rotas import Before
from seamwatch.documents.withdrawing import Headers, Withdrawer, withdrawal_headers
from seamwatch.engine.withdrawals import withdrawal_notices
from seamwatch.errors import DocumentError, UnreachableError
from seamwatch.judging.model.facts import Notice
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics

log = structlog.get_logger(__name__)

READ_SECONDS: Final = 30.0
ASK_SECONDS: Final = 5.0
"""After so long without anything it is asked why."""
GATHER_SECONDS: Final = 2.0
"""For how long a follower goes on taking in what is there already, before it says what the whole of it says."""
AT_ONCE: Final = 500


class ContractsFollower:
    """The estate that the contracts topic says, kept up to date by `poll`."""

    def __init__(
        self, bootstrap: Address, prefix: str, *, required: bool = False, patience: float = READ_SECONDS
    ) -> None:
        """Reads the topic to its end. Raises UnreachableError when nothing comes of it for ``patience`` seconds.

        ``required``: what is not signed by all who must is not followed.
        """
        self._topics = Topics(prefix)
        self._topic = self._topics.contracts
        self._bootstrap = bootstrap
        self._latest: dict[str, bytes] = {}
        self._kept: dict[str, bytes] = {}
        self._said = Published(required=required)
        self._logged: frozenset[str] = frozenset()
        self._more = False
        self._consumer = clients.reader(
            bootstrap,
            f"{prefix}.contracts-followers",
            {
                "fetch.wait.max.ms": 100,
                # While the broker is away the client says so many times a second: our log says it now and then.
                "logger": logging.getLogger("librdkafka"),
            },
        )
        self._reading = Reading(self._consumer, bootstrap, {(self._topic, 0): 0})
        received_at, asked = time.monotonic(), False
        with unhurried_collector():
            while self._reading.left:
                if self._read(0.2):
                    received_at = time.monotonic()
                elif not asked and time.monotonic() > received_at + ASK_SECONDS:
                    asked = True
                    if (refused := why_refused(bootstrap)) is not None:
                        raise UnreachableError(f"{self._topic}: {refused}")
                elif time.monotonic() > received_at + patience:
                    raise UnreachableError(
                        f"{self._topic} could not be read to its end: nothing came for {patience:.0f} s from "
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
        """What is in force although the topic's last message says another, by key.

        The first text of a contract version; of a person what was there before one that nobody vouched for.
        """
        other = self._said.rewritten | self._said.held.keys()
        return {key: self._kept[key] for key in sorted(other & self._kept.keys())}

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
            end = end_for(self._consumer, self._topic, 0, max(patience, 0.1))
        except KafkaException as error:
            log.warning("the contracts' end is not known", why=str(error.args[0]))
        while end is None or self._reading.at.get((self._topic, 0), 0) < end:
            self.poll(0.1)
            if time.monotonic() > until:
                return False
        return True

    def send(self, messages: Mapping[str, bytes | None], headers: Mapping[str, Headers] | None = None) -> None:
        """Publish messages by their keys, None withdrawing. Raises UnreachableError unless all of them were taken."""
        if messages:
            _send(self._bootstrap, self._topic, messages, headers=headers)

    def tell(self, notices: Iterable[Notice]) -> None:
        """Have people told by the pager. Raises UnreachableError unless all of it was taken."""
        codec = Codec()
        values = {notice.notice_id: codec.encode("notice", asdict(notice)) for notice in notices}
        if values:
            _send(self._bootstrap, self._topics.notice, values, what="notices")

    def close(self) -> None:
        """Stop following."""
        self._consumer.close()

    def _read(self, wait: float) -> bool:
        try:
            messages = self._reading.read(AT_ONCE, wait)
        except KafkaException as error:
            raise kafka_error(error, f"reading {self._topic}", self._bootstrap) from error
        self._more = len(messages) == AT_ONCE
        for message in messages:
            key, value = message.key(), message.value()
            name = key.decode(errors="replace") if isinstance(key, bytes) else str(key)
            self._take(name, value.encode() if isinstance(value, str) else value)
        return bool(messages)

    def _take(self, key: str, value: bytes | None) -> None:
        self._said.take(key, value)
        self._latest.pop(key, None)
        if value is not None:
            self._latest[key] = value
            if key not in self._said.rewritten and key not in self._said.held:
                self._kept[key] = value

    def _estate(self) -> Estate:
        estate = self._said.estate()
        for problem in estate.problems:
            if problem not in self._logged:
                log.warning("a published document is left out", problem=problem)
        self._logged = frozenset(estate.problems)
        log.info("contracts", contracts=len(estate.contracts), systems=len(estate.systems))
        return estate


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing a folder did, by the documents' keys; ``gone`` from the folder, they stay in force.

    ``unsigned`` says what was published although somebody who must sign it has not, with their names; ``signed`` is
    what had been published before, and signatures under it are now.
    """

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    unsigned: tuple[str, ...] = ()
    signed: tuple[str, ...] = ()


def publish_folder(
    bootstrap: Address,
    prefix: str,
    folder: Path,
    clock: Clock | None = None,
    *,
    withdraw: bool = False,
    by: Withdrawer | None = None,
) -> Publication:
    """Make the contracts topic say what a folder of YAML says; doing so again changes nothing.

    Raises what `publish` does, and DocumentError when the folder has errors.
    """
    follower = ContractsFollower(bootstrap, prefix)
    try:
        return publish(follower, load(folder), clock, withdraw=withdraw, by=by)
    finally:
        follower.close()


def publish(
    follower: ContractsFollower,
    loaded: Loaded,
    clock: Clock | None = None,
    *,
    withdraw: bool = False,
    by: Withdrawer | None = None,
    signed: bool = False,
) -> Publication:
    """Make the contracts topic say what a folder says, as far as a follower of it does not know that it does.

    New documents and changed systems and persons are published. Those that are gone from the folder stay in force
    unless ``withdraw`` asks for the contrary: a folder is empty, or half there, while it is saved or checked out.
    Former versions of a contract that is still there stay even then; one that none of the folder's versions follows (a
    change that is taken back) is gone. ``by``: who withdraws, for the record and those who are told. Where somebody
    wrote another text over a published version, the first is put back. The signatures that hold are published with what
    they are under; what is not signed by all who must is published and told, or with ``signed`` refused. Raises
    DocumentError when the folder has errors, no document without ``withdraw``, another text under a published version
    of a contract, or what is refused (nothing is published then),
    and UnreachableError.
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
    signing = signing_of(loaded.reads, _before(said.estate()), now)
    unsigned, holding = signing.lacking, signing.holding
    if signed and unsigned:
        raise DocumentError(
            "not signed by all who must, so nothing is published (SEAMWATCH_SIGNED=required): "
            f"{'; '.join(unsigned)}; `seamwatch contracts verify --published` says what is wrong with each"
        )
    before = follower.messages
    new: list[str] = []
    changed: list[str] = []
    same: list[str] = []
    newly: list[str] = []
    messages: dict[str, bytes | None] = {}
    for document in documents:
        at, carried = now, holding.get(document.key, ())
        if said.digest_of(document.key) == document.digest:
            there = said.signatures_of(document.key)
            more = [line for line in carried if line not in there]
            if not more:
                same.append(document.key)
                continue
            # It stays what was published when it was: only who has signed it is told anew.
            at, carried = said.published_at(document.key) or now, (*there, *more)
            newly.append(document.key)
        else:
            (new if document.key not in before else changed).append(document.key)
        messages |= published([document], at, {document.key: carried})
    former = _former(follower, [d for d in documents if isinstance(d, Contract | RiskPolicy)], messages)
    gone = tuple(sorted(set(before) - {document.key for document in documents} - former))
    headers: dict[str, Headers] = {}
    if withdraw and gone:
        messages |= dict.fromkeys(gone)
        headers = {} if by is None else _said_by(follower, gone, by, now)
        # First, so that nothing is ever withdrawn without a word; told again, each is the same notice.
        follower.tell(withdrawal_notices(said.estate(), gone, now, None if by is None else by.person))
    restored = {key: value for key, value in follower.overwritten.items() if key not in messages}
    messages |= restored
    follower.send(messages, headers)
    withdrawn, kept = (gone, ()) if withdraw else ((), gone)
    return Publication(
        tuple(new), tuple(changed), withdrawn, kept, tuple(restored), tuple(same), unsigned, tuple(newly)
    )


def _before(estate: Estate) -> Before:
    return Before(estate.persons, estate.rotas)


def _said_by(follower: ContractsFollower, gone: Sequence[str], by: Withdrawer, now: int) -> dict[str, Headers]:
    known = {document.key: document for document in documents_of(follower.said.estate())}
    return {key: withdrawal_headers(known.get(key), by, now) for key in gone}


def _former(
    follower: ContractsFollower, versions: Sequence[Contract | RiskPolicy], messages: Mapping[str, bytes | None]
) -> set[str]:
    """The versions that one of these followed: they stay, because they govern the events of their time."""
    said = copy.copy(follower.said)
    for key, value in messages.items():
        said.take(key, value)
    estate = said.estate()
    terms: list[tuple[Contract | RiskPolicy, int]] = [(term.contract, term.valid_from) for term in estate.terms]
    terms += [(term.policy, term.valid_from) for term in estate.policies]
    since = {document.key: start for document, start in terms}
    last: dict[tuple[str, str], int] = {}
    for one in versions:
        name = (one.kind_name, one.id)
        last[name] = max(since.get(one.key, BEGINNING), last.get(name, BEGINNING))
    return {one.key for one, start in terms if start < last.get((one.kind_name, one.id), BEGINNING)}


def _send(
    bootstrap: Address,
    topic: str,
    messages: Mapping[str, bytes | None],
    what: str = "documents",
    headers: Mapping[str, Headers] | None = None,
) -> None:
    failures: list[str] = []
    producer = clients.producer(
        bootstrap,
        {
            "enable.idempotence": True,
            "message.max.bytes": 2 << 20,
            # A broker that has just started makes it wait, and it would say so on the terminal.
            "log_level": 2,
        },
    )
    for key, value in messages.items():
        producer.produce(
            topic,
            value,
            key.encode(),
            partition=0,
            headers=(headers or {}).get(key),
            on_delivery=lambda error, _message: failures.append(str(error)) if error is not None else None,
        )
    left = producer.flush(READ_SECONDS)
    if left or failures:
        raise UnreachableError(
            f"{topic}: {left + len(failures)} {what} could not be published to {bootstrap}"
            f"{': ' + failures[0] if failures else ''}; publish again"
        )
