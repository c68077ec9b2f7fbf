"""Apprise: the many notification services that it knows, whether a URL is one of theirs, and sending by it.

Says why a service did not take a page (a time-out, a refusal, an HTTP status), and at which host; never the URL,
which carries secrets. Services that have a file of their own are asked there first (`sinks.channels.services`).
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Collection, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final

from seamwatch.channel_urls import scheme_of
from seamwatch.incidents import ACKNOWLEDGED, RESOLVED
from seamwatch.paging import Page, title_of
from seamwatch.sections import text_of, with_at_most
from seamwatch.wire.schemas import nearest
from sinks.channels.service import ChannelError, Sending, UnusableError

_UNKNOWN: Final = "Apprise does not know this kind of URL"

_WEBHOOK: Final = {"http": "json", "https": "jsons"}

KEEPING_INCIDENTS: Final[Mapping[str, str]] = {
    "firehydrant": "dedup", "goalert": "dedup", "goalerts": "dedup", "ilert": "dedup", "incidentio": "dedup",
    "pagertree": "thirdparty", "splunk": "entity_id", "squadcast": "dedup", "victorops": "entity_id",
}  # fmt: skip
"""Services that keep an incident open until they are told that it is over, and what Apprise calls its key."""

_SHORTER: Final = (5, 3, 1, 0)
_AROUND: Final = 20
_LEAST_ROOM: Final = 80
_ANY_LENGTH: Final = 32_768
_PLACE: Final = re.compile(r"host='([^']+)', port=(\d+)")
_HTTP: Final = re.compile(r"\berror=(\d{3})\b")
_SMTP: Final = re.compile(r"\((\d{3}), b?['\"]")
_SEEN: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("time-out: no answer within {seconds} from {place}", re.compile(r"timed out|timeout", re.IGNORECASE)),
    ("the name of {place} cannot be found", re.compile(r"resolve|getaddrinfo|name or service", re.IGNORECASE)),
    ("the certificate of {place} is not accepted", re.compile(r"certificate", re.IGNORECASE)),
    ("no TLS with {place}", re.compile(r"SSL")),
    ("the connection was refused by {place}", re.compile(r"refused", re.IGNORECASE)),
    ("the connection was broken off by {place}", re.compile(r"reset|aborted|closed|broken pipe", re.IGNORECASE)),
    ("no connection to {place}", re.compile(r"unreachable|no route|connection error", re.IGNORECASE)),
)


def unusable(url: str, *, given: bool, also: Collection[str] = ()) -> str | None:
    """Why no page can go to a channel as published, in words without secrets; None when nothing speaks against it.

    ``given``: the environment gives a part of it; of such a URL only the rest is looked at. ``also``: schemes that are
    known elsewhere, for the nearest name.
    """
    scheme = scheme_of(url)
    if scheme is None:
        if given and url.startswith("${"):
            return None
        return f"{_UNKNOWN}: write one such as mailto://…, slack://… or json://…"
    if given and scheme in ("http", "https"):
        return None  # some services are known by the address that they give out themselves
    if scheme not in (known := schemes()) and (given or instance(url) is None):
        if scheme in ("http", "https"):
            return f"{_UNKNOWN}: the service is part of the scheme; a webhook of your own is {_WEBHOOK[scheme]}://…"
        return f"{_UNKNOWN}: no service has the scheme {scheme!r}{nearest(scheme, (*known, *also))}"
    if not given and instance(url) is None:
        return f"the channel's {scheme}:// URL lacks a part that Apprise needs, or has a wrong one"
    return None


def send(sending: Sending) -> None:
    """Send a page by a URL; blocks for about as long as the service does. Raises ChannelError.

    A service that keeps incidents is told of each violation by itself, under its id.
    """
    service, page = instance(sending.url), sending.page
    if service is None:
        raise UnusableError(f"{_UNKNOWN}, or it lacks a part")
    # The policy is one, and not the URL's.
    service.socket_connect_timeout = service.socket_read_timeout = sending.seconds
    key = KEEPING_INCIDENTS.get(scheme_of(sending.url) or "")
    if key is None:
        _notify(service, sending, page.title, fitting(page, _room(service, page)))
        return
    if "action=" not in sending.url:
        service.action = "map"  # opens and ends by the kind of message
    taken: list[str] = []
    for incident in page.incidents:
        setattr(service, key, incident.dedup_key)
        told = incident.violation
        single = len(page.incidents) == 1
        try:
            _notify(
                service,
                sending,
                *((page.title, fitting(page, _room(service, page))) if single else (title_of(told), told.summary)),
            )
        except ChannelError as error:
            error.taken = frozenset(taken)
            raise
        taken.append(told.violation_id)


def fitting(page: Page, most: int) -> str:
    """The text of a page in so many characters: a summary loses entries first, so that how to confirm it stays."""
    if len(page.body) <= most:
        return page.body
    shortened = (text_of(with_at_most(page.sections, number)) for number in _SHORTER) if page.sections else ()
    return next((text for text in shortened if len(text) <= most), page.body[: max(0, most - 1)] + "…")


def _room(service: Any, page: Page) -> int:
    """How many characters a service takes of the text, beside the title and the reference."""
    most = int(getattr(service, "body_maxlen", 0) or _ANY_LENGTH)
    return max(_LEAST_ROOM, most - len(page.title) - sum(map(len, page.references[:1])) - _AROUND)


def _notify(service: Any, sending: Sending, title: str, body: str) -> None:
    import apprise

    kinds: dict[str, Any] = {
        "breach": apprise.NotifyType.FAILURE,
        "drill": apprise.NotifyType.FAILURE,
        "warning": apprise.NotifyType.WARNING,
    }
    went_on: dict[str, Any] = {RESOLVED: apprise.NotifyType.SUCCESS, ACKNOWLEDGED: apprise.NotifyType.INFO}
    kind = went_on.get(sending.page.news) or kinds.get(sending.page.severity, apprise.NotifyType.INFO)
    text = f"{body}\n\nReference {' '.join(sending.page.references[:1])}"
    with _listening() as said:
        try:
            sent = service.notify(body=text, title=title, notify_type=kind)
        except Exception as error:  # noqa: BLE001 - a plugin of a hundred authors may raise anything
            raise ChannelError(f"the channel raised {type(error).__name__}") from None
    if not sent:
        at = place(service, said, sending.url, sending.published)
        raise ChannelError(_why(said, at, f"{sending.seconds:g} s"))


def schemes() -> tuple[str, ...]:
    """The schemes that Apprise knows."""
    from apprise.manager_plugins import NotificationManager

    _apprise()
    return tuple(sorted(NotificationManager().schemas()))


def instance(url: str) -> Any:
    """Apprise's object for a URL; None where it does not know it, or a part is wrong."""
    return _apprise().Apprise.instantiate(url)


