"""What people do on the board, in a real browser: see a breach appear, take it on, and answer with their own key.

Held here: what opens is on a page that is open without a reload, and nothing that was typed is lost; who takes it on
stops its clock on everybody's page and in the store; who has published keys signs in the browser; and every page can
be used by everybody, on a phone and on a wide screen, in the light and in the dark.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.board.browser import axe
from tests.stories import lending
from tests.stories.conftest import Estate, command
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PAGES = (
    "/",
    "/?whose=all",
    "/inventory",
    "/inventory/draft/Scorer",
    "/changes",
    "/drift",
    "/silences",
    "/systems/lender",
    "/systems/lender/card",
    "/systems/helper",
    "/audit",
    "/compliance",
    "/readiness",
    "/contracts/lending",
    "/rotas",
)
"""Every page that holds for the whole estate; those of one thing are added where it is known."""


@contextmanager
def signed_in(chromium: Browser, estate: Estate, person: str | None, **options: Any) -> Iterator[Page]:
    """A page of somebody who came by a link of this machine, and says who they are."""
    link = estate.run("board-link")
    assert link.returncode == 0, link.stderr
    context = chromium.new_context(**options)
    context.set_default_timeout(PATIENCE * 1_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.goto(link.stdout.strip())
    if person is not None:
        page.locator(".become summary").click()
        page.select_option("#person", person)
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_text(f"You are {person}")).to_be_visible()
    yield page
    assert faults == []
    context.close()


_SLOWLY: Final = """() => {
    const own = window.fetch;
    window.fetch = (...asked) => new Promise((go) => setTimeout(go, 3_000)).then(() => own(...asked));
}"""
"""What is sent from a page takes three seconds longer from here on."""


def _too_large_a_refund(estate: Estate, trace: str) -> None:
    estate.emit(
        type="tool_call", event_id=None, system="desk", version="1", tool="refund", decision="allowed", trace_id=trace,
        arguments='{"amount": 500, "user": "u-7"}',
    )  # fmt: skip


def _article(page: Page, trace: str) -> Locator:
    """The article of that refund: the call without a look at who asks opens another one, of the same trace."""
    return page.locator("article", has_text=trace).filter(has_text="no-large-refund")


def _episode(estate: Estate, trace: str) -> dict[str, Any]:
    (found,) = [row for row in estate.violations("no-large-refund", "desk") if row["slice"] == trace]
    return found


def _beyond(page: Page) -> list[str]:
    """What makes a page wider than its window, if anything does: the outermost first."""
    found: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
            .filter((each) => each.getBoundingClientRect().right > innerWidth + 1 && !each.closest(".table, pre"))
            .map((each) => `${each.tagName} ${each.className} ${each.textContent.trim().slice(0, 80)}`)"""
    )
    return found


def _episodes(page: Page, base: str) -> list[str]:
    """The pages of the open episodes, one of each clause."""
    page.goto(f"{base}/?whose=all")
    found: dict[str, str] = {}
    for article in page.locator("article").all():
        clause = article.get_by_text(", clause ").inner_text()
        found[clause] = str(article.locator("h2 a").get_attribute("href"))
    return list(found.values())


