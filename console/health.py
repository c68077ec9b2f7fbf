"""Health: what is wrong with a system that runs, by its broker: topics, stages, outages, and who cannot be told.

Asks the broker only, so that it tells the same in production and under `up`, whatever is down. What a machine needs,
and whether processes live, is `seamwatch doctor`'s own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from console.finding import TIMEOUT_SECONDS, Finding, Verdict
from console.judging_state import state_of_judges
from console.reachable import owner_problem
from console.rota_findings import rota_findings
from seamwatch.broker import Address
from seamwatch.clauses import kinds
from seamwatch.durations import SECOND, format_duration
from seamwatch.errors import SeamwatchError
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.settings import Settings
from seamwatch.wire.topics import Topics

if TYPE_CHECKING:
    from streams.page.watch import Sight

_FRESH_SECONDS: Final = 30.0
"""What has waited no longer than this is on its way."""
_LOOK_AGAIN_SECONDS: Final = 3.0
_TOLD: Final = 3


def broker(bootstrap: Address, prefix: str, settings: Settings) -> Iterator[Finding]:
    """What the broker tells of itself and of what stands on it."""
    from confluent_kafka import KafkaException

    from bus import clients
    from bus.refusals import why_refused

    admin = clients.admin(bootstrap)
    try:
        metadata = admin.list_topics(timeout=TIMEOUT_SECONDS)
    except KafkaException as error:
        refused = why_refused(bootstrap)
        yield Finding("broker", "problem", refused or f"{bootstrap} does not answer ({error.args[0].str()})")
        return
    yield Finding("broker", "ok", f"{bootstrap}, {len(metadata.brokers)} broker(s)")
    topics = Topics(prefix)
    wanted = {spec.name for spec in topics.specs(kinds())}
    if absent := sorted(wanted - metadata.topics.keys()):
        yield Finding("topics", "note", f"not there: {', '.join(absent)}; `seamwatch topics create` makes them")
    else:
        yield _topics(bootstrap, prefix, len(wanted))
    try:
        yield from _stages(bootstrap, topics, settings)
        if topics.outage in metadata.topics:
            yield from _outages(bootstrap, topics)
        if topics.contracts in metadata.topics:
            yield from _people(bootstrap, prefix, settings)
    except SeamwatchError as error:
        yield Finding("stages", "problem", str(error))
    now = settings.clock().now()
    for subject, verdict, text in state_of_judges(bootstrap, topics, metadata.topics, TIMEOUT_SECONDS, now):
        yield Finding(subject, verdict, text)


def _topics(bootstrap: Address, prefix: str, count: int) -> Finding:
    from bus.topics import differing

    try:
        differences = differing(bootstrap, prefix, TIMEOUT_SECONDS)
    except SeamwatchError as error:
        return Finding("topics", "note", str(error))
    if not differences:
        return Finding("topics", "ok", f"{count} with the prefix {prefix}")
    text = "; ".join(f"{name} has {', '.join(said)}" for name, said in list(differences.items())[:_TOLD])
    more = f"; and {len(differences) - _TOLD} more" if len(differences) > _TOLD else ""
    return Finding("topics", "note", f"{text}{more}: `seamwatch topics create --alter` sets them as they must be")


def _stages(bootstrap: Address, topics: Topics, settings: Settings) -> Iterator[Finding]:
    """How far behind each stage is, and whether it moves; looks a second time where something has waited for long."""
    from streams.page.lookout import Lookout

    lookout = Lookout(bootstrap, topics)
    try:
        first = lookout.look()
        second = first
        if _is_doubtful(first, settings):
            time.sleep(_LOOK_AGAIN_SECONDS)
            second = lookout.look()
    finally:
        lookout.close()
    yield _measured(first, second, settings)
    for stage in ("measure", "judge", "record"):
        yield _stage(stage, first, second, settings)
    yield from _absent(second)


def _is_doubtful(sight: Sight, settings: Settings) -> bool:
    oldest = [seen.oldest for seen in sight.stages.values() if seen.oldest is not None]
    late = any(sight.at - each > _FRESH_SECONDS * SECOND for each in oldest)
    return late or (sight.measured_at is not None and sight.at - sight.measured_at > _received_within(settings))


def _received_within(settings: Settings) -> int:
    return max(round(_FRESH_SECONDS * SECOND), 3 * settings.heartbeat)


def _measured(first: Sight, second: Sight, settings: Settings) -> Finding:
    newest = second.measured_at
    if newest is None:
        if second.stages["measure"].has_run:
            return Finding("measurements", "problem", "none is there, though measure has run: nothing is watched")
        return Finding("measurements", "note", "none has come yet: nothing is watched")
    ago = format_duration(max(0, second.at - newest))
    if second.at - newest > _received_within(settings) and newest == first.measured_at:
        return Finding("measurements", "problem", f"nothing is watched: none since {moment_text(newest)}, {ago} ago")
    return Finding("measurements", "ok", f"the newest came {ago} ago")


def _stage(stage: str, first: Sight, second: Sight, settings: Settings) -> Finding:
    subject, before, now = f"lag of {stage}", first.stages[stage], second.stages[stage]
    if not now.has_run and not now.waiting:
        return Finding(subject, "note", "it has committed nothing yet")
    records, oldest = f"{now.count} record{'s' if now.count != 1 else ''}", now.oldest
    if oldest is None or second.at - oldest <= _FRESH_SECONDS * SECOND:
        return Finding(subject, "ok", records)
    text = f"{records}, the oldest since {moment_text(oldest)}"
    stuck = [
        place for place, seen in now.waiting.items() if place in before.waiting
        and before.waiting[place].position == seen.position
        and seen.since is not None and second.at - seen.since > _FRESH_SECONDS * SECOND
    ]  # fmt: skip
    if stage == "record":
        late = second.at - oldest >= settings.behind_after
        return Finding(
            subject, "problem" if late else "note", f"{text}: " + ("behind" if stuck or late else "catching up")
        )
    if stuck:
        where = ", ".join(f"{topic}[{number}]" for topic, number in sorted(stuck)[:_TOLD])
        return Finding(subject, "problem", f"it stands still, in {where}: {text} wait for it")
    return Finding(subject, "note", f"{text}: catching up")


def _absent(sight: Sight) -> Iterator[Finding]:
    """Stages that have run, or that others run beside, and no process of which is in its group."""
    present = {stage for stage, seen in sight.stages.items() if seen.members}
    for stage, seen in sight.stages.items():
        if seen.members is not None and stage not in present and (seen.has_run or present):
            meaning = "nobody would be paged" if stage == "page" else "its work waits"
            yield Finding(stage, "problem", f"no process of it is in its group: {meaning}")


def _outages(bootstrap: Address, topics: Topics) -> Iterator[Finding]:
    from bus.tail import tail
    from seamwatch.outages import Outage
    from seamwatch.wire.codec import Codec

    latest: dict[str, Outage] = {}
    codec = Codec()
    for read in tail(bootstrap, topics, [topics.outage]):
        if read.value is not None:
            outage = Outage(**codec.decode("outage", read.value))
            latest[outage.outage_id] = outage
    going_on = [outage for outage in latest.values() if outage.state == "open"]
    for outage in going_on:
        text = f"{outage.person} is told" if outage.person else "nobody is named to be told"
        yield Finding("outage", "problem", f"{outage.summary} ({text}: outage {outage.outage_id})")
    if not going_on:
        last = max((outage.until or 0 for outage in latest.values()), default=0)
        yield Finding("outages", "ok", f"none; the last was over at {moment_text(last)}" if last else "none on record")


def _people(bootstrap: Address, prefix: str, settings: Settings) -> Iterator[Finding]:
    from bus.documents import ContractsFollower
    from sinks.channels.services import unusable

    follower = ContractsFollower(bootstrap, prefix, required=settings.follows_signed_only)
    estate, unsigned = follower.estate, follower.said.unsigned
    persons, unread = estate.persons, estate.problems
    follower.close()
    if unread:
        yield Finding("documents", "problem", f"{len(unread)} that are published are not used: {unread[0]}")
    yield _followed(settings.signed, tuple(unsigned.values()))
    if (problem := owner_problem(settings.default_owner, persons)) is not None:
        yield Finding("default owner", "problem", problem)
    for person in persons.values():
        wrong = [why for why in map(unusable, person.channels) if why is not None]
        if wrong:
            verdict: Verdict = "problem" if len(wrong) == len(person.channels) else "note"
            yield Finding("channels", verdict, f"{person.id} cannot be paged by {_count(wrong)}: {wrong[0]}")
    if silent := sorted(person.id for person in persons.values() if not person.channels):
        more = f" and {len(silent) - _TOLD} more" if len(silent) > _TOLD else ""
        yield Finding(
            "channels",
            "note",
            f"{', '.join(silent[:_TOLD])}{more} have none: they are told on the pager's output, "
            "which counts as delivered under `seamwatch up` only",
        )

    yield from rota_findings(estate, settings.clock().now())


def _followed(signed: str, unsigned: Sequence[str]) -> Finding:
    """What of the documents is followed although nobody signed that they changed."""
    if not unsigned:
        return Finding("signatures", "ok", f"SEAMWATCH_SIGNED={signed}; no person's document changed unsigned")
    more = f"; and {len(unsigned) - 1} more" if len(unsigned) > 1 else ""
    return Finding("signatures", "note", f"SEAMWATCH_SIGNED={signed}: followed and not signed: {unsigned[0]}{more}")


def _count(wrong: Sequence[str]) -> str:
    return "a channel" if len(wrong) == 1 else f"{len(wrong)} channels"
