"""There is one way to Kafka: clients are made, ends are asked and refusals are worded in one place each."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = [folder for folder in ROOT.iterdir() if folder.name[0] != "." and folder.name != "tests"]
MADE = {
    *("Consumer", "Producer", "AdminClient", "DeserializingConsumer", "SerializingProducer", "AIOProducer"),
    *("AIOConsumer", "AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient", "KafkaAdminClient", "App"),
}
KAFKA = ("confluent_kafka", "aiokafka", "faust")
RIVAL = "benchmarks/rivals.py"
"""It measures a Faust application that others would write, with none of our settings."""


def clients_made(tree: ast.AST) -> Iterator[str]:
    """Names of clients that a module makes, or gives to others to make, of those that it has from Kafka's libraries."""
    own = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in KAFKA:
            own |= {alias.asname or alias.name for alias in node.names if alias.name in MADE}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for used in (node.func, *node.args):
                if isinstance(used, ast.Name) and used.id in own:
                    yield used.id
                elif isinstance(used, ast.Attribute) and used.attr in MADE and _package(used.value) in KAFKA:
                    yield used.attr


def _package(node: ast.expr) -> str:
    return ast.unparse(node).split(".")[0]


def test_clients_are_made_in_one_place() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): set(clients_made(ast.parse(path.read_text())))
        for package in PACKAGES
        for path in package.rglob("*.py")
    }
    assert {name: made for name, made in found.items() if made} == {
        "bus/clients.py": {"Consumer", "Producer", "AdminClient"},
        "bus/faust_app.py": {"App"},
        "seamwatch/guard/suspensions.py": {"Consumer"},
        "seamwatch/sdk/emitter.py": {"Producer"},
        "seamwatch/sdk/publisher.py": {"Producer"},
        RIVAL: {"App"},
    }


def test_ends_are_asked_in_one_place() -> None:
    asking = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in package.rglob("*.py")
        if package.name != "benchmarks"
        and re.search(r"\b(list_offsets|get_watermark_offsets|_PARTITION_EOF)\b", path.read_text())
    }
    assert asking == {"bus/ends.py", "bus/errors.py", "seamwatch/guard/suspensions.py"}


def test_whoever_acts_by_documents_follows_them_as_the_settings_demand() -> None:
    any_signature = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in package.rglob("*.py")
        if package.name != "benchmarks"
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "ContractsFollower"
        if all(given.arg != "required" for given in call.keywords)
    }
    # They publish, or look at what is published, and hold nobody to it.
    assert any_signature == {"bus/documents.py", "console/commands/contracts.py", "console/published_folder.py"}


def test_a_broker_that_lets_nobody_in_is_told_in_the_same_words_everywhere() -> None:
    saying = [path for package in PACKAGES for path in package.rglob("*.py") if "let us in" in path.read_text()]
    assert [path.relative_to(ROOT).as_posix() for path in saying] == ["seamwatch/broker.py"]


def test_the_look_finds_every_way_of_making_one() -> None:
    text = "from confluent_kafka import Consumer as C\nimport faust, confluent_kafka.admin\nC({})\nfaust.App('a')\n"
    more = "local.App()\nmade(C)\nconfluent_kafka.admin.AdminClient({})\n"
    assert sorted(clients_made(ast.parse(text + more))) == ["AdminClient", "App", "C", "C"]