def test_a_breach_appears_on_an_open_page_and_who_takes_it_on_stops_its_clock_everywhere(
    chromium: Browser, estate: Estate
) -> None:
    with signed_in(chromium, estate, "sales@example.org") as page, signed_in(chromium, estate, None) as other:
        page.get_by_role("link", name="Everyone's").click()
        first = page.locator("article form.answer input[name=note]").first
        note = page.locator(f"[id='{first.get_attribute('id')}']")  # whatever comes before it meanwhile
        note.fill("half a sent")
        _too_large_a_refund(estate, "board-1")
        article = _article(page, "board-1")
        expect(article).to_be_visible()
        expect(_article(other, "board-1")).to_be_visible()
        expect(note).to_have_value("half a sent")

        article.get_by_label("Note").fill("seen; the desk is stopped")
        article.get_by_role("button", name="Acknowledge").click()
        for seen in (page, other):
            taken = _article(seen, "board-1")
            expect(taken.get_by_text("taken on by sales@example.org")).to_be_visible()
            expect(taken.locator("[data-countdown]")).to_have_count(0)
    estate.until(lambda: _episode(estate, "board-1")["acknowledged_by"] == "sales@example.org", "not in the store")
    (answer,) = [row for row in estate.rows("acknowledgements", "--person", "sales@example.org")
                 if row["reference"] == _episode(estate, "board-1")["violation_id"]]  # fmt: skip
    assert (answer["answer"], answer["of"]) == ("accept", "violation")

    with signed_in(chromium, estate, "sales@example.org") as page:
        page.get_by_role("link", name="Everyone's").click()
        article = _article(page, "board-1")
        article.get_by_label("Note").fill("it is not mine after all")
        page.evaluate(_SLOWLY)
        article.get_by_role("button", name="Take back").click()
        expect(page.locator("#outcome")).to_contain_text("Waiting to hear whether it counts")
        expect(page.locator("#outcome")).not_to_contain_text("Waiting")
        expect(article.get_by_role("button", name="Acknowledge")).to_be_visible()
        expect(article.get_by_text("taken on by")).to_have_count(0)
        expect(article.get_by_label("Note")).to_have_value("")
    estate.until(lambda: _episode(estate, "board-1")["acknowledged_by"] is None, "not taken back in the store")


def test_several_are_taken_on_at_once_with_one_note(chromium: Browser, estate: Estate) -> None:
    traces = ("board-4", "board-5")
    with signed_in(chromium, estate, "sales@example.org") as page:
        page.get_by_role("link", name="Everyone's").click()
        for trace in traces:
            _too_large_a_refund(estate, trace)
            _article(page, trace).get_by_role("checkbox").check()
        page.get_by_label("Note for all that are selected").fill("both of the same desk")
        page.get_by_role("button", name="Acknowledge selected").click()
        for trace in traces:
            taken = _article(page, trace).get_by_text("taken on by sales@example.org")
            expect(taken).to_be_visible()
        expect(page.locator("#outcome li")).to_have_count(2)
    for trace in traces:
        estate.until(
            lambda trace=trace: _episode(estate, trace)["acknowledged_by"] == "sales@example.org",  # type: ignore[misc]
            "not in the store",
        )


def test_the_keyboard_alone_is_enough(chromium: Browser, estate: Estate) -> None:
    with signed_in(chromium, estate, "sales@example.org") as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.goto(page.url.rstrip("/") + "/?whose=all")
        _too_large_a_refund(estate, "board-3")
        article = _article(page, "board-3")
        expect(article).to_be_visible()
        for _ in range(page.locator("article").count() + 10):  # others come meanwhile
            page.keyboard.press("j")
            if article.evaluate("(each) => each === document.activeElement"):
                break
        assert article.evaluate("(each) => each === document.activeElement"), "j leads from one to the next"
        for _ in range(12):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == "Acknowledge":
                break
        assert article.evaluate("(each) => each.contains(document.activeElement)"), "the next stop is within it"
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", "one sees where one is"
        page.keyboard.press("Enter")
        expect(article.get_by_text("taken on by sales@example.org")).to_be_visible()


def test_who_has_published_keys_signs_in_the_browser_and_the_key_stays_there(chromium: Browser, estate: Estate) -> None:
    sent: list[str] = []
    with signed_in(chromium, estate, "modeller@example.org") as page:
        page.on("request", lambda request: sent.append(request.post_data or ""))
        article = page.locator("article", has_text="LEND-7")
        article.get_by_role("button", name="Acknowledge").click()
        expect(page.get_by_text("choose your private key file first")).to_be_visible()
        page.set_input_files("#key-file", estate.key)
        expect(page.locator("#key-state")).to_contain_text("Ready")
        article.get_by_role("button", name="Acknowledge").click()
        expect(article.get_by_text("taken on by modeller@example.org")).to_be_visible()
    secret = estate.key.read_text().splitlines()[1]
    assert sent
    assert not [body for body in sent if secret in body or secret.replace("+", "%2B") in body]

    def told() -> dict[str, Any]:
        (found,) = [row for row in estate.violations("told", "lender") if row["slice"] == "LEND-7/modeller@example.org"]
        return found

    estate.until(lambda: told()["acknowledged_by"] == "modeller@example.org", "not in the store")


