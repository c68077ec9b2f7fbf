"""Why did this violation open, and reach a person, when it did? What is on record of it, and what it waited for.

Asked as a reader who may see headers (the auditor): `history_of` asks, `timeline_of` answers. Between one station (an
event, its arrival, the finding, the message, each try to tell a person) and the next it names what was waited for: a
producer, what was agreed, lateness, a partition, a stage, a channel. What nothing on record explains is said to be not
known.
"""

from sinks.store.questions.lateness.record import History, history_of
from sinks.store.questions.lateness.timeline import Timeline, timeline_of, timeline_record
from sinks.store.questions.lateness.waits import TOLD, Station, Wait

__all__ = ["TOLD", "History", "Station", "Timeline", "Wait", "history_of", "timeline_of", "timeline_record"]
