"""The forms of a card: a page that stands alone (HTML), Markdown, JSON."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from markupsafe import Markup

from board.cards import words
from board.cards.made import MARK, embedded
from board.cards.markdown import markdown
from board.cards.reliability import diagram
from board.page import text_of
from sinks.store.questions.cards.model import Card

Form = Literal["html", "markdown", "json"]

_STYLE: Final = Path(__file__).parents[1] / "static" / "board.css"
_SCRIPT: Final = (
    '(function(){var s=document.getElementById("stale");function look(){'
    'if(Date.now()>=Date.parse(s.getAttribute("data-good-until")))s.hidden=false}look();setInterval(look,60000)})()'
)
"""Shows that the card is stale, with no network; the date itself is in the text, for paper."""


def values_of(card: Card) -> Mapping[str, Any]:
    """What the template of a card is given."""
    return {
        "card": card,
        "w": words,
        "diagrams": [diagram(one, f"r{number}") for number, one in enumerate(card.calibration)],
    }


def page(card: Card) -> str:
    """The card as a page that needs nothing else: style, script, plots and the card's JSON are in it."""
    digest = b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    given = {
        "style": Markup(_STYLE.read_text("utf-8")),  # noqa: S704  ours
        "script": Markup(_SCRIPT),  # noqa: S704  ours
        "digest": digest,
        "mark": MARK,
        "json": Markup(embedded(card.model_dump(mode="json"))),  # noqa: S704  without what could end it
    }
    return text_of("card_alone.html", {**values_of(card), **given})


def rendered(card: Card, form: Form) -> str:
    """The text of a card in one of the forms."""
    return _RENDER[form](card)


def _json(card: Card) -> str:
    return card.model_dump_json(indent=2) + "\n"


_RENDER: Final[Mapping[Form, Callable[[Card], str]]] = MappingProxyType(
    {"html": page, "markdown": markdown, "json": _json}
)
FORMS: Final[Mapping[Form, str]] = MappingProxyType({"html": "html", "markdown": "md", "json": "json"})
"""The ending of a file, by form."""
