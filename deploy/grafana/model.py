"""Grafana's model of a dashboard, as far as ours need it: panels over the store or Prometheus, laid out by width.

Knows no dashboard. The fields are those of Grafana's documented JSON model (schema version 39).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 24
STORE = {"type": "grafana-clickhouse-datasource", "uid": "${store}"}
PROMETHEUS = {"type": "prometheus", "uid": "${prometheus}"}
PLUGIN = "4.0.0"
"""Of the ClickHouse data source whose targets these are."""
TIMESERIES, TABLE = 0, 1


@dataclass(frozen=True)
class Panel:
    """One panel. ``asks``: SQL, or PromQL by legend. ``kind`` is Grafana's; ``says`` is shown beside the title."""

    title: str
    kind: str
    asks: str | dict[str, str]
    width: int
    height: int = 8
    unit: str = "short"
    says: str = ""
    red_above: float | None = None
    instant: bool = False


def stat(title: str, asks: str | dict[str, str], width: int = 4, **more: Any) -> Panel:
    """A number; red above a bound."""
    return Panel(title, "stat", asks, width, 4, **more)


def table(title: str, asks: str | dict[str, str], width: int = WIDTH, **more: Any) -> Panel:
    """A table."""
    return Panel(title, "table", asks, width, **more)


def lines(title: str, asks: str | dict[str, str], width: int = 12, **more: Any) -> Panel:
    """Lines over time."""
    return Panel(title, "timeseries", asks, width, **more)


def dashboard(
    uid: str,
    title: str,
    says: str,
    variables: Sequence[dict[str, Any]],
    panels: Sequence[Panel],
    since: str = "now-24h",
) -> dict[str, Any]:
    """The dashboard, its panels beside one another as long as they fit."""
    return {
        "annotations": {"list": []},
        "description": says,
        "editable": True,
        "graphTooltip": 1,
        "id": None,
        "links": [{
            "asDropdown": False, "icon": "external link", "includeVars": False, "keepTime": True, "tags": ["seamwatch"],
            "targetBlank": False, "title": "Seamwatch", "type": "dashboards", "url": "",
        }],
        "panels": _laid(panels),
        "refresh": "1m",
        "schemaVersion": 39,
        "tags": ["seamwatch"],
        "templating": {"list": list(variables)},
        "time": {"from": since, "to": "now"},
        "timezone": "utc",
        "title": title,
        "uid": uid,
        "version": 1,
    }  # fmt: skip


def source(name: str, label: str, of: dict[str, str]) -> dict[str, Any]:
    """The variable that says which data source is asked."""
    return {"name": name, "label": label, "type": "datasource", "query": of["type"], "hide": 0, "refresh": 1}


def chosen(name: str, label: str, sql: str, *, multi: bool = False) -> dict[str, Any]:
    """A variable whose values the store gives."""
    return {
        "name": name, "label": label, "type": "query", "datasource": STORE, "definition": sql, "query": sql,
        "refresh": 2, "sort": 1, "multi": multi, "includeAll": multi, "hide": 0,
    }  # fmt: skip


def _laid(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    laid: list[dict[str, Any]] = []
    x = y = tallest = 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
        laid.append({"id": number, "gridPos": place, **_drawn(panel)})
        x, tallest = x + panel.width, max(tallest, panel.height)
    return laid


def _drawn(panel: Panel) -> dict[str, Any]:
    over = STORE if isinstance(panel.asks, str) else PROMETHEUS
    steps: list[dict[str, Any]] = [{"color": "green" if panel.red_above is not None else "text", "value": None}]
    if panel.red_above is not None:
        steps.append({"color": "red", "value": panel.red_above})
    defaults = {"unit": panel.unit, "noValue": "nothing", "thresholds": {"mode": "absolute", "steps": steps}}
    options: dict[str, Any] = {}
    if panel.kind == "stat":
        options = {"colorMode": "value", "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    return {
        "title": panel.title,
        "description": panel.says,
        "type": panel.kind,
        "datasource": over,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": _targets(panel),
    }


def _targets(panel: Panel) -> list[dict[str, Any]]:
    if isinstance(panel.asks, str):
        over_time = panel.kind == "timeseries"
        return [{
            "refId": "A", "datasource": STORE, "editorType": "sql", "pluginVersion": PLUGIN,
            "rawSql": panel.asks.strip(), "format": TIMESERIES if over_time else TABLE,
            "queryType": "timeseries" if over_time else "table",
        }]  # fmt: skip
    now = panel.instant or panel.kind in ("stat", "table")
    return [
        {
            "refId": chr(ord("A") + number), "datasource": PROMETHEUS, "editorMode": "code", "expr": expression,
            "legendFormat": legend, "instant": now, "range": not now,
            "format": "table" if panel.kind == "table" else "time_series",
        }
        for number, (legend, expression) in enumerate(panel.asks.items())
    ]  # fmt: skip
