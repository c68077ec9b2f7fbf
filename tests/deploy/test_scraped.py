"""A real Prometheus fetches what a stage shows, and an alert fires for the first event that is worth one."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.metrics import Metrics
from tests.debian import program
from tests.waiting import PATIENCE, wait_for

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        return int(made.getsockname()[1])


class Prometheus:
    """A server over our example, with one target: what is fetched and looked at every second."""

    def __init__(self, port: int) -> None:
        self._port = port

    def found(self, query: str) -> list[dict[str, Any]]:
        """What a query gives; nothing while the server starts."""
        url = f"http://127.0.0.1:{self._port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
            return result
        return []


@pytest.fixture
def shown() -> tuple[Metrics, int]:
    """A stage's metrics, and their port."""
    port = free_port()
    return Metrics("measure", port), port


@pytest.fixture
def prometheus(tmp_path: Path, shown: tuple[Metrics, int]) -> Iterator[Prometheus]:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "prometheus"))
    example = yaml.safe_load((folder / "prometheus.yml").read_text("utf-8"))
    example["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    example["alerting"] = {}
    example["scrape_configs"] = [job for job in example["scrape_configs"] if job["job_name"] == "seamwatch-measure"]
    example["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{shown[1]}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(example))
    port = free_port()
    process = subprocess.Popen(
        [
            program(["prometheus"], "prometheus", "SEAMWATCH_TEST_PROMETHEUS"),
            f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield Prometheus(port)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def test_the_first_event_that_is_set_aside_is_told(shown: tuple[Metrics, int], prometheus: Prometheus) -> None:
    metrics, _ = shown
    fires = 'ALERTS{alertname="SeamwatchEventsRejected", alertstate="firing"}'
    wait_for(lambda: bool(prometheus.found('up{job="seamwatch-measure"} == 1')), "a first look")
    wait_for(lambda: bool(prometheus.found('ALERTS{alertname="SeamwatchWatchdog"}')), "the watchdog")
    assert prometheus.found(fires) == []
    metrics.rejects.labels("inference").inc()
    wait_for(lambda: bool(prometheus.found(fires)), "the alert")
    (alert,) = prometheus.found(fires)
    assert alert["metric"]["type"] == "inference"
    # It is seen by when its counter began: there was no increase.
    assert prometheus.found("increase(seamwatch_measure_rejects_total[10m]) > 0") == []
    # What is missing is told too, once it has been for long enough.
    missing = prometheus.found('ALERTS{alertname="SeamwatchStageMissing", alertstate="pending"}')
    assert {each["metric"]["job"] for each in missing} == {
        f"seamwatch-{stage}" for stage in ("judge", "record", "page", "board")
    }