def _apprise() -> Any:
    """Apprise, silenced."""
    import apprise

    _silence()
    return apprise


def _why(said: list[str], place: str, seconds: str) -> str:
    text = "\n".join(said)
    if (status := _HTTP.search(text)) is not None:
        return f"HTTP {status[1]} from {place}"
    if (status := _SMTP.search(text)) is not None:
        return f"SMTP {status[1]} from {place}"
    for words, pattern in _SEEN:
        if pattern.search(text):
            return words.format(place=place, seconds=seconds)
    return f"{place} did not take it"


def place(service: Any, said: list[str], url: str, published: str) -> str:
    """The host that was called, where that is no secret; else the service's name."""
    match = next((match for line in said if (match := _PLACE.search(line))), None)
    if match is not None:
        host, shown = match[1], f"{match[1]}:{match[2]}"
    elif (mail := getattr(service, "smtp_host", None)) is not None:
        host = shown = str(mail)
    elif _has_host(service):
        host = str(service.host)
        shown = f"{host}:{service.port}" if service.port else host
    else:
        return str(service.service_name)
    # A service's own address is no part of the URL. What is, is told only where it was published.
    if host.lower() in url.lower() and host.lower() not in published.lower():
        return "the host that a variable of the environment names"
    return shown


def _has_host(service: Any) -> bool:
    token = service.template_tokens.get("host")
    # In many a URL the first part, which reads like a host, is a token.
    return token is not None and not token.get("private") and bool(service.host)


class _Listener(logging.Handler):
    """Keeps what Apprise logs of a sending for who sends; nobody else hears it: it names URLs."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._received: ContextVar[list[str] | None] = ContextVar("received", default=None)

    @contextlib.contextmanager
    def listening(self) -> Iterator[list[str]]:
        """What is logged meanwhile by this sending."""
        lines: list[str] = []
        token = self._received.set(lines)
        try:
            yield lines
        finally:
            self._received.reset(token)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what tells of a failure."""
        lines = self._received.get()
        # Payloads and the like are logged too: only what went wrong is of use.
        if lines is not None and (record.levelno >= logging.WARNING or "Exception" in str(record.msg)):
            lines.append(record.getMessage())


def _silence() -> _Listener:
    """Let nothing that Apprise logs out of this module; returns what listens to it."""
    logger = logging.getLogger("apprise")
    found = next((handler for handler in logger.handlers if isinstance(handler, _Listener)), None)
    if found is None:
        found = _Listener()
        logger.handlers[:] = [found]
        logger.propagate = False
        logger.setLevel(logging.DEBUG)
    return found


def _listening() -> contextlib.AbstractContextManager[list[str]]:
    return _silence().listening()
