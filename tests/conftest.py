"""Servers for the tests that need them: what the environment names, else containers, else the local stack.

A test that asks for a broker gets a broker or fails; none is skipped. Servers start once a run, when first asked for.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
import structlog
from xdist.remote import Producer

from seamwatch.settings import Settings, load_settings
from stack import containers
from stack.folder import DataFolder
from stack.local import Addresses, LocalStack
from tests.scheduling import ByFile, heaviest_first

# How long an example takes says something of the machine, and nothing of what is tested. Every run draws others.
hypothesis.settings.register_profile("untimed", deadline=None, max_examples=40)
hypothesis.settings.load_profile("untimed")


def pytest_configure() -> None:
    # A broker of a test lives for a minute: what Java would spend on making it faster does not come back.
    os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
    # Rewriting the assertions of all files is half of what comes before the first test, and each worker would do it.
    sys.dont_write_bytecode = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = heaviest_first(items)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile | None:
    """The order of `heaviest_first` is kept only where nothing else orders: --no-loadscope-reorder."""
    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


# Any value will do for the server that a stack is not to start.
_ELSEWHERE = "127.0.0.1:9"


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """What a command that was run in this process made of the log must not decide what the next test hears of it."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The settings of the environment that the tests run in."""
    return load_settings()


@pytest.fixture(scope="session")
def docker_engine() -> bool:
    """Whether a Docker engine answers."""
    return containers.engine_answers()


@pytest.fixture(scope="session")
def kafka(settings: Settings, docker_engine: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap server of a broker, for the whole run."""
    with contextlib.ExitStack() as ends:
        if settings.kafka is not None:
            yield settings.kafka
        elif docker_engine:
            yield ends.enter_context(containers.kafka())
        else:
            wanted = settings.model_copy(update={"clickhouse": _ELSEWHERE})
            yield _local(ends, tmp_path_factory.mktemp("kafka"), wanted).kafka
        # Clients that are part of a cycle would outlive the broker, and complain on the terminal that it is away.
        gc.collect()


@pytest.fixture(scope="session")
def clickhouse_urls(
    settings: Settings, docker_engine: bool, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """URLs of a store's writer and auditor, for the whole run."""
    with contextlib.ExitStack() as ends:
        if settings.clickhouse is not None:
            yield settings.clickhouse, settings.clickhouse
        elif docker_engine:
            yield ends.enter_context(containers.clickhouse())
        else:
            wanted = settings.model_copy(update={"kafka": _ELSEWHERE})
            addresses = _local(ends, tmp_path_factory.mktemp("clickhouse"), wanted)
            yield addresses.clickhouse, addresses.auditor


def _local(ends: contextlib.ExitStack, data: Path, settings: Settings) -> Addresses:
    return ends.enter_context(LocalStack(ends.enter_context(DataFolder(data)), settings))


@pytest.fixture(scope="session")
def clickhouse(clickhouse_urls: tuple[str, str]) -> str:
    """URL of the store with its writer, ``http://user:password@host:port/database``."""
    return clickhouse_urls[0]


@pytest.fixture(scope="session")
def auditor_url(clickhouse_urls: tuple[str, str]) -> str:
    """URL of the store with its read-only auditor."""
    return clickhouse_urls[1]


@pytest.fixture
def topics() -> str:
    """A topic prefix that no other test has."""
    return f"t{uuid4().hex[:10]}"
