"""Apache Kafka's jars: fetched once from Maven Central by jgo, checked against the shipped digests, kept in the cache.

A folder of jars is used only when its marker is there, and the marker is written after every jar was checked, so a
half-done download is never run. Two processes that fetch at once wait for each other. ``python -m stack.kafka.jars
--lock`` prints the digests of what Maven Central gives now, for whoever moves to a newer Kafka.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from seamwatch.errors import LocalStackError

if TYPE_CHECKING:
    from jgo.maven import Artifact

KAFKA_VERSION: Final = "4.3.1"
COORDINATES: Final = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-reload4j:1.7.36"

Progress = Callable[[str], None]
"""Is told what goes on, one short line at a time."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One jar of the lock."""

    name: str
    sha256: str
    size: int


def user_cache(chosen: Path | None) -> Path:
    """The folder for what is fetched once: the chosen one, else the user's cache folder."""
    if chosen is not None:
        return chosen.expanduser()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "seamwatch"


def locked_jars() -> Mapping[str, Jar]:
    """The jars that this version of Seamwatch runs, by file name."""
    text = resources.files("stack").joinpath("kafka-jars.lock").read_text()
    rows = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return {name: Jar(name, sha256, int(size)) for sha256, size, name in rows}


def cached(cache: Path) -> Path | None:
    """The folder of Kafka's jars if they are all there, else None."""
    folder = _folder(cache)
    return folder if (folder / "complete").is_file() else None


def kafka_jars(cache: Path, progress: Progress) -> Path:
    """The folder of Kafka's jars, fetched first if need be (about 45 MB).

    Raises LocalStackError that names what could not be fetched and what to try.
    """
    if (folder := cached(cache)) is not None:
        return folder
    with _locked(cache / "fetching.lock", progress):
        return cached(cache) or _fetch(cache, progress)


def _folder(cache: Path) -> Path:
    return cache / f"kafka-{KAFKA_VERSION}"


@contextlib.contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("w")
    except OSError as error:
        raise LocalStackError(
            f"The cache folder {path.parent} cannot be written ({error.strerror}): set SEAMWATCH_CACHE to one that can"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another process that fetches Apache Kafka")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(cache: Path, progress: Progress) -> Path:
    wanted = locked_jars()
    # Maven's layout, kept after a failure, so that the next try fetches only what is missing.
    repository = cache / "fetching"
    _drop_unfinished(repository, wanted)
    progress(f"Apache Kafka {KAFKA_VERSION}: asking Maven Central what it needs")
    try:
        artifacts = resolve(repository)
        total = sum(jar.size for jar in wanted.values()) // 1_000_000
        jars: dict[str, Path] = {}
        shown = -1
        with ThreadPoolExecutor(max_workers=6) as pool:
            for path in pool.map(lambda artifact: Path(artifact.resolve()), artifacts):
                jars[path.name] = path
                done = sum(wanted[name].size for name in jars if name in wanted) // 1_000_000
                if done // 5 > shown:
                    shown = done // 5
                    progress(f"Apache Kafka {KAFKA_VERSION}: fetched {done} of {total} MB")
    except Exception as error:  # jgo, requests and the file system each have trees of their own
        _drop_unfinished(repository, wanted)
        raise LocalStackError(_advice(cache, f"{type(error).__name__}: {error}")) from error
    wrong = sorted(wanted.keys() ^ jars.keys()) + [
        name for name, path in jars.items() if name in wanted and _sha256(path) != wanted[name].sha256
    ]
    if wrong:
        _drop_unfinished(repository, wanted)
        raise LocalStackError(_advice(cache, f"these jars are not what they should be: {', '.join(wrong)}"))
    return _install(jars, cache, repository)


def _install(jars: Mapping[str, Path], cache: Path, repository: Path) -> Path:
    folder = _folder(cache)
    staging = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=cache))
    for name, path in jars.items():
        path.rename(staging / name)
    (staging / "complete").write_text(f"{len(jars)} jars\n")
    shutil.rmtree(folder, ignore_errors=True)  # one without a marker
    staging.rename(folder)
    shutil.rmtree(repository, ignore_errors=True)
    return folder


def _advice(cache: Path, what: str) -> str:
    return (
        f"Apache Kafka {KAFKA_VERSION} could not be fetched: {what}\n"
        "  Try again when Maven Central can be reached (a mirror goes into jgo's settings file, section"
        " [repositories]; a proxy into HTTPS_PROXY),\n"
        f"  or copy a complete {_folder(cache)} from another machine,\n"
        "  or name a running broker with KAFKA_BOOTSTRAP_SERVERS."
    )


def _drop_unfinished(repository: Path, wanted: Mapping[str, Jar]) -> None:
    """Remove everything but whole jars: jgo takes any file that is there for a whole one."""
    for path in repository.rglob("*"):
        if path.is_file() and not (path.name in wanted and _sha256(path) == wanted[path.name].sha256):
            path.unlink()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def resolve(repository: Path) -> list[Artifact]:
    """What Kafka needs at run time, by jgo's resolver; fetches the POMs into ``repository`` but no jar.

    Repositories named in the user's jgo settings are asked before Maven Central.
    """
    try:
        from jgo.config import GlobalSettings
        from jgo.constants import MAVEN_CENTRAL_URL
        from jgo.maven import MavenContext
        from jgo.parse import Endpoint
    except ImportError as error:
        raise LocalStackError("The local Kafka needs the extra `local`: pip install 'seamwatch[local]'") from error
    context = MavenContext(
        repo_cache=repository,
        remote_repos={**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL},
        timeout=30,
    )
    roots = [
        context.create_dependency(replace(coordinate, scope=coordinate.scope or "compile"))
        for coordinate in Endpoint.parse(COORDINATES).coordinates
    ]
    direct, transitive = context.resolver.resolve(roots)
    needed = [*direct, *(each for each in transitive if each.scope in {"compile", "runtime"})]
    return [dependency.artifact for dependency in needed]


def main() -> None:
    """Print the lock of what Maven Central gives now."""
    parser = argparse.ArgumentParser(prog="python -m stack.kafka.jars", description=__doc__)
    parser.add_argument("--lock", action="store_true", required=True, help="print the digests")
    parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(artifact.resolve()) for artifact in resolve(Path(folder))]
        for path in sorted(paths, key=lambda each: each.name):
            sys.stdout.write(f"{_sha256(path)} {path.stat().st_size:>9} {path.name}\n")


if __name__ == "__main__":
    main()
