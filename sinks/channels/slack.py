"""Slack: a message that is kept up to date as the violation goes on, by a bot's token; by a webhook, through Apprise.

``slack://<bot token>/#channel`` (``xoxb-…``): the message is posted once and then updated in place; somebody who must
be told again is told in its thread. What Slack called the message is the reference to it, which the pager keeps on
record. With ``?answers=yes`` it has a button that takes a violation on, for where the replies run, which hear of
its press. A webhook's URL (``slack://T…/B…/…``) cannot change what it posted: Apprise sends each anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from seamwatch.delivering import Manner
from seamwatch.incidents import ACKNOWLEDGED, AGAIN, RESOLVED, TRIGGER
from seamwatch.paging import Page
from seamwatch.sections import Item, Section
from sinks.channels import by_apprise
from sinks.channels.posting import place_of, post
from sinks.channels.service import ChannelError, Sending, UnusableError

_API: Final = "https://slack.com/api"
_BOT: Final = re.compile(r"xox[a-z](?:\.[a-z0-9-]+)?-[A-Za-z0-9-]+")
_TITLE: Final = 250
_BODY: Final = 2_800
_ENTRY: Final = 400
_WORD: Final = re.compile(r"[a-z_]{1,60}")
_PASSING: Final = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable",
                             "request_timeout", "team_added_to_org"})  # fmt: skip
_UNCHANGEABLE: Final = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "msg_too_long"})
_MARKS: Final = {ACKNOWLEDGED: ":eyes:", RESOLVED: ":white_check_mark:", AGAIN: ":bell:"}
_OF_MANY: Final = "digest"
_ANSWERS: Final = "answers"

ACKNOWLEDGE: Final = "seamwatch_acknowledge"
"""The action of the button, whose value is the violation's id; `replies.slack` hears of it."""


class Slack:
    """Posts to channels as a bot, and updates what it posted."""

    schemes = frozenset({"slack"})
    manner = Manner()

    def unusable(self, url: str, *, given: bool) -> str | None:
        """Why a URL cannot be used: it names no channel, or is none of Slack's at all."""
        token, channels = _parts(url)
        if _answers(url) not in (None, "yes", "no"):
            return "answers= of a slack:// URL is yes or no: whether its messages have a button to acknowledge"
        if _BOT.fullmatch(token):
            return None if channels else "a slack:// URL with a bot's token lacks its channel: slack://${…}/#channel"
        return by_apprise.unusable(url, given=given)

    def send(self, sending: Sending) -> str | None:
        """Post the page, or update what was posted before of the same violation; returns where it stands."""
        token, channels = _parts(sending.url)
        if not _BOT.fullmatch(token):
            by_apprise.send(sending)
            return None
        if not channels:
            raise UnusableError("the slack:// URL lacks its channel")
        page = sending.page
        if sending.reference is None or page.news == TRIGGER:
            posted = [_call(sending, token, "chat.postMessage", {"channel": name}) for name in channels]
        else:
            posted = [_again(sending, token, *place) for place in _places(sending.reference)]
        many = "" if len(page.about) == 1 else f"/{_OF_MANY}"
        return ",".join(f"{channel}:{ts}{many}" for channel, ts in posted if channel and ts) or None


def _again(sending: Sending, token: str, channel: str, ts: str, of_many: bool) -> tuple[str, str]:
    """Tell how it went on of a message that was posted: in place, or in its thread where somebody is to notice."""
    thread = {"channel": channel, "thread_ts": ts}
    if sending.page.news == AGAIN:
        return _call(sending, token, "chat.postMessage", {**thread, "reply_broadcast": True})
    if of_many:
        # The message is of others too, of which that is not so.
        return _call(sending, token, "chat.postMessage", thread)
    try:
        return _call(sending, token, "chat.update", {"channel": channel, "ts": ts})
    except UnchangeableError:
        return _call(sending, token, "chat.postMessage", thread)


class UnchangeableError(UnusableError):
    """The message that was to be updated is gone, or may not be changed any more."""


