"""The context: what every page of one process stands on, made once. It asks nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from board.asking import Stores
from board.live.feed import Feed
from board.live.hub import Hub
from board.running import Shown, shown
from board.security.oidc import Provider, provider_of
from board.security.sessions import Sessions, secret_of
from board.security.viewer import Viewer
from seamwatch.clock import Clock
from seamwatch.documents import Estate
from seamwatch.rates import Rate
from seamwatch.settings import Settings
from seamwatch.wire.codec import codec_of

_TRIES: Final = 10
_PROVIDED: Final = 60
"""Sign-ins by a provider: who comes through a proxy comes from one address."""
_TRIES_SECONDS: Final = 60.0


def _provided() -> Rate:
    return Rate(_PROVIDED, _TRIES_SECONDS)


@dataclass(frozen=True, slots=True)
class Context:
    """Settings, connections, sessions and what is followed. ``address``: what people open, without a path."""

    settings: Settings
    shown: Shown
    stores: Stores
    clock: Clock
    sessions: Sessions
    hub: Hub
    feed: Feed
    sign_in_rate: Rate
    address: str
    provider: Provider | None = None
    provider_rate: Rate = field(default_factory=_provided)
    wrong_token_rate: Rate = field(default_factory=_provided)

    @property
    def estate(self) -> Estate:
        """The documents that are published."""
        return self.feed.estate

    def still_knows(self, viewer: Viewer) -> bool:
        """Whether who signed in is published still: whose document was withdrawn is out at once.

        While no document could be read yet, nothing is told by that.
        """
        return viewer.how == "link" or not self.estate.persons or viewer.person in self.estate.persons

    @property
    def origins(self) -> frozenset[str]:
        """Where the board's own pages come from."""
        own = {self.address}
        if self.address.startswith("http://127.0.0.1:"):
            own.add(self.address.replace("127.0.0.1", "localhost", 1))
        return frozenset(own)


def context_of(settings: Settings, address: str) -> Context:
    """The context of a process. Raises UsageError for what is not set, or cannot be used."""
    system = shown(settings)
    clock, stores, hub = settings.clock(), Stores(system), Hub()
    sessions = Sessions(secret_of(settings), settings.board_session, secure=address.startswith("https://"))
    feed = Feed(system, stores, codec_of(settings), clock, hub)
    tries, provider = Rate(_TRIES, _TRIES_SECONDS), provider_of(settings, address)
    return Context(settings, system, stores, clock, sessions, hub, feed, tries, address, provider)
