"""What could not be judged: per system and clause, how many events came, how many were judged, and why others were not.

Asked of the decision store by the conditions that the stages count by, over a stretch of event time, so that it tells
of any time that is on record and not only of today (which `seamwatch doctor` asks the judges). A clause in force now
is asked for as long of that time as it has been. Judges nothing again: whether a clause is broken, the judges said.
"""

from sinks.store.questions.sources import Period
from sinks.store.questions.unjudged.asking import SIGNALS, asked_of, looked, not_judged, watched_signals
from sinks.store.questions.unjudged.row import JUDGED, Looked, Why
from sinks.store.questions.unjudged.words import sentence, standing

__all__ = [
    "JUDGED",
    "SIGNALS",
    "Looked",
    "Period",
    "Why",
    "asked_of",
    "looked",
    "not_judged",
    "sentence",
    "standing",
    "watched_signals",
]
