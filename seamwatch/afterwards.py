"""Afterwards: the words in which those who were paged hear how it went on: another must act, somebody does, it is over.

Also those of many at once. Sends nothing, and knows no channel; what is due to whom is the pager's to know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from seamwatch.incidents import ACKNOWLEDGED, ESCALATED, RESOLVED, Ahead, News
from seamwatch.judging.model.facts import Violation
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.paging import Page, incident_of, page_saying, systems_text, title_of

_LISTED: Final = 5


def news_of(violation: Violation, news: News, board: str | None = None, ahead: Ahead | None = None) -> Page:
    """What somebody who was paged is told of how a violation went on."""
    incident = incident_of(violation, board, ahead, news)
    said = sentence(violation, news)
    lines = [said, "", violation.summary, "", f"System    {violation.system}", f"Severity  {violation.severity}"]
    lines.append(f"Opened    {moment_text(violation.opened_at)}")
    lines.append(f"Contract  {violation.contract}@{violation.contract_version}, clause {violation.clause}")
    if news != RESOLVED and incident.ahead.runbook is not None:
        lines.append(f"Runbook   {incident.ahead.runbook}")
    if incident.board is not None:
        lines.append(f"Board     {incident.board}")
    title = f"{_word(violation, news)} {title_of(violation)}"
    return page_saying(title, lines, violation.severity, (incident,), news)


def digest_of_news(violations: Sequence[Violation], news: News, board: str | None, ahead: Mapping[str, Ahead]) -> Page:
    """What somebody who was paged is told of many violations that went on alike."""
    incidents = tuple(incident_of(each, board, ahead.get(each.violation_id), news) for each in violations)
    lines = []
    for violation in violations[:_LISTED]:
        lines.append(f"{violation.system}: {violation.summary}")
        lines.append(f"  {sentence(violation, news)}")
    if len(violations) > _LISTED:
        lines += ["", f"and {len(violations) - _LISTED} more."]
    words = {_word(violation, news) for violation in violations}
    word = words.pop() if len(words) == 1 else "PASSED ON"
    title = f"{word} {len(violations)} violations: {systems_text(violations)}"
    return page_saying(title, lines, violations[0].severity, incidents, news)


def sentence(violation: Violation, news: News) -> str:
    """How a violation went on, in a sentence."""
    if news == ACKNOWLEDGED:
        at = "" if violation.acknowledged_at is None else f" at {moment_text(violation.acknowledged_at)}"
        return f"Taken by {violation.acknowledged_by or 'somebody'}{at}."
    if news == ESCALATED:
        return f"Now with {violation.person or 'nobody'}: nobody before them acknowledged in time."
    if news == RESOLVED:
        return "It is over." if violation.resolved_at is None else f"Over since {moment_text(violation.resolved_at)}."
    return violation.summary


def _word(violation: Violation, news: News) -> str:
    if news == ACKNOWLEDGED:
        return "TAKEN"
    if news == RESOLVED:
        return "OVER"
    return f"NOW WITH {violation.person or 'nobody'}"
