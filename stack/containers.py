"""Kafka and ClickHouse in containers, for tests on a machine where a Docker engine answers.

People use ``docker compose``; this is the tests' second choice, after what the environment names.
"""

from __future__ import annotations

import contextlib
import gc
import secrets
import socket
import warnings
from collections.abc import Iterator
from typing import Final

from stack.kafka.jars import KAFKA_VERSION
from stack.local import DATABASE

KAFKA_IMAGE: Final = f"apache/kafka:{KAFKA_VERSION}"
CLICKHOUSE_IMAGE: Final = "clickhouse/clickhouse-server:26.9"

_AUDITOR_PROFILE: Final = "readonly = 1, max_execution_time = 300, max_memory_usage = 4294967296"


def engine_answers() -> bool:
    """Whether a Docker engine is there and answers, not merely its command."""
    # Docker's client leaves the socket of a refused connection to the garbage collector, which warns of it later.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        answers = _answers()
        gc.collect()
    return answers


def _answers() -> bool:
    try:
        import docker
        from docker.errors import DockerException
    except ImportError:
        return False
    try:
        client = docker.from_env(timeout=3)
    except DockerException:
        return False
    try:
        return bool(client.ping())
    except (DockerException, OSError):
        return False
    finally:
        client.close()


@contextlib.contextmanager
def kafka() -> Iterator[str]:
    """A broker in a container; gives its bootstrap server."""
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.waiting_utils import wait_for_logs

    # The advertised port must be known before the start, so it is chosen here and not by Docker.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
    for name, value in settings.items():
        container = container.with_env(name, value)
    with container:
        wait_for_logs(container, r"Kafka Server started", timeout=60)
        yield f"127.0.0.1:{port}"


@contextlib.contextmanager
def clickhouse() -> Iterator[tuple[str, str]]:
    """A ClickHouse in a container; gives the URLs of its writer and of its read-only auditor."""
    import clickhouse_connect
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.waiting_utils import wait_for_logs

    writer, auditor = secrets.token_hex(12), secrets.token_hex(12)
    container = DockerContainer(CLICKHOUSE_IMAGE).with_exposed_ports(8123)
    settings = {"USER": "writer", "PASSWORD": writer, "DB": DATABASE, "DEFAULT_ACCESS_MANAGEMENT": "1"}
    for name, value in settings.items():
        container = container.with_env(f"CLICKHOUSE_{name}", value)
    with container:
        wait_for_logs(container, r"Ready for connections|Logging errors to", timeout=60)
        host, port = container.get_container_host_ip(), int(container.get_exposed_port(8123))
        client = clickhouse_connect.get_client(host=host, port=port, username="writer", password=writer)
        try:
            client.command(f"CREATE USER auditor IDENTIFIED BY '{auditor}' SETTINGS {_AUDITOR_PROFILE}")
            client.command("GRANT SELECT, SHOW ON *.* TO auditor")
        finally:
            client.close()
        yield (
            f"http://writer:{writer}@{host}:{port}/{DATABASE}",
            f"http://auditor:{auditor}@{host}:{port}/{DATABASE}",
        )
