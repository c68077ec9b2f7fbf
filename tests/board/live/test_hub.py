from __future__ import annotations

import asyncio

from board.live.hub import Change, Hub


def test_every_page_hears_of_a_change_and_one_that_is_closed_is_forgotten() -> None:
    async def scenario() -> tuple[list[Change | None], int, int]:
        hub = Hub()
        first, second = hub.changes(5), hub.changes(5)
        waiting = [asyncio.ensure_future(anext(each)) for each in (first, second)]
        await asyncio.sleep(0)
        await asyncio.to_thread(hub.tell, Change("episodes", "v1"))  # as the feed does, from a thread of its own
        heard = await asyncio.gather(*waiting)
        open_pages = len(hub)
        await first.aclose()
        await second.aclose()
        return heard, open_pages, len(hub)

    assert asyncio.run(scenario()) == ([Change("episodes", "v1")] * 2, 2, 0)


def test_a_page_that_is_slow_hears_of_the_newest_and_holds_no_more_than_its_bound() -> None:
    async def scenario() -> list[str]:
        hub = Hub()
        slow = hub.changes(5)
        first = asyncio.ensure_future(anext(slow))
        await asyncio.sleep(0)
        for number in range(1_000):
            hub.tell(Change("episodes", str(number)))
        await first
        heard: list[str] = []
        while not heard or heard[-1] != "999":
            change = await anext(slow)
            assert change is not None
            heard.append(change.of)
        await slow.aclose()
        return heard

    assert len(asyncio.run(scenario())) <= 64


def test_a_page_hears_that_nothing_has_changed() -> None:
    async def scenario() -> Change | None:
        quiet = Hub().changes(0.01)
        heard = await anext(quiet)
        await quiet.aclose()
        return heard

    assert asyncio.run(scenario()) is None
