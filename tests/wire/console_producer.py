"""Apache Kafka's own command-line producer, for a test that publishes with a client that knows nothing of Avro.

Its class is in a jar that a broker does without; it is fetched once from Maven Central into the cache, and checked.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext
from jgo.parse import Endpoint

from seamwatch.settings import load_settings
from stack.kafka.jars import KAFKA_VERSION, kafka_jars, user_cache
from stack.kafka.java import find_java
from tests.waiting import PATIENCE

SHA256 = "62f3c5dd7aa3442d4c5bc6a95f86e2502178ea09de8e27f74d9563bf955e253c"


def produce_line(bootstrap: str, topic: str, line: bytes) -> None:
    """Publish one line of standard input as one message: bytes that are UTF-8 and hold no line end."""
    settings = load_settings()
    cache = user_cache(settings.cache)
    jars = kafka_jars(cache, lambda _: None)
    subprocess.run(
        [
            str(find_java(settings.java)), "-Xmx128m", "-XX:TieredStopAtLevel=1",
            "-cp", f"{_tools(cache)}:{jars}/*", "org.apache.kafka.tools.ConsoleProducer",
            "--bootstrap-server", bootstrap, "--topic", topic, "--sync",
        ],
        input=line + b"\n", check=True, capture_output=True, timeout=PATIENCE,
    )  # fmt: skip


def _tools(cache: Path) -> Path:
    jar = cache / f"kafka-tools-{KAFKA_VERSION}.jar"
    if not jar.is_file():
        context = MavenContext(
            repo_cache=cache / "fetching-tools",
            remote_repos={**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL},
            timeout=30,
        )
        (coordinate,) = Endpoint.parse(f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}").coordinates
        fetched = Path(context.create_dependency(coordinate).artifact.resolve())
        assert _digest(fetched) == SHA256, f"{fetched} is not what it should be"
        unfinished = jar.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(fetched.read_bytes())
        unfinished.rename(jar)
    assert _digest(jar) == SHA256, f"{jar} is not what it should be: delete it"
    return jar


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
