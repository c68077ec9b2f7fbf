"""A system's card: everything that is on record of it, put together as of one time, with how sure each figure is.

Asks the other questions, and measures what none of them does (`measuring`). How a card looks is the affair of whoever
shows it.
"""

from sinks.store.questions.cards.assembling import GOOD_FOR, PERIOD, card
from sinks.store.questions.cards.basis import moved_on
from sinks.store.questions.cards.model import Card, schema

__all__ = ["GOOD_FOR", "PERIOD", "Card", "card", "moved_on", "schema"]
