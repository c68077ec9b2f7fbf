"""The API under what its description allows, and what it does not: no error of ours, and no status it does not name."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from board.app import make_app
from board.context import Context
from board.security.tokens import new_token
from seamwatch.durations import HOUR
from tests.board.conftest import AUDITOR

SEEDED = hypothesis.settings(
    max_examples=2,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    phases=[hypothesis.Phase.generate],  # what fails is told as it is: to make it smaller would take minutes
)


@pytest.fixture
def operations(context: Context, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("statements.answer.submit", lambda *_: {"counted": True, "summary": "it counts"})
    monkeypatch.setattr("statements.recorded._beyond", lambda *_: {})  # no broker is asked
    for of in ("start", "end"):
        monkeypatch.setattr(context.feed, of, lambda: None)  # it follows nothing
    secret = b"a secret of the tests, long enough"
    token = new_token(secret, AUDITOR, ("read", "answer"), context.sessions.now() + HOUR)
    headers = {"Authorization": f"Bearer {token}", "Host": "127.0.0.1"}
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", make_app(context), headers=headers), headers


def test_no_request_is_answered_by_an_error_of_ours_or_by_what_is_not_described(operations: Any) -> None:
    schema, headers = operations
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:

            @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
            @SEEDED
            def is_answered(case: Any) -> None:
                nonlocal tried
                tried += 1
                case.call_and_validate(
                    headers=headers,
                    checks=[not_a_server_error, status_code_conformance, response_schema_conformance],
                )

            is_answered()
    assert tried > 60
