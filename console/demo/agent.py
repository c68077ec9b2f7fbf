"""The order desk's agent: it plays real tool calls (see `data/NOTICE`), until two faults take some of them astray."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

from console.demo import timeline
from console.demo.configurations import AGENT, digest
from console.demo.planned import Planned, planned
from seamwatch.durations import MINUTE
from seamwatch.wire.events import Suspension, ToolCall


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call as the agent makes it; ``strays`` when a fault took it outside what was agreed."""

    conversation: str
    step: int
    at: int
    tool: str
    arguments: dict[str, Any]
    strays: bool


def calls(origin: int) -> Iterator[Call]:
    """The agent's calls in time order: the real ones, and what the faults make of some of them.

    From ``TOOL_APPEARS`` its tool server offers ``issue_store_credit``, and the agent takes it for returns of four
    items or more. During ``PROMPT_EDIT`` it passes on the customer's own reason for a cancellation.
    """
    text = (resources.files("console.demo") / "data" / "retail-agent-calls.ndjson").read_text("utf-8")
    real = [json.loads(line) for line in text.splitlines()]
    conversations = list(dict.fromkeys(call["conversation"] for call in real))
    spacing = timeline.LENGTH_DAYS / len(conversations)
    starts = {name: timeline.at(origin, (index + 0.5) * spacing) for index, name in enumerate(conversations)}
    edit_from, edit_to = (timeline.at(origin, day) for day in timeline.PROMPT_EDIT)
    for call in real:
        when = starts[call["conversation"]] + call["step"] * MINUTE
        tool, arguments = call["tool"], call["arguments"]
        returns = tool == "return_delivered_order_items" and len(arguments["item_ids"]) >= 4
        credited = returns and when >= timeline.at(origin, timeline.TOOL_APPEARS)
        quotes = tool == "cancel_pending_order" and edit_from <= when < edit_to
        if credited:
            tool = "issue_store_credit"
        if quotes:
            arguments = arguments | {"reason": "found it cheaper elsewhere"}
        yield Call(call["conversation"], call["step"], when, tool, arguments, credited or quotes)


def events(origin: int) -> Iterator[Planned]:
    """The calls, and the word by which the desk lets the agent go on that its contract has suspended.

    Nothing asks a guard before the agent acts, so it goes on all the same until then.
    """
    resumption = {
        "system": "order-agent",
        "state": "resumed",
        "person": "order-desk@example.org",
        "reason": "the tool is taken off the server, and the prompt is the approved one again",
        "evidence_uri": "https://example.org/order-agent/runs/81",
    }
    resumed = planned(
        Suspension, "order-agent/resumed", timeline.at(origin, timeline.AGENT_RESUMED), "order-desk", resumption
    )
    return heapq.merge(tool_calls(origin), [resumed], key=lambda event: event.at)


def tool_calls(origin: int) -> Iterator[Planned]:
    """The calls as events."""
    for call in calls(origin):
        fields = {
            "system": "order-agent",
            "version": "7",
            "config_digest": digest(AGENT),
            "trace_id": call.conversation,
            "tool": call.tool,
            "arguments": call.arguments,
            "resource": call.arguments["order_id"],
            "authorisation": "customer-request",
            "decision": "allowed",
            "outcome": "ok",
        }
        yield planned(ToolCall, f"order-agent/{call.conversation}/{call.step}", call.at, "order-desk", fields)
