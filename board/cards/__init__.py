"""How a card looks: as a page that stands alone, as Markdown, as JSON. What is in it is a question of the store.

Whatever is not known is said to be not known, in every form.
"""

from board.cards.forms import FORMS, Form, rendered
from board.cards.made import Made, made_of

__all__ = ["FORMS", "Form", "Made", "made_of", "rendered"]
