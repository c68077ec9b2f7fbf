"""Whether a system is ready to be relied on: ten questions, each answered by the documents and the record.

`asking` gets what is known, `deciding` decides by that alone. Where nothing says whether it is so, the answer is
that it is not known.
"""

from sinks.store.questions.readiness.asking import readiness
from sinks.store.questions.readiness.row import QUESTIONS, Answer, answer_text, tally

__all__ = ["QUESTIONS", "Answer", "answer_text", "readiness", "tally"]
