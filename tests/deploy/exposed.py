"""The metrics that every stage shows, by name and labels, from the registries that the stages themselves make."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector

import board.metrics
import replies.metrics
import sinks.record.metrics
import streams.page.metrics
from console.burn_rates import families
from seamwatch.clock import SystemClock
from streams.judge.figures import Figures
from streams.metrics import Metrics

OF_PROMETHEUS = {"up": set[str](), "ALERTS": {"alertname", "alertstate"}}
"""What Prometheus makes itself."""
OF_A_TARGET = {"instance", "job", "le"}
_SELECTED = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)?\{([^{}]*)\}")
_LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
_NAME = re.compile(r"(?<![\w:\"$])((?:[a-z_]+:)*seamwatch_\w+(?::\w+)?|up|ALERTS|process_\w+)(?![\w:\"(])")


def exposed() -> dict[str, set[str]]:
    """Each name of a sample, and the labels that it may have."""
    found = {name: labels for registry in registries() for name, labels in _of(registry).items()}
    burn: dict[str, Any] = {family.name: set(family._labelnames) for family in families([], 0)}
    return found | burn | OF_PROMETHEUS


def registries() -> list[CollectorRegistry]:
    """One a stage, and what every process shows of itself."""
    judge = Metrics("judge").registry
    Figures(judge, SystemClock())
    feed = SimpleNamespace(away_since=None, unread=0, episodes=SimpleNamespace(followed={}))
    process = CollectorRegistry()
    ProcessCollector(registry=process)
    return [
        Metrics("measure").registry,
        judge,
        sinks.record.metrics.Metrics().registry,
        streams.page.metrics.Metrics().registry,
        replies.metrics.Metrics().registry,
        board.metrics.Metrics(feed, []).registry,  # type: ignore[arg-type]  # it asks no more of them than this
        process,
    ]


def _of(registry: CollectorRegistry) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, collector in registry._names_to_collectors.items():
        found[name] = set(getattr(collector, "_labelnames", ()))
    for family in registry.collect():
        # What a collector of another make shows, which registers no names.
        found.setdefault(family.name, set(getattr(family, "_labelnames", ())))
    return found


def named(expression: str) -> set[str]:
    """The metrics that a PromQL expression names."""
    return set(_NAME.findall(_without_matchers(expression)))


def selected(expression: str) -> list[tuple[str, str]]:
    """Metric and label of each matcher; a metric that is selected by a pattern is named by ``~`` and the pattern."""
    found = []
    for name, inner in _SELECTED.findall(expression):
        matchers = _LABEL.findall(inner)
        metric = name or next(f"~{value}" for label, value in matchers if label == "__name__")
        found += [(metric, label) for label, _ in matchers]
    return found


def _without_matchers(expression: str) -> str:
    return _SELECTED.sub(lambda found: found.group(1) or "", expression)
