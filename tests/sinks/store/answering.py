"""`make view-answers`: ask a real engine what the shipped views answer, and write it where readers find it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from seamwatch.settings import load_settings
from sinks.store import view_answers
from sinks.store.client import Store
from sinks.store.ddl import View
from sinks.store.definitions import answered, read_definitions
from sinks.store.migrate import migrate
from stack.folder import DataFolder
from stack.local import LocalStack


def answers_of(store: Store) -> dict[str, dict[str, str]]:
    """What every view of a migrated store answers, by their names."""
    made = read_definitions(store).made
    return {name: answered(store, view) for name, view in sorted(made.items()) if isinstance(view, View)}


def main() -> None:
    """Write them."""
    with tempfile.TemporaryDirectory(prefix="seamwatch-view-answers-") as temporary:
        folder = Path(temporary)
        settings = load_settings(data=folder).model_copy(update={"clickhouse": None, "kafka": "127.0.0.1:9"})
        with DataFolder(folder) as data, LocalStack(data, settings) as addresses:
            migrate(addresses.clickhouse)
            with Store(addresses.clickhouse) as store:
                found = answers_of(store)
    path = Path(view_answers.__file__).with_name(view_answers.FILE)
    path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(f"wrote {path.relative_to(Path.cwd())}: {len(found)} views")


if __name__ == "__main__":
    main()
