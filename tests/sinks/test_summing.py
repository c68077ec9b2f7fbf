"""What a summary says beside its sentence, read from a real store: whole, in part, and without one, always in time."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest

from seamwatch.clock import SystemClock
from seamwatch.durations import DAY, HOUR
from seamwatch.instants import parse_instant
from seamwatch.summed import NO_STORE, PART, UNREAD, WHOLE, Broken, Owes, Summed
from sinks import summing
from sinks.store.client import Store
from sinks.store.questions.broken import Stretch, broke, stretch_of
from sinks.store.questions.owing import Asking
from sinks.summing import Summing
from tests.console.followed import BROKEN, SUBJECT
from tests.console.populated import Populated
from tests.sinks.estate import Proxy
from tests.sinks.samples import NOW
from tests.sinks.summed_estate import (
    DATASET,
    GOES_ON,
    LONG_OVER,
    MODEL,
    NOTICE,
    PEOPLE,
    due,
    published_estate,
    summed_estate,
)

MIRA, TOMAS, OTTO = PEOPLE


@pytest.fixture(scope="module")
def store(clickhouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Populated]:
    with summed_estate(clickhouse, tmp_path_factory.mktemp("summed")) as made:
        yield made


@pytest.fixture
def auditor(store: Populated, auditor_url: str) -> str:
    return urlunsplit(urlsplit(auditor_url)._replace(path=urlsplit(store.url).path))


@pytest.fixture
def proxy(auditor: str) -> Iterator[Proxy]:
    made = Proxy(auditor)
    yield made
    made.close()


def asked(store: Populated, url: str | None, *systems: str, seconds: float = 60.0, **fields: str) -> list[Summed]:
    """What is said of summaries of these systems that are due at once."""
    estate = published_estate(store)

    async def ask() -> list[Summed]:
        ask = Summing(url, SystemClock(), seconds)
        return await asyncio.gather(*(ask(due(system=system, **fields), estate) for system in systems))

    return asyncio.run(ask())


def test_it_says_what_broke_in_the_period_and_what_is_owed_what_is_overdue_first(
    store: Populated, auditor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summing, "LISTED", 30)
    (summed,) = asked(store, auditor, DATASET)
    assert (summed.outcome, summed.why) == (WHOLE, ())
    broken = summed.broken
    assert broken is not None
    assert (summed.since, summed.until) == (due().opened_at - 12 * HOUR, due().opened_at)
    assert (broken.number, broken.breaches, broken.going_on) == (13, 12, 1), "no drill, and nothing that was long over"
    assert broken.by_clause == (("fresh", 12), ("volume", 1))
    worst = [one.violation_id for one in broken.worst]
    assert worst == [GOES_ON.violation_id, BROKEN.violation_id, "old-00", "old-01"], "three of a clause at most"
    assert summed.owed is not None
    owed = [one for one in summed.owed if one.what != "review"]
    assert [(one.what, one.person, one.is_overdue(NOW)) for one in owed] == [
        ("scheduled", OTTO, True),
        ("receipt", MIRA, True),
        ("action", OTTO, True),
        ("action", MIRA, False),
        ("answer", MIRA, False),
        ("answer", OTTO, False),
        ("report", TOMAS, False),
        ("attestation", TOMAS, False),
        ("episode", TOMAS, False),
    ]
    assert [one.person for one in summed.owed if one.what == "review"] == [TOMAS] * 12
    assert summed.owed[1].reference == LONG_OVER.violation_id, "the reviews of what was long over are owed still"
    assert (summed.owed_number, summed.overdue) == (21, 4)
    by_what = {one.what: one for one in owed}
    assert by_what["scheduled"].due_at == NOW - 15 * DAY
    assert by_what["episode"].path == f"/episodes/{GOES_ON.violation_id}"
    assert by_what["action"].reference == f"{SUBJECT.partition('/')[2]}/1"
    assert (owed[1].text, owed[1].path) == ("confirm that 2 summaries were read", "/summaries/summary-1")
    assert by_what["answer"].text == "answer the change CHANGE-7"


def test_another_systems_episodes_and_debts_are_not_told(store: Populated, auditor: str) -> None:
    (summed,) = asked(store, auditor, MODEL)
    assert summed.broken is not None
    assert summed.owed is not None
    assert [one.clause for one in summed.broken.worst] == ["shape-of-scores"]
    assert {one.person for one in summed.owed if one.what == "episode"} == {MIRA}
    assert not [one for one in summed.owed if one.what in ("action", "report")]


def test_a_digest_is_about_its_whole_quarter_and_of_a_clause_that_is_gone_a_week_is_shown(store: Populated) -> None:
    estate, end = published_estate(store), parse_instant("2026-10-01")
    assert stretch_of(estate, NOTICE["contract"], "learn", DATASET, end) == Stretch(
        parse_instant("2026-07-01"), end, agreed=True
    )
    assert stretch_of(estate, NOTICE["contract"], "gone", DATASET, end) == Stretch(end - 7 * DAY, end, agreed=False)


def test_a_summary_that_the_store_does_not_have_yet_says_that_it_lags(store: Populated, auditor: str) -> None:
    (summed,) = asked(store, auditor, DATASET, notice_id="not-recorded")
    assert summed.outcome == PART
    assert "did not have this summary yet" in summed.why[0]
    assert summed.owed is not None
    assert (len(summed.owed), summed.owed_number) == (10, 21), "what is told is bounded, how much there is is said"


def test_without_an_address_and_from_a_store_that_is_away_nothing_is_waited_for(store: Populated, proxy: Proxy) -> None:
    begun = time.monotonic()
    (none,) = asked(store, None, DATASET)
    (refused,) = asked(store, urlunsplit(urlsplit(proxy.url)._replace(path="/another")), DATASET)
    proxy.down = True
    (away,) = asked(store, proxy.url, DATASET)
    assert time.monotonic() - begun < summing.ASK_SECONDS
    assert (none.outcome, refused.outcome, away.outcome) == (NO_STORE, UNREAD, UNREAD)
    assert refused.why == ("What broke and what is owed could not be read: the store refused.",)
    assert away.why == ("What broke and what is owed could not be read: the store was not reached.",)


def test_of_a_store_that_hangs_many_summaries_wait_no_longer_than_one(store: Populated) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        url = f"http://auditor:x@127.0.0.1:{silent.getsockname()[1]}/seamwatch"
        begun = time.monotonic()
        found = asked(store, url, *[DATASET] * 20, seconds=1.0)
    assert [one.outcome for one in found] == [UNREAD] * 20
    assert time.monotonic() - begun < 18, "those that had no turn yet are not asked"


def test_of_a_store_that_is_slow_about_one_part_each_summary_tells_the_rest(
    store: Populated, auditor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(_asking: Asking) -> Iterator[Owes]:
        time.sleep(7)
        yield from ()

    monkeypatch.setattr(summing, "PARTS", (("what is slow", slowly),))
    found = asked(store, auditor, *[DATASET] * 5, seconds=6.0)
    assert [one.outcome for one in found] == [PART] * 5, "those that had no turn yet are asked, for the store answers"
    assert {one.broken.number for one in found if one.broken is not None} == {13}
    assert found[-1].why == ("Not read: what is slow; the store took longer than 6 s.",)


def test_what_was_read_before_the_store_went_away_is_told(
    store: Populated, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broke_and_gone(store: Store, system: str, since: int, until: int, most: int) -> Broken:
        found = broke(store, system, since, until, most)
        proxy.down = True
        return found

    monkeypatch.setattr(summing, "broke", broke_and_gone)
    (summed,) = asked(store, proxy.url, DATASET)
    assert summed.outcome == PART
    assert summed.broken is not None
    assert summed.broken.number == 13
    assert summed.owed is None
    (why,) = summed.why
    assert why.startswith("Not read: violations that nobody took on, reports of incidents,")
    assert why.endswith("; the store was not reached.")
