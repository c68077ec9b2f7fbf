"""The sign of life: tells an outside service that the pager works, so that somebody misses it when it does not.

One request, to the address that the settings name; when to send it is the pager's to know. The address carries a
secret: only its host is ever told.
"""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from typing import Final
from urllib.parse import urlsplit

from seamwatch.errors import UnreachableError

_SECONDS: Final = 10.0


class DeadMan:
    """Asks the address of an outside service; fits the pager's ``beat``."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._host = urlsplit(url).hostname or "?"

    async def __call__(self) -> None:
        """Give one sign of life. Raises UnreachableError when it was not taken."""
        await asyncio.to_thread(self._ask)

    def _ask(self) -> None:
        # http or https, which the settings see to.
        request = urllib.request.Request(self._url, headers={"User-Agent": "seamwatch"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                answer.read(1_024)
        except urllib.error.HTTPError as error:
            error.close()
            raise UnreachableError(f"the sign of life was not taken: HTTP {error.code} from {self._host}") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            said = getattr(reason, "strerror", None) or type(reason).__name__
            raise UnreachableError(f"the sign of life was not taken: {self._host}: {said}") from None
