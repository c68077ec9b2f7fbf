"""Holds the documentation to the code: generated pages are up to date, links lead somewhere.

`python docs/check.py` says what is wrong (exit 1); `--write` writes the generated pages.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import clause_pages
import command_pages
import configuration_vectors
import ledger_vectors
import signature_vectors

ROOT = Path(__file__).parent.parent
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def generated() -> dict[Path, str]:
    """Every generated page by its path."""
    return {
        **clause_pages.pages(),
        **configuration_vectors.pages(),
        **ledger_vectors.pages(),
        **signature_vectors.pages(),
        command_pages.PAGE: command_pages.text(),
    }


def problems() -> list[str]:
    """What is wrong, one line each."""
    found = [
        f"{path.relative_to(ROOT)} is out of date: run make docs"
        for path, text in generated().items()
        if not path.exists() or path.read_text("utf-8") != text
    ]
    found += [
        f"docs/clauses/{name}.md lacks {part}: say it in the docstring of {kind.__module__.replace('.', '/')}.py"
        for name, kind in clause_pages.kinds().items()
        for part in clause_pages.lacking(clause_pages.page(kind))
    ]
    readme = (ROOT / "README.md").read_text("utf-8")
    found += [
        f"README.md does not name the clause kind {name}: put it into the table of kinds"
        for name in clause_pages.kinds()
        if f"(docs/clauses/{name}.md)" not in readme
    ]
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
            found += [
                f"{page.relative_to(ROOT)}:{number}: {target} leads nowhere"
                for target in _LINK.findall(line)
                if "://" not in target and not (page.parent / target).exists()
            ]
    return found


def main(arguments: list[str]) -> int:
    """Write the pages or check them."""
    if "--write" in arguments:
        for path, text in generated().items():
            if not path.exists() or path.read_text("utf-8") != text:
                path.write_text(text, "utf-8")
                print(f"wrote {path.relative_to(ROOT)}")
        return 0
    found = problems()
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
