"""The stages: whether Seamwatch does its own work. Over Prometheus, by the jobs and recordings of deploy/prometheus."""

from __future__ import annotations

from model import PROMETHEUS, dashboard, lines, source, stat, table

DASHBOARD = dashboard(
    "seamwatch-stages",
    "Seamwatch: its stages",
    "Lag, event time, delays, dead letters and deliveries of every stage. What to do is in docs/alerts.md.",
    [source("prometheus", "Prometheus", PROMETHEUS)],
    [
        stat("Stages that do not answer", {"": 'count(up{job=~"seamwatch-.+"} == 0) or vector(0)'}, red_above=1),
        stat(
            "Event time behind the clock",
            {"": "max(seamwatch_judge_event_time_age_seconds)"},
            unit="s",
            red_above=60,
            says="Nothing is judged by itself beyond this.",
        ),
        stat("Records not taken in", {"": "sum(job_topic:seamwatch_lag:sum)"}),
        stat("Outages that go on", {"": "sum(seamwatch_page_outages) or vector(0)"}, red_above=1),
        stat(
            "Longest undelivered page",
            {"": "max(seamwatch_page_oldest_undelivered_seconds)"},
            unit="s",
            red_above=120,
        ),
        stat("Board behind", {"": "max(seamwatch_board_away_seconds)"}, unit="s", red_above=60),
        table("Alerts", {"": 'ALERTS{alertname=~"Seamwatch.+", alertstate="firing", severity!="none"}'}, height=6),
        lines("Events taken in, a second", {"{{type}}": "type:seamwatch_measure_events:rate5m"}),
        lines("Lag by stage and topic", {"{{job}} {{topic}}": "job_topic:seamwatch_lag:sum"}),
        lines(
            "Age of event time, and of the oldest watermark",
            {
                "event time {{instance}}": "seamwatch_judge_event_time_age_seconds",
                "watermark {{topic}}": "max by (topic) (seamwatch_judge_watermark_age_seconds)",
            },
            unit="s",
            red_above=60,
        ),
        lines(
            "Rounds: 95 of 100 take no longer",
            {"{{job}}": "job:seamwatch_round_seconds:p95_5m"},
            unit="s",
        ),
        lines(
            "Detection: 95 of 100 violations were found no later",
            {"{{kind}}": "kind:seamwatch_judge_detection_delay_seconds:p95_30m"},
            unit="s",
        ),
        lines(
            "Delivery: 95 of 100 pages came no later",
            {"pages": "seamwatch_page_delivery_delay_seconds:p95_30m"},
            unit="s",
        ),
        lines(
            "Dead letters and what else does not count, in 10 minutes",
            {
                "rejected {{type}}": "sum by (type) (increase(seamwatch_measure_rejects_total[10m]))",
                "reused ids {{type}}": "sum by (type) (increase(seamwatch_measure_reused_total[10m]))",
                "too old {{type}}": "sum by (type) (increase(seamwatch_measure_late_total[10m]))",
                "too late": "sum(increase(seamwatch_judge_too_late_total[10m]))",
                "odd": 'sum(increase(seamwatch_judge_unknown_total{why="odd"}[10m]))',
            },
        ),
        lines(
            "Deliveries, a minute",
            {"{{channel}} {{result}}": "sum by (channel, result) (rate(seamwatch_page_deliveries_total[5m])) * 60"},
        ),
        lines("Timers of the judges", {"{{instance}}": "seamwatch_judge_timers"}),
        lines("State of the judges", {"{{kind}}": "sum by (kind) (seamwatch_judge_state_bytes)"}, unit="bytes"),
        lines("Outcomes that wait for their decisions", {"{{instance}}": "seamwatch_measure_waiting"}),
        lines(
            "Rows recorded, a second, and tries again",
            {
                "{{topic}}": "topic:seamwatch_record_rows:rate5m",
                "again ({{code}})": "sum by (code) (rate(seamwatch_record_retries_total[5m]))",
            },
        ),
        lines(
            "Violations open and unacknowledged",
            {"pager": "max(seamwatch_page_open)", "still to be told": "sum(seamwatch_page_waiting)"},
        ),
        lines(
            "Replies, in 10 minutes",
            {
                "{{service}} {{outcome}}": "sum by (service, outcome) (increase(seamwatch_replies_replies_total[10m]))",
                "missed {{service}}": "sum by (service) (increase(seamwatch_replies_missed_total[10m]))",
            },
        ),
        lines(
            "Board: 95 of 100 answers begin within",
            {"{{route}}": "route:seamwatch_board_request_seconds:p95_5m"},
            unit="s",
        ),
        lines("Board: share of errors", {"{{job}}": "job:seamwatch_board_errors:ratio5m"}, unit="percentunit"),
        lines("Memory", {"{{job}} {{instance}}": 'process_resident_memory_bytes{job=~"seamwatch-.+"}'}, unit="bytes"),
        lines("Starts", {"{{job}} {{instance}}": 'changes(process_start_time_seconds{job=~"seamwatch-.+"}[1h])'}),
    ],
    since="now-6h",
)