def test_who_has_the_authority_suspends_a_tool_in_the_browser_and_resumes_it_on_evidence(
    chromium: Browser, estate: Estate
) -> None:
    with signed_in(chromium, estate, "modeller@example.org") as page, signed_in(chromium, estate, None) as other:
        page.goto(f"{page.url.rstrip('/')}/systems/desk")
        page.set_input_files("#key-file", estate.key)
        expect(page.locator("#key-state")).to_contain_text("Ready")
        page.locator("summary", has_text="Suspend it").click()
        page.get_by_label("Why").fill("it sends what nobody asked for")
        page.get_by_label("This tool alone").fill("export")
        page.get_by_role("button", name="Suspend", exact=True).click()
        told = "tool export of desk is suspended"
        banner = page.locator("#suspended", has_text=told)
        expect(banner).to_be_visible()
        expect(other.locator(".notice", has_text=told)).to_be_visible()
        assert axe.faults(page) == []

        page.wait_for_timeout(4_000)  # what is under way may still come
        estate.emit(type="tool_call", system="desk", version="1", tool="export", decision="allowed", trace_id="board-9")
        expect(other.locator("article", has_text="tool export of desk goes on")).to_be_visible()

        page.get_by_label("Evidence (an address)").fill("https://example.org/runs/81")
        page.get_by_role("button", name="Resume").click()
        expect(banner).to_have_count(0)
        expect(other.locator(".notice", has_text=told)).to_have_count(0)
    estate.until(lambda: estate.violations("suspension", "desk")[0]["state"] == "resolved", "it goes on in the store")


def test_without_javascript_one_sees_and_answers_all_the_same(chromium: Browser, estate: Estate) -> None:
    with signed_in(chromium, estate, "audit@example.org", java_script_enabled=False) as page:
        _too_large_a_refund(estate, "board-2")
        estate.until(lambda: bool(estate.violations("no-large-refund", "desk")), "not judged")

        def listed() -> bool:
            page.goto(page.url.partition("?")[0] + "?whose=all")
            return bool(_article(page, "board-2").count())

        estate.until(listed, "it is not on the page")
        _article(page, "board-2").get_by_role("button", name="Acknowledge").click()
        expect(page.get_by_text("counts: audit@example.org takes it on")).to_be_visible()


@pytest.mark.parametrize(("width", "schemes"), [(390, ("dark", "light")), (1600, ("light", "dark"))])
def test_every_page_can_be_used_by_everybody(
    chromium: Browser, estate: Estate, width: int, schemes: tuple[Literal["light", "dark"], ...]
) -> None:
    size: Any = {"width": width, "height": 900}
    # What comes in is looked at in the scheme that is left from the page before: another one at each width.
    with signed_in(chromium, estate, "sales@example.org", color_scheme=schemes[-1], viewport=size) as page:
        base = page.url.rstrip("/")
        episodes = _episodes(page, base)
        # All of them where there is least room; what differs between them is how wide their words are.
        for path in (*PAGES, *(episodes if width == 390 else episodes[:1])):
            page.goto(base + path)
            assert axe.faults(page) == [], f"{path} while its parts come in"
            page.wait_for_function("() => !document.querySelector('.skeleton')")
            page.emulate_media(color_scheme=schemes[0])
            assert axe.faults(page) == [], f"{path}, {schemes[0]}"
            page.emulate_media(color_scheme=schemes[1])
            assert axe.faults(page, of_colours=True) == [], f"{path}, {schemes[1]}"
            assert _beyond(page) == [], path


def test_nobody_sees_anything_without_signing_in(chromium: Browser, estate: Estate) -> None:
    with signed_in(chromium, estate, None) as page:
        base = page.url.rstrip("/")
    stranger = chromium.new_context()
    page = stranger.new_page()
    for path in (*PAGES, "/parts/on-call"):
        page.goto(base + path)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert page.locator("article").count() == 0
    assert axe.faults(page) == []
    stranger.close()


