"""Every file that was taken from a package is the package's: held to its hash in the manifest, offline."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("board/static/vendor", "tests/board/browser/vendor")


def manifest(folder: str) -> list[dict[str, Any]]:
    packages: list[dict[str, Any]] = json.loads((ROOT / folder / "manifest.json").read_text())
    return packages


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_file_is_that_of_the_manifest_and_no_other_is_there(folder: str) -> None:
    told = {name: file["integrity"] for package in manifest(folder) for name, file in package["files"].items()}
    there = {
        file.name: f"sha512-{base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()}"
        for file in (ROOT / folder).iterdir()
        if file.name != "manifest.json"
    }
    assert there == told


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_package_is_pinned_and_comes_with_its_licence(folder: str) -> None:
    for package in manifest(folder):
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"]), package["package"]
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package["integrity"]), package["package"]
        assert package["licence"]
        assert any(name.endswith(".LICENSE") for name in package["files"]), package["package"]


def test_pages_take_scripts_from_nowhere_else() -> None:
    elsewhere = re.compile(r"<(?:script|link)[^>]*(?:src|href)=\"(?!/static/)[^\"]*\"")
    for template in (ROOT / "board" / "templates").rglob("*.html"):
        assert not elsewhere.findall(template.read_text()), template
