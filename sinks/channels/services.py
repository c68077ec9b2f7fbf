"""Services: which file of this folder reaches the service of a URL, and whether a URL can be used at all.

The one list of those that have a file of their own; whatever else there is, Apprise is asked. Sends nothing.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from seamwatch.channel_urls import is_console, references, refused, scheme_of
from seamwatch.delivering import Manner
from sinks.channels import alertmanager, by_apprise, mail, pagerduty, slack, webhook
from sinks.channels.service import Sending, Service

_SERVICES: Final[tuple[Service, ...]] = (
    alertmanager.SERVICE, mail.SERVICE, pagerduty.SERVICE, slack.SERVICE, webhook.SERVICE,
)  # fmt: skip

_FILE_ARGUMENTS: Final = frozenset({"template", "keyfile", "subfile", "pgpkey", "pgppub", "pgpprv", "attach"})
"""Arguments of some services that name a file on the pager's machine, whose content goes to the service."""


class ByApprise:
    """Whatever Apprise knows."""

    schemes = frozenset[str]()

    def __init__(self, *, keeps_incidents: bool) -> None:
        self.manner = Manner(keeps_incidents)

    def unusable(self, url: str, *, given: bool) -> str | None:
        """Why Apprise cannot use it."""
        return by_apprise.unusable(url, given=given, also=own_schemes())

    def send(self, sending: Sending) -> str | None:
        """Have Apprise send it."""
        by_apprise.send(sending)
        return None


_ANY: Final = ByApprise(keeps_incidents=False)
_ANY_OF_INCIDENTS: Final = ByApprise(keeps_incidents=True)


def own_schemes() -> tuple[str, ...]:
    """The schemes of the services that have a file of their own."""
    return tuple(sorted(scheme for service in _SERVICES for scheme in service.schemes))


def service_of(url: str) -> Service:
    """What reaches the service of a URL, published or with what the environment gives."""
    scheme = scheme_of(url)
    others = _ANY_OF_INCIDENTS if scheme in by_apprise.KEEPING_INCIDENTS else _ANY
    return next((service for service in _SERVICES if scheme in service.schemes), others)


def unusable(url: str) -> str | None:
    """Why no page can go to a channel as published, in words without secrets; None when nothing speaks against it.

    What the environment is to give is not there to be looked at; of such a URL only the rest is.
    """
    if is_console(url):
        return None
    if (why := refused(url)) is not None:
        return why
    if (argument := _file_argument(url)) is not None:
        return f"the channel names a file of the pager's machine ({argument}): take its path from a variable"
    try:
        return service_of(url).unusable(url, given=bool(references(url)))
    except ValueError:
        return "the channel is no URL: its host or port cannot be read"


def _file_argument(url: str) -> str | None:
    """The first argument of a URL that names a local file, other than by a variable that the operator set."""
    for name, value in parse_qsl(url.partition("?")[2]):
        if name.lower() in _FILE_ARGUMENTS and not value.startswith(("http://", "https://", "${")):
            return name
    return None
