"""Each stage of `up` shows its metrics at a port of its own; what is wrong with one is said before anything starts."""

from __future__ import annotations

import socket

import pytest

from console.metrics_ports import metrics_ports
from seamwatch.errors import UsageError
from seamwatch.settings import load_settings

STAGES = ("measure", "judge", "record", "page")


def free_ports() -> int:
    """The first of four ports that nobody has."""
    for first in range(21_000, 30_000, 4):
        try:
            for port in range(first, first + 4):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return first
    raise AssertionError("no four ports in a row are free")


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", *(["::1"] if has_ipv6() else [])])
def test_each_stage_has_a_port_from_the_one_that_is_set_on(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    first = free_ports()
    monkeypatch.setenv("SEAMWATCH_METRICS_PORT", str(first))
    monkeypatch.setenv("SEAMWATCH_METRICS_HOST", host)
    shown = f"[{host}]" if ":" in host else host
    assert metrics_ports(load_settings(), STAGES) == {
        stage: f"{shown}:{first + number}" for number, stage in enumerate(STAGES)
    }


def test_one_that_is_taken_is_told_with_its_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_ports()
    monkeypatch.setenv("SEAMWATCH_METRICS_PORT", str(first))
    said = rf"127\.0\.0\.1:{first + 2}, where record would .* is taken"
    with socket.create_server(("127.0.0.1", first + 2)), pytest.raises(UsageError, match=said):
        metrics_ports(load_settings(), STAGES)


def test_ports_beyond_the_last_are_refused_and_none_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert metrics_ports(load_settings(), STAGES) == {}
    monkeypatch.setenv("SEAMWATCH_METRICS_PORT", "65533")
    with pytest.raises(UsageError, match="4 ports are needed from it on: name a lower one"):
        metrics_ports(load_settings(), STAGES)