def _call(sending: Sending, token: str, method: str, place: Mapping[str, Any]) -> tuple[str, str]:
    address = f"{(sending.api or _API).rstrip('/')}/{method}"
    shown = content(sending.page, answers=_answers(sending.url) == "yes")
    body = json.dumps({**place, **shown, "unfurl_links": False}).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "Authorization": f"Bearer {token}"}
    answer = post(sending, address, body, headers).json()
    if answer.get("ok") is True:
        return str(answer.get("channel", "")), str(answer.get("ts", ""))
    error = str(answer.get("error", ""))
    said = error if _WORD.fullmatch(error) else "something else than ok"
    words = f"{place_of(sending, address)} says {said} to {method}"
    if error in _UNCHANGEABLE and method == "chat.update":
        raise UnchangeableError(words)
    if error in _PASSING or not error:
        raise ChannelError(words)
    raise UnusableError(words)


def content(page: Page, *, answers: bool = False) -> dict[str, Any]:
    """The page as Slack shows it: the title, also for notifications, and the text as it is.

    With ``answers`` a violation that waits for somebody has the button by which one takes it on.
    """
    mark = f"{_MARKS[page.news]} " if page.news in _MARKS else ""
    reference = f"Reference {page.references[0]}" if page.references else ""
    blocks: list[dict[str, Any]] = [
        _block(f"{mark}*{escaped(page.title[:_TITLE])}*"),
        *([_block(_part(section)) for section in page.sections] or [_block(_fixed(page.body))]),
    ]
    if reference:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": escaped(reference)}]})
    if answers and len(page.incidents) == 1 and page.incidents[0].is_to_be_taken:
        button = {
            "type": "button",
            "action_id": ACKNOWLEDGE,
            "text": {"type": "plain_text", "text": "Acknowledge"},
            "value": page.incidents[0].violation.violation_id,
        }
        blocks.append({"type": "actions", "elements": [button]})
    return {"text": f"{mark}{escaped(page.title)}", "blocks": blocks}


def _block(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _fixed(text: str) -> str:
    """Text as it stands, cut where it is longer than a block of Slack's may be."""
    shown = text if len(text) <= _BODY else f"{text[:_BODY]}\n…"
    return f"```{escaped(shown).replace('```', '` ` `')}```"


def _part(section: Section) -> str:
    """One part of a summary; of a list that is too long for a block the rest is counted."""
    if section.button is not None:
        words, address = section.button
        return f"<{escaped(address)}|{escaped(words)}>"
    lines = [f"*{escaped(section.title)}*"] if section.title else []
    lines += [escaped(each)[:_BODY] for each in section.sentences]
    length, shown = sum(map(len, lines)), 0
    for item in section.items:
        entry = _entry(item)
        if length + len(entry) > _BODY:
            break
        lines.append(entry)
        length, shown = length + len(entry) + 1, shown + 1
    if (left := max(section.number, len(section.items)) - shown) > 0 and section.items:
        lines.append(f"and {left} more")
    if section.fixed:
        lines.append(_fixed("\n".join(section.fixed)))
    return "\n".join(lines)


def _entry(item: Item) -> str:
    mark = f"*{item.mark.upper()}* " if item.mark else ""
    text = escaped(item.text[:_ENTRY])
    # What would end the link is no part of an address of ours.
    text = text if item.link is None else f"<{escaped(item.link)}|{text.replace('|', '/')}>"
    return f"• {mark}{text}" + (f"\n    {escaped(item.more)}" if item.more else "")


def escaped(text: str) -> str:
    """Text in which nothing is a mention, a link or a command to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _parts(url: str) -> tuple[str, tuple[str, ...]]:
    # A channel's # would begin a fragment; a name of the bot may stand before an @, as Apprise has it.
    _, _, rest = url.partition("://")
    place, *path = rest.partition("?")[0].split("/")
    channels = [unquote(part) for part in path if part]
    return unquote(place.rpartition("@")[2]), tuple(name for name in channels if name)


def _answers(url: str) -> str | None:
    return dict(parse_qsl(url.partition("?")[2], keep_blank_values=True)).get(_ANSWERS)


def _places(reference: str) -> list[tuple[str, str, bool]]:
    """The channel and time stamp of each message of a reference, and whether it told of many violations."""
    found = []
    for each in reference.split(","):
        place, _, of_many = each.partition("/")
        channel, _, ts = place.partition(":")
        found.append((channel, ts, of_many == _OF_MANY))
    return found


SERVICE: Final = Slack()
