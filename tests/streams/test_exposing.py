"""A stage's metrics are where the settings say, and an address that cannot be had is an error in words."""

from __future__ import annotations

import socket
import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from seamwatch.errors import UsageError
from seamwatch.exposing import expose
from streams.metrics import Metrics
from tests.waiting import PATIENCE


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_metrics_are_on_loopback_at_the_port() -> None:
    port = free_port()
    Metrics("judge", port).outputs.inc(3)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
        shown = answer.read().decode()
    assert "seamwatch_judge_outputs_total 3.0" in shown
    assert "process_start_time_seconds" in shown


def test_a_port_that_is_taken_is_said_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"SEAMWATCH_METRICS_PORT={port}: 127\.0\.0\.1:{port} is taken"):
            expose(CollectorRegistry(), port)


def test_an_address_that_is_not_this_machines_is_said_with_its_setting() -> None:
    with pytest.raises(UsageError, match=r"SEAMWATCH_METRICS_HOST=192\.0\.2\.1"):
        expose(CollectorRegistry(), free_port(), "192.0.2.1")
