"""What a card that lies somewhere says of itself: of which system, as of when, until when good, and by which record.

Reads a card in each of its forms, and none of what is in it beside that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from seamwatch.errors import UsageError
from sinks.store.questions.cards.model import FORM, Moment

MARK: Final = "seamwatch-card"
_IN_PAGE: Final = re.compile(rf'<script type="application/json" id="{MARK}">(.*?)</script>', re.DOTALL)
_IN_MARKDOWN: Final = re.compile(rf"<!-- {MARK} (.*?) -->", re.DOTALL)


class Made(BaseModel):
    """What `seamwatch card --check` goes by."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    form: str
    system: str
    as_of: Moment
    good_until: Moment
    since: Moment
    basis: Mapping[str, str]

    def is_stale(self, now: int) -> bool:
        """Whether it is no longer good."""
        return now >= self.good_until


def embedded(content: Mapping[str, Any]) -> str:
    """JSON that may stand in a page or a comment, and ends neither."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").replace("--", "-\\u002d")


def made_of(text: str) -> Made:
    """What a card's text says of itself. Raises UsageError for what is none."""
    found = _IN_PAGE.search(text) or _IN_MARKDOWN.search(text)
    try:
        content = json.loads(text if found is None else found[1])
        made = Made.model_validate({**content, "system": content["who"]["system"]} if "who" in content else content)
    except (ValueError, KeyError, TypeError, ValidationError):
        raise UsageError("this is no card that `seamwatch card` wrote") from None
    if made.form != FORM:
        raise UsageError(f"this card is of another form, {made.form}: this release reads {FORM}")
    return made