def test_a_change_is_answered_where_it_is_shown_and_each_clock_stops_for_who_answered(
    chromium: Browser, estate: Estate
) -> None:
    announced = estate.run(
        "announce", "model", "--system", "lender", "--to", "2", "--id", "BOARD-1", "--as", "risk@example.org",
        "--summary", "the provider moves us once more",
    )  # fmt: skip
    assert announced.returncode == 0, announced.stderr

    def waiting() -> set[str]:
        rows = estate.rows("acknowledgements", "--waiting")
        return {row["person"] for row in rows if row["reference"] == "BOARD-1"}

    estate.until(lambda: waiting() == {"sales@example.org", "modeller@example.org"}, "nobody is asked")
    for person, key in (("sales@example.org", None), ("modeller@example.org", estate.key)):
        with signed_in(chromium, estate, person) as page:
            page.get_by_role("link", name="Changes").click()
            card = page.locator("article", has_text="the provider moves us once more")
            expect(card.locator("li", has_text=person).locator("[data-countdown]")).to_be_visible()
            if key is not None:
                page.set_input_files("#key-file", key)
                expect(page.locator("#key-state")).to_contain_text("Ready")
            card.get_by_role("button", name="Acknowledge").click()
            expect(page.locator("#outcome")).to_contain_text("BOARD-1 counts")
        estate.until(lambda person=person: person not in waiting(), f"{person} is still asked")  # type: ignore[misc]


def test_what_was_broken_is_reviewed_in_a_form_and_its_action_is_closed(chromium: Browser, estate: Estate) -> None:
    estate.emit(
        type="inference", event_id=None, system="lender", version="1", config_digest=lending.AGREED, use_case="loans",
        subject="s-17", score=1.7, decision="admit", attributes={"reason": "rate"},
    )  # fmt: skip

    def owed() -> list[tuple[str, str]]:
        return [(row["what"], row["text"]) for row in estate.rows("followups", "--system", "lender")]

    estate.until(lambda: [what for what, _ in owed()] == ["review"], "no review is owed")
    (broken,) = estate.violations("a-share", "lender")
    with signed_in(chromium, estate, "modeller@example.org") as page:
        page.goto(f"{page.url.partition('?')[0]}episodes/{broken['violation_id']}")
        form = page.get_by_role("form", name="Your review")
        form.get_by_label("What the contract between the two sides implied").fill("one line for whoever is admitted")
        form.get_by_label("Where behaviour diverged from it").fill("one was admitted below it")
        form.get_by_label("Why").fill("a limit was moved by hand")
        first = form.get_by_role("group", name="Action 1")
        first.get_by_label("What is done").fill("the limit is read from the contract")
        first.get_by_label("By one person").fill("modeller@example.org")
        first.get_by_label("Until the end of").fill("2031-01-31")
        give = form.get_by_role("button", name="Give the review")
        give.click()
        expect(page.get_by_text("choose your private key file first")).to_be_visible()
        page.set_input_files("#key-file", estate.key)
        expect(page.locator("#key-state")).to_contain_text("Ready")
        give.click()
        expect(page.locator("#outcome")).to_contain_text("counts")
        action = ("action", "the limit is read from the contract")
        estate.until(lambda: owed() == [action], "no action is owed")

        page.goto(page.url)
        expect(page.get_by_text("Reviewed by modeller@example.org")).to_be_visible()
        page.set_input_files("#key-file", estate.key)
        expect(page.locator("#key-state")).to_contain_text("Ready")
        page.get_by_role("region", name="What follows from it").get_by_role("button", name="Done").click()
        expect(page.locator("#outcome")).to_contain_text("counts")
    estate.until(lambda: owed() == [], "the action is still owed")


def test_a_system_that_nobody_registered_is_registered_by_its_draft(chromium: Browser, estate: Estate) -> None:
    with signed_in(chromium, estate, None) as page:
        page.get_by_role("link", name="Inventory", exact=True).click()
        page.get_by_role("link", name="Draft its document of Scorer").click()
        page.get_by_label("Who answers for it").select_option("lead@example.org")
        page.get_by_role("button", name="Fill in").click()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").click()
        download.value.save_as(estate.contracts / "scorer-as-spelt.yaml")
        checked = command("contracts", "check", str(estate.contracts))
        assert checked.returncode == 0, checked.stdout + checked.stderr
        page.get_by_role("link", name="Inventory", exact=True).click()
        # `up` watches the folder, and publishes what is put there.
        declared = page.locator("section", has=page.get_by_role("heading", name="Declared (")).get_by_role(
            "rowheader", name="Scorer", exact=True
        )
        expect(declared).to_be_visible()
        expect(page.get_by_role("link", name="Draft its document of Scorer")).to_have_count(0)
