"""How fast is what each contract tolerates used up? The burn rate of every clause in force, over four windows to now.

A clause that tolerates a share of events burns at 1 when just that share offends: what the Google SRE workbook calls
the burn rate of an error budget ("Alerting on SLOs"). Counted are the events on record, each once, by the clause as it
stands now and no further back than it has been in force. Freshness has a limit of age instead, of which it is said how
much is used. What agrees no tolerance is listed as such, and what cannot be told is unknown: neither is ever fine.
"""

from sinks.store.questions.burn.asked import burning
from sinks.store.questions.burn.rates import (
    HOURS,
    VERDICTS,
    Burn,
    Window,
    agreed_text,
    burn_record,
    rates_text,
    said,
)

__all__ = [
    "HOURS",
    "VERDICTS",
    "Burn",
    "Window",
    "agreed_text",
    "burn_record",
    "burning",
    "rates_text",
    "said",
]
