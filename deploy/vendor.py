"""Vendored files: takes them out of pinned npm packages, and holds what came to the hashes of the manifest.

Each folder has a `manifest.json` that names packages, versions, licences and files. `make vendor` writes the files. To
take another version, write it into the manifest, empty the `integrity` of the package, and run it again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

FOLDERS = (Path("board/static/vendor"), Path("tests/board/browser/vendor"))


def main() -> None:
    """Write the files of every folder."""
    for folder in FOLDERS:
        manifest = folder / "manifest.json"
        packages = json.loads(manifest.read_text())
        for package in packages:
            vendor(package, folder)
        manifest.write_text(json.dumps(packages, indent=2) + "\n")


def vendor(package: dict[str, Any], folder: Path) -> None:
    """Write the files of one package; its entry gets the hashes."""
    pinned = f"{package['package']}@{package['version']}"
    with tempfile.TemporaryDirectory() as scratch:
        # npm asks the registry that this machine is set up with, and checks what comes by the registry's own hash.
        packing = ["npm", "pack", "--silent", "--ignore-scripts", pinned]
        subprocess.run(packing, cwd=scratch, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(scratch).glob("*.tgz")
        found = integrity(archive.read_bytes())
        if package["integrity"] not in ("", found):
            sys.exit(f"{pinned}: {found} came, and {folder}/manifest.json has {package['integrity']}")
        package["integrity"] = found
        with tarfile.open(archive) as packed:
            for name, file in package["files"].items():
                member = packed.extractfile(f"package/{file['from']}")
                assert member is not None, f"{pinned} has no file {file['from']}"
                content = member.read()
                (folder / name).write_bytes(content)
                file["integrity"] = integrity(content)
    print(f"{pinned}: {', '.join(package['files'])}")


def integrity(content: bytes) -> str:
    """The hash of a content, as npm and browsers write it."""
    return f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"


if __name__ == "__main__":
    main()
