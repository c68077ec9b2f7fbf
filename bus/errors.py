"""How Kafka's errors become ours: each names the place and says what the reader can do.

Mapping only; nothing is retried here. A stage that meets such an error ends, and its supervisor starts it again.
"""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException

from bus.refusals import CONFIGURED, unreachable
from seamwatch.broker import Address, is_refusal, not_let_in
from seamwatch.errors import SeamwatchError, StageError, UnreachableError

# librdkafka's own codes are public, though Python's names for them begin with an underscore.
PARTITION_END = KafkaError._PARTITION_EOF  # noqa: SLF001
_FATAL = KafkaError._FATAL  # noqa: SLF001

_FENCED = {
    KafkaError._FENCED,  # noqa: SLF001
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.PRODUCER_FENCED,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.ILLEGAL_GENERATION,
}
_NOT_ALLOWED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}
AWAY = frozenset(
    {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._RESOLVE}  # noqa: SLF001
)
"""The broker does not answer: the client goes on trying by itself."""


def kafka_error(error: KafkaException, doing: str, bootstrap: Address | None) -> SeamwatchError:
    """Our error for one that Kafka raised while ``doing`` something (a phrase such as "committing a round").

    ``bootstrap`` None: where one does not know the broker, why it lets nobody in cannot be asked.
    """
    cause = error.args[0] if error.args else None
    if not isinstance(cause, KafkaError):
        return StageError(f"{doing}: {error}")
    # A consumer tells it as a fatal error, with the broker's reason in words only.
    if cause.code() in _FENCED or (cause.code() == _FATAL and "fenced" in cause.str()):
        return StageError(
            f"{doing}: another process has taken over this one's place in its group ({cause.str()}). "
            "Give each process of a stage its own SEAMWATCH_INSTANCE."
        )
    if is_refusal(cause):
        return UnreachableError(f"{doing}: {not_let_in(bootstrap or CONFIGURED, cause.str())}")
    if cause.code() in AWAY:
        return unreachable(doing, bootstrap, cause.str())
    if cause.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return StageError(f"{doing}: {cause.str()}. Create the topics with `seamwatch topics create`.")
    if cause.code() in _NOT_ALLOWED:
        return UnreachableError(
            f"{doing}: who logs in at Kafka may not do that: {cause.name()}: {cause.str()} "
            "(docs/connections.md says what each user needs)"
        )
    return StageError(f"{doing}: {cause.name()}: {cause.str()}")


def consumer_error(
    error: KafkaError, topic: str | None, partition: int | None, bootstrap: Address | None = None
) -> SeamwatchError:
    """Our error for one that arrived among the messages of a consumer; ``bootstrap`` as in `kafka_error`."""
    place = f"{topic}[{partition}]" if topic else "the consumer"
    if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):  # noqa: SLF001
        return StageError(
            f"{place}: the committed position no longer exists ({error.str()}): records were deleted before they were "
            "read. Find out what is missing, then set the group's offset with kafka-consumer-groups."
        )
    return kafka_error(KafkaException(error), f"reading {place}", bootstrap)


def too_large(topic: str, key: bytes | str | None, size: int) -> StageError:
    """Our error for a record that is larger than its topic, or its producer, takes."""
    name = key.decode(errors="replace") if isinstance(key, bytes) else key
    return StageError(
        f"{topic} takes no record of {size:,} bytes (key {name!r}): nothing of this round has been committed. "
        "`seamwatch topics create` says whether the topic's max.message.bytes is as it must be."
    )
