"""Names that others import stay: whoever moves one changes it here, in the docs and in the changelog."""

from __future__ import annotations

import importlib

import pytest

PUBLIC = {
    "seamwatch": (
        "Acknowledgement Attestation ConfigChange Counts DatasetRefresh Delivery Emitter Event Inference Outcome "
        "SeamwatchError Signature Suspension ToolCall config_digest"
    ),
    "seamwatch.testing": (
        "T0 RecordingEmitter acknowledgement attestation config_change dataset_refresh event_id inference named "
        "outcome suspension tool_call"
    ),
    "streams.testing": "Load Stream loaded",
    "seamwatch.guard": "Act Conversation Denied Escalated Fault Guard NotPermitted Suspensions Unchecked Verdict",
}


@pytest.mark.parametrize("module", PUBLIC)
def test_what_producers_and_agents_import_is_all_there_is(module: str) -> None:
    found = importlib.import_module(module)
    assert sorted(found.__all__) == sorted(PUBLIC[module].split())
    assert all(hasattr(found, name) for name in found.__all__)


def test_faust_apps_of_others_find_the_codec() -> None:
    from streams.page.codec import violation_topic

    assert callable(violation_topic)
